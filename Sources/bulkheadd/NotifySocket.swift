import Glibc
import Libuv
import SupervisorCore

/// The socket at which a service manager wants to be told how the daemon does (sd_notify(3)).
struct NotifySocket {
    /// As the variable names it: a path, or `@` and an abstract name.
    private let name: String

    /// How long the service manager may keep us waiting, in seconds. The supervisor has one thread, and this is the only write
    /// in it that blocks: at the start, at the end and twice a reload, on a socket of its parent's.
    private static let timeoutSeconds = 1

    /// Takes the socket that `NOTIFY_SOCKET` names out of the environment, so that no child speaks for us; `nil` where there
    /// is none.
    static func inherited() -> NotifySocket? {
        guard let name = getenv("NOTIFY_SOCKET").map({ String(cString: $0) }) else { return nil }
        unsetenv("NOTIFY_SOCKET")
        return name.isEmpty ? nil : NotifySocket(name: name)
    }

    /// - Parameter status: A line for people, without a line break.
    func tell(_ state: ServiceState, status: String) throws(StartError) {
        let assignment =
            switch state {
            case .ready: "READY=1"
            // systemd tells by the instant that this is no old message of the reload before.
            case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(Clock.monotonicNanoseconds / 1000)"
            case .stopping: "STOPPING=1"
            }
        try self.send("\(assignment)\nSTATUS=\(status)\n")
    }

    private func send(_ text: String) throws(StartError) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var path = Array(self.name.utf8)
        guard path.first == UInt8(ascii: "/") || path.first == UInt8(ascii: "@"),
            path.count < MemoryLayout.size(ofValue: address.sun_path)
        else { throw StartError("NOTIFY_SOCKET is '\(self.name)', which is no socket of unix(7)") }
        if path[0] == UInt8(ascii: "@") { path[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        // An abstract name ends where the address does.
        let length = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path)! + path.count)

        let descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw self.failure() }
        defer { close(descriptor) }
        var timeout = timeval(tv_sec: Self.timeoutSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        let message = Array(text.utf8)
        let count = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, message, message.count, CInt(MSG_NOSIGNAL), $0, length)
            }
        }
        guard count == message.count else { throw self.failure() }
    }

    private func failure() -> StartError {
        StartError("cannot write to NOTIFY_SOCKET '\(self.name)': \(String(cString: strerror(errno)))")
    }
}
