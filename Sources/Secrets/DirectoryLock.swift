import Glibc

/// A lock on the directory of the store (flock(2)): those who change it exclude each other and those who read it, so that
/// nobody sees new secrets and old keys. It ends with this object, or with the process, however that ends.
final class DirectoryLock {
    private let descriptor: CInt

    enum Kind { case shared, exclusive }

    /// How long it is waited for. What is done under it takes milliseconds.
    private static let timeout = Duration.seconds(3)

    /// - Returns: `nil` where there is no such directory.
    static func acquire(_ kind: Kind, _ directory: String) throws(FileFault) -> DirectoryLock? {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw FileFault("open", directory, errno)
        }
        let lock = DirectoryLock(descriptor: descriptor)
        let deadline = ContinuousClock.now + Self.timeout
        while flock(descriptor, (kind == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw FileFault("flock", directory, errno) }
            guard ContinuousClock.now < deadline else {
                throw FileFault("another process works on the secrets in \(directory); try again")
            }
            usleep(5_000)
        }
        return lock
    }

    private init(descriptor: CInt) { self.descriptor = descriptor }

    deinit { close(self.descriptor) }
}
