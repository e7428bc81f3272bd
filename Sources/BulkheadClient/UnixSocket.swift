import Glibc

/// The system calls that a connection needs.
enum UnixSocket {
    /// The longest path that fits `sockaddr_un`, in bytes.
    static let maximumPathLength = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
    /// How long `connect` may wait for a daemon whose backlog is full, in seconds.
    static let connectTimeoutSeconds = 10

    /// Connects to the socket at `path` and returns a descriptor that does not block (`socket`, `connect`).
    static func connect(to path: String) throws(ClientError) -> CInt {
        guard path.utf8.count <= Self.maximumPathLength else {
            throw .cannotConnect(path: path, errno: ENAMETOOLONG)
        }
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { throw .cannotConnect(path: path, errno: errno) }

        // Linux holds connect on a Unix socket to the send timeout.
        var timeout = timeval(tv_sec: Self.connectTimeoutSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))

        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                Glibc.connect(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0, fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else {
            let reason = errno
            close(descriptor)
            throw .cannotConnect(path: path, errno: reason)
        }
        return descriptor
    }

    /// Two connected descriptors that do not block: what is written to one wakes a `poll` on the other (`socketpair`).
    static func makeWakePair() -> (waits: CInt, wakes: CInt)? {
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        var pair: [CInt] = [-1, -1]
        guard socketpair(AF_UNIX, type, 0, &pair) == 0 else { return nil }
        return (pair[0], pair[1])
    }

    /// Sends what the kernel takes at once (`send`); `nil` when it takes nothing now.
    static func send(_ bytes: ArraySlice<UInt8>, to descriptor: CInt) throws(SystemError) -> Int? {
        let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
        if count >= 0 { return count }
        if errno == EAGAIN || errno == EINTR { return nil }
        throw SystemError(errno: errno)
    }

    /// Receives what the kernel has (`recv`); 0 at the end of the stream, `nil` when there is nothing now.
    static func receive(into buffer: inout [UInt8], from descriptor: CInt) throws(SystemError) -> Int? {
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count >= 0 { return count }
        if errno == EAGAIN || errno == EINTR { return nil }
        throw SystemError(errno: errno)
    }

    struct SystemError: Error {
        var errno: CInt
    }
}
