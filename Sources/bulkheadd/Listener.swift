import Glibc
import Libuv

/// The socket at which clients connect: made at a path, or passed by the service manager.
final class Listener {
    private let pipe: Pipe
    /// The file to remove at the end; `nil` where the service manager owns it.
    private let ownedPath: String?

    private init(_ pipe: Pipe, ownedPath: String?) {
        self.pipe = pipe
        self.ownedPath = ownedPath
    }

    /// Adopts the socket that sd_listen_fds(3) describes, if there is one for this process.
    static func inherited(on loop: Loop) throws -> Listener? {
        guard let pid = getenv("LISTEN_PID").map({ String(cString: $0) }), pid == "\(getpid())" else { return nil }
        let count = getenv("LISTEN_FDS").map { String(cString: $0) } ?? "0"
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) }
        guard count == "1" else { throw StartError("LISTEN_FDS is \(count): bulkheadd takes exactly one socket") }
        let descriptor: CInt = 3
        var isListening: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &length) == 0, isListening == 1 else {
            throw StartError("descriptor 3, which LISTEN_FDS names, is no listening socket")
        }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        let pipe = try Pipe(on: loop)
        try pipe.open(descriptor: descriptor)
        return Listener(pipe, ownedPath: nil)
    }

    /// Makes a socket at `path`. A file that a daemon left behind is replaced; one that is being served is not.
    ///
    /// - Parameters:
    ///   - mode: The permission bits: who may write to the socket may connect.
    ///   - group: The group of the file; `nil` leaves it as it comes.
    static func bind(path: String, mode: Int, group: Int?, on loop: Loop) throws -> Listener {
        try Self.removeStaleFile(at: path)
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Self.failure("make a socket", path) }
        // Nobody may connect until owner and mode are what they are to be.
        let mask = umask(0o777)
        let status = Self.withAddress(path) { Glibc.bind(descriptor, $0, $1) }
        let code = errno
        umask(mask)
        guard status == 0 else {
            Glibc.close(descriptor)
            errno = code
            throw Self.failure("make the socket", path)
        }
        if let group, chown(path, uid_t.max, gid_t(group)) != 0 {
            throw Self.failure("give group \(group) the socket", path)
        }
        guard chmod(path, mode_t(mode)) == 0 else { throw Self.failure("set the mode of the socket", path) }
        let pipe = try Pipe(on: loop)
        try pipe.open(descriptor: descriptor)
        return Listener(pipe, ownedPath: path)
    }

    private static func removeStaleFile(at path: String) throws {
        guard path.utf8.count <= 107 else {
            throw StartError(
                "the socket path '\(path)' is longer than 107 bytes (unix(7)); choose another with --socket")
        }
        var attributes = stat()
        guard lstat(path, &attributes) == 0 else {
            if errno == ENOENT { return }
            throw Self.failure("look at", path)
        }
        guard attributes.st_mode & S_IFMT == S_IFSOCK else {
            throw StartError("'\(path)' exists and is no socket; remove it, or choose another path with --socket")
        }
        let probe = socket(
            AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
        defer { Glibc.close(probe) }
        let status = Self.withAddress(path) { connect(probe, $0, $1) }
        // EAGAIN: somebody listens there and has no room for one more.
        if status == 0 || errno == EAGAIN {
            throw StartError("another daemon serves '\(path)'; stop it, or choose another path with --socket")
        }
        guard errno == ECONNREFUSED else { throw Self.failure("connect to", path) }
        guard unlink(path) == 0 else { throw Self.failure("remove the socket that was left at", path) }
    }

    private static func withAddress<R>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    private static func failure(_ what: String, _ path: String) -> StartError {
        StartError("cannot \(what) '\(path)': \(String(cString: strerror(errno)))")
    }

    /// Accepts clients from now on; `body` is called when one waits.
    func listen(_ body: @escaping () -> Void) throws {
        try self.pipe.listen(backlog: 4096) { error in
            if error == nil { body() }
        }
    }

    /// Takes the client that waits, and who it is.
    func accept(on loop: Loop) throws -> (Pipe, PeerIdentity) {
        let client = try Pipe(on: loop)
        do {
            try self.pipe.accept(into: client)
            return (client, try PeerIdentity(of: client.descriptor))
        } catch {
            client.close()
            throw error
        }
    }

    func close() {
        guard !self.pipe.isClosing else { return }
        self.pipe.close()
        if let path = self.ownedPath { unlink(path) }
    }
}
