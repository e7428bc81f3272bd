import Glibc

/// A file that belongs to the daemon's user alone, and is replaced whole or not at all.
struct PrivateFile {
    let path: String
    let calls: any FileCalls

    private var directory: String {
        self.path.lastIndex(of: "/").map { $0 == self.path.startIndex ? "/" : String(self.path[..<$0]) } ?? "."
    }
    private var unfinished: String { self.path + ".new" }

    /// The file's bytes; `nil` where there is no file.
    ///
    /// - Throws: Why it cannot be read, or should not be believed: it is somebody else's, or others may read or write it.
    func read(maximumLength: Int) throws(FileFault) -> [UInt8]? {
        guard let content = try self.calls.read(self.path, maximumLength: maximumLength) else { return nil }
        guard content.owner == geteuid() || content.owner == 0 else {
            throw FileFault(
                "\(self.path) belongs to user \(content.owner) and should belong to user \(geteuid()), whom the daemon runs as"
            )
        }
        guard content.mode & 0o077 == 0 else {
            let mode = String(content.mode, radix: 8)
            throw FileFault("others may use \(self.path) (its mode is \(mode)): chmod 600 \(self.path)")
        }
        return content.bytes
    }

    func write(_ bytes: [UInt8]) throws(FileFault) {
        try self.calls.create(self.unfinished, bytes)
        try self.calls.replace(self.path, by: self.unfinished)
        try self.calls.syncDirectory(self.directory)
    }

    /// Makes the file where there is none; `false` where there is one.
    func make(_ bytes: [UInt8]) throws(FileFault) -> Bool {
        try self.calls.create(self.unfinished, bytes)
        let isNew = try self.calls.link(self.unfinished, as: self.path)
        try self.calls.remove(self.unfinished)
        try self.calls.syncDirectory(self.directory)
        return isNew
    }
}
