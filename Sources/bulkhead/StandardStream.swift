import BulkheadClient
import Glibc

/// Standard output was closed by whoever read it.
struct OutputClosed: Error {}

/// A descriptor to print on, without a buffer, so that text shows as it comes.
struct StandardStream {
    static let output = StandardStream(descriptor: STDOUT_FILENO)
    static let error = StandardStream(descriptor: STDERR_FILENO)

    private let descriptor: CInt

    var isTerminal: Bool { isatty(self.descriptor) == 1 }

    /// Writes all of `bytes`, and waits as long as that takes (`write`).
    func write(_ bytes: [UInt8]) throws(OutputClosed) {
        var start = 0
        while start < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(self.descriptor, $0.baseAddress! + start, $0.count - start)
            }
            if count >= 0 {
                start += count
            } else if errno == EAGAIN {
                // Somebody else made this descriptor non-blocking.
                var poll = pollfd(fd: self.descriptor, events: Int16(POLLOUT), revents: 0)
                Glibc.poll(&poll, 1, -1)
            } else if errno != EINTR {
                throw OutputClosed()
            }
        }
    }

    func write(_ text: String) throws(OutputClosed) { try self.write(Array(text.utf8)) }

    func writeLine(_ text: String) throws(OutputClosed) { try self.write(text + "\n") }

    /// Writes a text that somebody else may have written: to a terminal with its control characters as escapes.
    func writeSafely(_ text: String) throws(OutputClosed) {
        try self.write(self.isTerminal ? TerminalText.escaped(text) : text)
    }

    /// Writes JSON text as one line: to a terminal with control characters as escapes of JSON.
    func writeLine(json bytes: [UInt8]) throws(OutputClosed) {
        let line = Text.line(json: bytes)
        guard self.isTerminal else { return try self.write(line) }
        try self.writeLine(TerminalText.json(String(decoding: line.dropLast(), as: UTF8.self)))
    }

    /// Writes `bulkhead: CODE: MESSAGE`.
    func report(_ error: ClientError) {
        var text = "bulkhead: \(error)"
        if case .failure(let failure) = error {
            if let wait = failure.retryAfterMilliseconds {
                text += " (the provider asks to wait \(Text.duration(milliseconds: wait)))"
            }
            if let id = failure.providerRequestID { text += " (the provider's request id: \(id))" }
        }
        // There is nobody to tell that standard error is closed.
        try? self.writeSafely(text + "\n")
    }
}

/// What is piped into the program.
enum StandardInput {
    static var isTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// Reads to the end, or to the first byte beyond `bound`.
    static func read(bound: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= bound {
            let count = Glibc.read(STDIN_FILENO, &buffer, buffer.count)
            if count > 0 { bytes.append(contentsOf: buffer[..<count]) }
            if count == 0 || count < 0 && errno != EINTR { break }
        }
        return bytes
    }
}
