import Glibc

/// Files that fit in memory.
enum SmallFile {
    /// The content of a file, up to 1 MiB (`open`, `read`).
    static func read(_ path: String) throws(BenchError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw BenchError(errno: errno, "cannot read '\(path)'") }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while content.count < 1 << 20 {
            let count = Glibc.read(descriptor, &piece, piece.count)
            guard count >= 0 else { throw BenchError(errno: errno, "cannot read '\(path)'") }
            guard count > 0 else { break }
            content += piece[..<count]
        }
        return content
    }

    /// Writes a file anew (`open`, `write`).
    static func write(_ text: String, to path: String) throws(BenchError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw BenchError(errno: errno, "cannot write '\(path)'") }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
            throw BenchError(errno: errno, "cannot write '\(path)'")
        }
    }
}
