import Glibc

/// Where the file is: its directory, and the lock that keeps a second logger away from it.
enum DatabasePlace {
    /// Makes the directory of `path`, and those above it, readable by nobody else, where they are missing.
    static func makeDirectory(of path: String) throws(SystemError) {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return }
        let directory = String(path[..<slash])
        if mkdir(directory, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT else { throw SystemError("cannot make the directory \(directory)") }
        try Self.makeDirectory(of: directory)
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw SystemError("cannot make the directory \(directory)")
        }
    }
}

/// The lock on `logs.db.lock` (flock(2)), held until the process ends.
///
/// The file stays when the lock is gone: removing it could leave two processes with a lock on two files of one name.
struct DatabaseLock: ~Copyable {
    private let descriptor: CInt

    /// Waits for the lock; `nil` if another process still holds it after `timeout`.
    ///
    /// A predecessor whose supervisor died may be committing what it was sent.
    static func acquire(_ path: String, timeout: Duration) throws(SystemError) -> DatabaseLock? {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw SystemError("cannot open \(path)") }
        let lock = DatabaseLock(descriptor: descriptor)
        let deadline = ContinuousClock.now + timeout
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw SystemError("cannot lock \(path)") }
            guard ContinuousClock.now < deadline else { return nil }
            usleep(20_000)
        }
        return lock
    }

    deinit { close(self.descriptor) }
}

/// A system call that failed, and at what.
struct SystemError: Error {
    let description: String

    /// Reads `errno`, so it comes right after the call.
    init(_ failure: String) { self.description = "\(failure): \(String(cString: strerror(errno)))" }
}
