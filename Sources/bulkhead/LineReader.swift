import Glibc

/// Standard input, or a file, line by line. A terminal edits the line until it is entered.
struct LineReader {
    /// The longest line, in bytes.
    let bound: Int
    private let source: Source
    private var buffer: [UInt8] = []
    private var start = 0
    private var hasEnded = false

    /// Reads standard input, and mends what is no UTF-8.
    init(bound: Int) {
        self.bound = bound
        self.source = .keyboard
    }

    /// Reads a file, which must be a text in UTF-8.
    init(_ file: InputFile, bound: Int) throws(InputError) {
        self.bound = bound
        self.source = .file(file, try file.open())
    }

    private enum Source {
        case keyboard
        case file(InputFile, OpenFile)

        var descriptor: CInt { if case .file(_, let open) = self { open.descriptor } else { STDIN_FILENO } }
        var name: String { if case .file(let file, _) = self { file.name } else { "standard input" } }
    }

    /// Waits for the next line and returns it without its end; `nil` at the end of the input (`read`).
    mutating func next() throws(InputError) -> String? {
        var searched = self.start
        while true {
            if let end = self.buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { self.start = end + 1 }
                return try self.line(endingAt: end)
            }
            guard self.buffer.count - self.start <= self.bound else {
                throw InputError("a line has more than \(Text.size(bytes: self.bound)), the most that a request holds")
            }
            guard !self.hasEnded else {
                defer { self.start = self.buffer.count }
                return self.start < self.buffer.count ? try self.line(endingAt: self.buffer.count) : nil
            }
            self.buffer.removeFirst(self.start)
            self.start = 0
            searched = self.buffer.count
            try self.readMore()
        }
    }

    private func line(endingAt end: Int) throws(InputError) -> String {
        var bytes = self.buffer[self.start..<end]
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard case .file(let file, _) = self.source else { return String(decoding: bytes, as: UTF8.self) }
        guard let line = String(validating: bytes, as: UTF8.self) else { throw file.isNoText }
        return line
    }

    private mutating func readMore() throws(InputError) {
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        var count = Glibc.read(self.source.descriptor, &chunk, chunk.count)
        while count < 0 && errno == EINTR { count = Glibc.read(self.source.descriptor, &chunk, chunk.count) }
        guard count >= 0 else {
            throw InputError("cannot read \(self.source.name): \(String(cString: strerror(errno)))")
        }
        self.hasEnded = count == 0
        self.buffer.append(contentsOf: chunk[..<count])
    }
}
