import Glibc

/// A directory that nobody else can enter, removed with all that is in it at the end.
struct PrivateDirectory: ~Copyable {
    let path: String

    /// Makes it in $TMPDIR, or in /tmp (`mkdtemp`).
    init() throws(BenchError) {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/bulkhead-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw BenchError(errno: errno, "cannot make a directory in '\(parent)'")
        }
        self.path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit { Self.remove(self.path) }

    private static func remove(_ path: String) {
        // What is no directory is removed at once; links are not followed.
        if unlink(path) == 0 { return }
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != ".", name != ".." { Self.remove("\(path)/\(name)") }
            }
            closedir(directory)
        }
        rmdir(path)
    }
}
