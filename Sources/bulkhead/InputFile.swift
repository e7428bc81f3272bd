import BulkheadClient
import Glibc

/// A file that the command line names, or standard input as `-`.
struct InputFile {
    let path: String

    var isStandardInput: Bool { self.path == "-" }
    /// How messages call it.
    var name: String { self.isStandardInput ? "standard input" : "'\(TerminalText.escaped(self.path))'" }

    /// Whether there is such a file.
    var exists: Bool { access(self.path, F_OK) == 0 }

    /// Reads all of it.
    ///
    /// - Parameter bound: The most bytes that are of use; a longer file is refused, with its size.
    func read(bound: Int) throws(InputError) -> [UInt8] {
        let file = try self.open()
        let descriptor = file.descriptor
        var status = stat()
        let isRegular = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        if isRegular, status.st_size > bound {
            throw self.tooLong("has \(Text.size(bytes: Int(status.st_size)))", bound)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(isRegular ? Int(status.st_size) : 0)
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= bound {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count > 0 { bytes.append(contentsOf: buffer[..<count]) }
            if count == 0 { return bytes }
            if count < 0, errno != EINTR { throw self.error(errno) }
        }
        throw self.tooLong("is longer", bound)
    }

    /// Reads all of it as a text.
    func readText(bound: Int) throws(InputError) -> String {
        guard let text = String(validating: try self.read(bound: bound), as: UTF8.self) else {
            throw self.isNoText
        }
        return text
    }

    var isNoText: InputError { InputError("\(self.name) is not a text in UTF-8; show it to the model with -a") }

    func open() throws(InputError) -> OpenFile {
        guard !self.isStandardInput else { return OpenFile(STDIN_FILENO) }
        let descriptor = Glibc.open(self.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw self.error(errno) }
        return OpenFile(descriptor)
    }

    private func error(_ errno: CInt) -> InputError {
        InputError("cannot read \(self.name): \(String(cString: strerror(errno)))")
    }

    private func tooLong(_ fact: String, _ bound: Int) -> InputError {
        InputError("\(self.name) \(fact), and a request has room for \(Text.size(bytes: bound)) of it")
    }
}

/// A file that is closed when nobody reads it any more; standard input stays open.
final class OpenFile {
    let descriptor: CInt

    init(_ descriptor: CInt) { self.descriptor = descriptor }

    deinit { if self.descriptor != STDIN_FILENO { close(self.descriptor) } }
}
