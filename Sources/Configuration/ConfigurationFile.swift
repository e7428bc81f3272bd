import Glibc
public import Messages

/// A configuration file as it was read: its name, for the problems that are found in it, and its bytes.
public struct ConfigurationFile: Sendable, Equatable {
    /// The longest file that is read, in bytes.
    public static let maximumLength = 1 << 20

    public var name: String
    public var bytes: [UInt8]

    public init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }

    public init(name: String, text: String) {
        self.init(name: name, bytes: Array(text.utf8))
    }

    /// Reads the file at `path`.
    ///
    /// - Throws: What is wrong with the whole file: it does not exist, may not be read, or is longer than
    ///   `maximumLength`, of which no more than one byte too many is ever read.
    public static func load(
        _ path: String, maximumLength: Int = Self.maximumLength
    ) throws(ConfigurationProblem) -> ConfigurationFile {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.unreadable(path, errno) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: maximumLength + 1)
        var length = 0
        while length < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                read(descriptor, buffer.baseAddress! + length, buffer.count - length)
            }
            if count == 0 { break }
            if count > 0 {
                length += count
            } else if errno != EINTR {
                throw Self.unreadable(path, errno)
            }
        }
        guard length <= maximumLength else {
            throw ConfigurationProblem(
                file: path, line: 0, column: 0,
                message: "the file is longer than \(maximumLength) bytes; is it the configuration?")
        }
        return ConfigurationFile(name: path, bytes: Array(bytes[..<length]))
    }

    private static func unreadable(_ path: String, _ code: CInt) -> ConfigurationProblem {
        let message =
            switch code {
            case ENOENT: "the file does not exist"
            case EACCES: "the file may not be read by user \(geteuid())"
            case EISDIR: "this is a directory; name the file in it"
            default: "the file cannot be read: \(String(cString: strerror(code)))"
            }
        return ConfigurationProblem(file: path, line: 0, column: 0, message: message)
    }
}
