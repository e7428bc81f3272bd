import Glibc

/// The system calls on sockets that load, control connection and upstream share.
enum LocalSocket {
    /// The longest path that fits `sockaddr_un`, in bytes.
    static let maximumPathLength = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// Connects to the Unix socket at `path` (`socket`, `connect`).
    static func connect(to path: String) throws(BenchError) -> CInt {
        guard path.utf8.count <= Self.maximumPathLength else {
            throw BenchError(errno: ENAMETOOLONG, "cannot connect to '\(path)'")
        }
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw BenchError(errno: errno, "cannot make a socket") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                Glibc.connect(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0 else {
            let reason = errno
            close(descriptor)
            throw BenchError(errno: reason, "cannot connect to '\(path)'")
        }
        return descriptor
    }

    /// Listens on a free port of 127.0.0.1 and returns descriptor and port (`socket`, `bind`, `listen`).
    static func listenOnLoopback() throws(BenchError) -> (descriptor: CInt, port: UInt16) {
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_INET, type, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && listen(descriptor, 512) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        guard isListening else { throw BenchError(errno: errno, "cannot listen on 127.0.0.1") }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    static func setNonBlocking(_ descriptor: CInt) { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }

    /// What came of a call on a socket that does not block.
    enum Outcome: Equatable {
        case bytes(Int)
        /// Nothing now.
        case wait
        /// The other end has gone.
        case ended
    }

    /// Sends what the kernel takes at once (`send`).
    static func send(_ bytes: ArraySlice<UInt8>, to descriptor: CInt) -> Outcome {
        let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
        if count >= 0 { return .bytes(count) }
        return errno == EAGAIN || errno == EINTR ? .wait : .ended
    }

    /// Receives what the kernel has, up to the length of `buffer` (`recv`).
    static func receive(into buffer: inout [UInt8], from descriptor: CInt) -> Outcome {
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count > 0 { return .bytes(count) }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? .wait : .ended
    }
}
