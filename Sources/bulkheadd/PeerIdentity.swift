import Glibc
import Messages
import SupervisorCore

/// Who made a connection, as the kernel saw it then (SO_PEERCRED, SO_PEERGROUPS, SO_PEERPIDFD; unix(7)), and the unit of
/// systemd that its process is in now.
///
/// What a process becomes after it has connected changes nothing here.
struct PeerIdentity {
    /// With ``ProtocolBounds/groups`` at most, those with the smallest numbers; a process may have 65,536 (NGROUPS_MAX).
    let credentials: PeerCredentials
    /// Whether there are more groups.
    let hasMoreGroups: Bool

    init(of descriptor: CInt) throws {
        // struct ucred of unix(7), which the C headers show to GNU programs only.
        var credentials: (pid: Int32, uid: UInt32, gid: UInt32) = (0, 0, 0)
        var length = socklen_t(MemoryLayout.size(ofValue: credentials))
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0 else {
            throw StartError("SO_PEERCRED: \(String(cString: strerror(errno)))")
        }
        let groups = try Self.groups(of: descriptor)
        self.hasMoreGroups = groups.count > ProtocolBounds.groups
        self.credentials = PeerCredentials(
            uid: Int(credentials.uid), gid: Int(credentials.gid), pid: Int(credentials.pid),
            groups: groups.prefix(ProtocolBounds.groups).map(Int.init),
            unit: Self.unit(of: Int(credentials.pid), descriptor))
    }

    // MARK: Groups

    /// All supplementary groups of the peer; none from a kernel before 4.13, which does not tell them.
    private static func groups(of descriptor: CInt) throws -> [UInt32] {
        let size = MemoryLayout<UInt32>.size
        var groups = [UInt32](repeating: 0, count: 32)
        // Twice at most: the groups of a peer do not change, and the kernel says how many there are.
        for _ in 0..<2 {
            var length = socklen_t(groups.count * size)
            if getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, &groups, &length) == 0 {
                return Array(groups.prefix(Int(length) / size))
            }
            guard errno == ERANGE else { break }
            groups = [UInt32](repeating: 0, count: Int(length) / size)
        }
        guard errno == ENOPROTOOPT else { throw StartError("SO_PEERGROUPS: \(String(cString: strerror(errno)))") }
        return []
    }

    // MARK: Unit

    /// SO_PEERPIDFD of asm-generic/socket.h, since Linux 6.5; older C headers lack it.
    private static let peerProcessDescriptor: CInt = 77

    /// Without a pidfd there is no unit: the process that has the number now may be another one.
    private static func unit(of pid: Int, _ descriptor: CInt) -> String? {
        guard pid > 0, let process = Self.processDescriptor(of: descriptor) else { return nil }
        defer { Glibc.close(process) }
        guard let controlGroups = Self.controlGroups(of: pid) else { return nil }
        // Only now: a process that is alive after its file was read had its number all the time.
        guard Self.isAlive(process) else { return nil }
        return SystemdUnit.name(inControlGroups: controlGroups)
    }

    private static func processDescriptor(of descriptor: CInt) -> CInt? {
        var process: CInt = -1
        var length = socklen_t(MemoryLayout<CInt>.size)
        guard getsockopt(descriptor, SOL_SOCKET, Self.peerProcessDescriptor, &process, &length) == 0 else { return nil }
        return process
    }

    /// A pidfd becomes readable when its process ends (pidfd_open(2)).
    private static func isAlive(_ process: CInt) -> Bool {
        var question = pollfd(fd: process, events: Int16(POLLIN), revents: 0)
        return poll(&question, 1, 0) == 0
    }

    private static let maximumLength = 4_096

    /// The beginning of /proc/PID/cgroup; `nil` where the process is gone, or hidden from us (hidepid of proc(5)).
    private static func controlGroups(of pid: Int) -> [UInt8]? {
        let file = open("/proc/\(pid)/cgroup", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { Glibc.close(file) }
        let bytes = [UInt8](unsafeUninitializedCapacity: Self.maximumLength) { buffer, count in
            count = max(0, read(file, buffer.baseAddress, Self.maximumLength))
        }
        return bytes.isEmpty ? nil : bytes
    }

    // MARK: What there is to know

    /// What can be known of clients on this machine, for the operator's log.
    static var sources: [String: String] {
        var ends: (CInt, CInt) = (-1, -1)
        let status = withUnsafeMutablePointer(to: &ends) {
            $0.withMemoryRebound(to: CInt.self, capacity: 2) {
                socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0, $0)
            }
        }
        guard status == 0 else { return [:] }
        defer {
            Glibc.close(ends.0)
            Glibc.close(ends.1)
        }
        var length: socklen_t = 0
        let hasGroups = getsockopt(ends.0, SOL_SOCKET, SO_PEERGROUPS, nil, &length) == 0 || errno == ERANGE
        let process = Self.processDescriptor(of: ends.0)
        if let process { Glibc.close(process) }
        let units =
            if process == nil {
                "no: this needs SO_PEERPIDFD (Linux 6.5)"
            } else if Self.controlGroups(of: 1) == nil {
                "no: /proc hides the processes of others (hidepid, ProtectProc=)"
            } else {
                "where systemd has them"
            }
        return [
            "user": "SO_PEERCRED", "groups": hasGroups ? "SO_PEERGROUPS" : "no: this needs Linux 4.13", "units": units,
        ]
    }
}
