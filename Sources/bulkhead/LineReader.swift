import Glibc

/// Standard input, line by line. The terminal edits the line until it is entered.
struct LineReader {
    /// The longest line, in bytes.
    let bound: Int
    private var buffer: [UInt8] = []
    private var start = 0
    private var hasEnded = false

    init(bound: Int) { self.bound = bound }

    /// Waits for the next line and returns it without its end; `nil` at the end of the input (`read`).
    mutating func next() throws(InputError) -> String? {
        var searched = self.start
        while true {
            if let end = self.buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { self.start = end + 1 }
                return self.line(endingAt: end)
            }
            guard self.buffer.count - self.start <= self.bound else {
                throw InputError("a line has more than \(Text.size(bytes: self.bound)), the most that a request holds")
            }
            guard !self.hasEnded else {
                defer { self.start = self.buffer.count }
                return self.start < self.buffer.count ? self.line(endingAt: self.buffer.count) : nil
            }
            self.buffer.removeFirst(self.start)
            self.start = 0
            searched = self.buffer.count
            try self.readMore()
        }
    }

    private func line(endingAt end: Int) -> String {
        var bytes = self.buffer[self.start..<end]
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func readMore() throws(InputError) {
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        var count = Glibc.read(STDIN_FILENO, &chunk, chunk.count)
        while count < 0 && errno == EINTR { count = Glibc.read(STDIN_FILENO, &chunk, chunk.count) }
        guard count >= 0 else { throw InputError("cannot read standard input: \(String(cString: strerror(errno)))") }
        self.hasEnded = count == 0
        self.buffer.append(contentsOf: chunk[..<count])
    }
}
