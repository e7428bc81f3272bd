import Glibc

extension ClientError {
    /// What to do about a connection that could not be made.
    static func advice(_ errno: CInt) -> String {
        switch errno {
        case ENOENT:
            "Is bulkheadd running? It may listen elsewhere: say where with --socket or BULKHEAD_SOCKET"
        case ECONNREFUSED:
            "There is a file, but nobody listens: start bulkheadd, which replaces a socket that was left behind"
        case EACCES, EPERM:
            "This user may not write to the socket: join the group that owns it, or change socket.mode in bulkhead.yaml"
        case ENOTSOCK, EPROTOTYPE:
            "This is not the socket of a daemon: say where it is with --socket or BULKHEAD_SOCKET"
        case ENAMETOOLONG:
            "The path of a Unix socket has at most \(UnixSocket.maximumPathLength) bytes: choose a shorter one"
        case EAGAIN:
            "The daemon did not accept the connection in time: it may be overloaded or stopped"
        default:
            "Say where the daemon listens with --socket or BULKHEAD_SOCKET"
        }
    }
}

extension String {
    /// The system's sentence about an `errno` (`strerror_r`).
    init(systemError errno: CInt) {
        var buffer = [CChar](repeating: 0, count: 128)
        guard strerror_r(errno, &buffer, buffer.count) == 0 else {
            self = "error \(errno)"
            return
        }
        self = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
