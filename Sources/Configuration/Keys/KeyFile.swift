import Glibc

/// A file that may hold keys: a systemd credential, or llm's keys.json.
public enum KeyFile: Sendable, Equatable {
    case absent
    /// It is there and cannot be read: why.
    case unreadable(String)
    /// - isOpenToOthers: Whether users other than its owner may read it.
    case content([UInt8], isOpenToOthers: Bool = false)

    /// The longest file that is read, in bytes.
    static let maximumLength = 1 << 20

    /// Reads the file at `path`, no more than one byte too many.
    public static func load(_ path: String) -> KeyFile {
        // A pipe in its place would keep the service from starting.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            return errno == ENOENT || errno == ENOTDIR ? .absent : .unreadable(Self.reason(errno))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return .unreadable(Self.reason(errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { return .unreadable("it is not a regular file") }
        var bytes = [UInt8](repeating: 0, count: Self.maximumLength + 1)
        var length = 0
        while length < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                read(descriptor, buffer.baseAddress! + length, buffer.count - length)
            }
            if count == 0 { break }
            if count > 0 {
                length += count
            } else if errno != EINTR {
                return .unreadable(Self.reason(errno))
            }
        }
        guard length <= Self.maximumLength else { return .unreadable("it is longer than \(Self.maximumLength) bytes") }
        return .content(Array(bytes[..<length]), isOpenToOthers: status.st_mode & 0o077 != 0)
    }

    private static func reason(_ code: CInt) -> String {
        code == EACCES ? "user \(geteuid()) may not read it" : String(cString: strerror(code))
    }
}
