import Foundation

/// A directory of a test's own, which goes with the test. Its path is short: a socket's may have 107 bytes.
final class Folder {
    let url = URL(filePath: "/tmp/bh-\(UUID().uuidString.prefix(8))")

    init() throws { try FileManager.default.createDirectory(at: self.url, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: self.url) }

    func path(_ name: String) -> String { self.url.appending(path: name).path }

    /// Writes a file, and returns its path.
    @discardableResult
    func write(_ text: String, to name: String) throws -> String {
        try text.write(toFile: self.path(name), atomically: true, encoding: .utf8)
        return self.path(name)
    }

    /// Copies our programs to `name/`, which is made.
    func copy(_ programs: [String], to name: String) throws {
        try FileManager.default.createDirectory(atPath: self.path(name), withIntermediateDirectories: true)
        for program in programs {
            try FileManager.default.copyItem(
                atPath: Checkout.program(program).path, toPath: self.path("\(name)/\(program)"))
        }
    }
}
