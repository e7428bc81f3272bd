import Glibc

/// Why nothing could be measured, for the person who asked.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// A system call failed: the reason is in `errno`.
    init(errno reason: CInt = Glibc.errno, _ what: String) {
        self.description = "\(what): \(String(cString: strerror(reason)))"
    }
}
