import Glibc

/// The other programs of Bulkhead: beside this one, as a build leaves them, or in ../libexec/bulkhead, as a package does.
enum SiblingProgram {
    /// Where `name` is; `nil` where it is not.
    static func find(_ name: String) -> String? { Self.candidates(name).first { access($0, X_OK) == 0 } }

    static func candidates(_ name: String) -> [String] {
        let directory = Self.ownDirectory
        return ["\(directory)/\(name)", "\(directory)/../libexec/bulkhead/\(name)"]
    }

    /// Where it belongs, for messages.
    static func places(of name: String) -> String {
        "it belongs beside bulkhead in '\(Self.ownDirectory)' or in ../libexec/bulkhead"
    }

    /// Where this program's file is (`readlink` of /proc/self/exe).
    private static var ownDirectory: String {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.withMemoryRebound(to: CChar.self) { readlink("/proc/self/exe", $0.baseAddress!, $0.count) }
        }
        let path = buffer.prefix(max(count, 0))
        return String(decoding: path[..<(path.lastIndex(of: UInt8(ascii: "/")) ?? 0)], as: UTF8.self)
    }
}
