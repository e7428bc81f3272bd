import Glibc

/// The calls by which the files of the store are read and changed.
///
/// Each call that changes something is one step: whatever the store does must be right when the process ends after any of
/// them. A test counts them and lets none happen after one that it has chosen.
public protocol FileCalls {
    /// What is at `path`; `nil` where there is nothing.
    func read(_ path: String, maximumLength: Int) throws(FileFault) -> FileContent?
    /// Makes a file that nobody else may read, with its content on disk. One that is in the way is removed.
    func create(_ path: String, _ bytes: [UInt8]) throws(FileFault)
    /// Puts a file in the place of another (rename(2)).
    func replace(_ path: String, by other: String) throws(FileFault)
    /// Gives a file a second name, unless there is something of that name: `false` (link(2)).
    func link(_ path: String, as name: String) throws(FileFault) -> Bool
    func remove(_ path: String) throws(FileFault)
    /// Has the names in a directory on disk (fsync(2)).
    func syncDirectory(_ path: String) throws(FileFault)
}

/// A file as it was read: its bytes, whose it is, and who may do what with it.
public struct FileContent: Sendable, Equatable {
    public var bytes: [UInt8]
    public var owner: UInt32
    /// The permission bits.
    public var mode: UInt32

    public init(bytes: [UInt8], owner: UInt32, mode: UInt32) {
        self.bytes = bytes
        self.owner = owner
        self.mode = mode
    }
}

/// A call that failed: what, where, and why.
public struct FileFault: Error, Equatable, CustomStringConvertible {
    public let description: String

    public init(_ call: String, _ path: String, _ code: CInt) {
        self.description = "\(call) \(path): \(String(cString: strerror(code)))"
    }

    public init(_ description: String) { self.description = description }
}

/// The calls of the system.
public struct SystemFiles: FileCalls {
    public init() {}

    public func read(_ path: String, maximumLength: Int) throws(FileFault) -> FileContent? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw FileFault("open", path, errno)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileFault("fstat", path, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw FileFault("\(path) is no regular file") }
        var bytes = [UInt8](repeating: 0, count: min(Int(status.st_size), maximumLength) + 1)
        var length = 0
        while length < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress! + length, buffer.count - length)
            }
            if count == 0 { break }
            if count > 0 {
                length += count
            } else if errno != EINTR {
                throw FileFault("read", path, errno)
            }
        }
        guard length <= min(Int(status.st_size), maximumLength) else {
            throw FileFault("\(path) is longer than \(maximumLength) bytes, or grows")
        }
        return FileContent(bytes: Array(bytes[..<length]), owner: status.st_uid, mode: status.st_mode & 0o7777)
    }

    public func create(_ path: String, _ bytes: [UInt8]) throws(FileFault) {
        guard unlink(path) == 0 || errno == ENOENT else { throw FileFault("unlink", path, errno) }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw FileFault("open", path, errno) }
        defer { close(descriptor) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                write(descriptor, buffer.baseAddress! + written, buffer.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FileFault("write", path, errno) }
            written += count
        }
        guard fsync(descriptor) == 0 else { throw FileFault("fsync", path, errno) }
    }

    public func replace(_ path: String, by other: String) throws(FileFault) {
        guard rename(other, path) == 0 else { throw FileFault("rename to", path, errno) }
    }

    public func link(_ path: String, as name: String) throws(FileFault) -> Bool {
        if Glibc.link(path, name) == 0 { return true }
        guard errno == EEXIST else { throw FileFault("link to", name, errno) }
        return false
    }

    public func remove(_ path: String) throws(FileFault) {
        guard unlink(path) == 0 || errno == ENOENT else { throw FileFault("unlink", path, errno) }
    }

    public func syncDirectory(_ path: String) throws(FileFault) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFault("open", path, errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileFault("fsync", path, errno) }
    }
}
