import Glibc

/// Finds the other programs of Bulkhead: beside this one, as a build leaves them, or in ../libexec/bulkhead, as a
/// package does.
enum ProgramLocator {
    static func find(_ name: String) throws(StartError) -> String {
        let directory = try Self.ownDirectory()
        let candidates = ["\(directory)/\(name)", "\(directory)/../libexec/bulkhead/\(name)"]
        for candidate in candidates where access(candidate, X_OK) == 0 { return candidate }
        throw StartError("\(name) is missing: looked for \(candidates.joined(separator: " and "))")
    }

    private static func ownDirectory() throws(StartError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { throw StartError("cannot read /proc/self/exe: \(String(cString: strerror(errno)))") }
        let path = String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
}

/// Why the daemon cannot start, for the person who started it.
struct StartError: Error, CustomStringConvertible {
    let description: String
    let exitCode: CInt

    init(_ description: String, exitCode: CInt = 1) {
        self.description = description
        self.exitCode = exitCode
    }
}
