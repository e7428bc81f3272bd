import Glibc

/// One connection of the upstream: finds where each request ends, and sends what answers it.
struct UpstreamConnection {
    let descriptor: CInt
    private let answer: UpstreamAnswer
    private var received: [UInt8] = []
    /// What is being sent: one of the answer's two, and how much of it has gone.
    private var sending: (isStreamed: Bool, count: Int)?
    private(set) var hasEnded = false

    init(descriptor: CInt, answer: UpstreamAnswer) {
        self.descriptor = descriptor
        self.answer = answer
    }

    var isSending: Bool { self.sending != nil }

    mutating func read(_ buffer: inout [UInt8]) {
        switch LocalSocket.receive(into: &buffer, from: self.descriptor) {
        case .wait: break
        case .ended: self.hasEnded = true
        case .bytes(let count):
            self.received += buffer[..<count]
            self.answerNext()
        }
    }

    /// Sends what the kernel takes.
    mutating func flush() {
        while let (isStreamed, count) = self.sending {
            let response = isStreamed ? self.answer.streamed : self.answer.whole
            guard count < response.count else {
                self.sending = nil
                return self.answerNext()
            }
            switch LocalSocket.send(response[count...], to: self.descriptor) {
            case .bytes(let sent): self.sending = (isStreamed, count + sent)
            case .wait: return
            case .ended:
                self.hasEnded = true
                return
            }
        }
    }

    private mutating func answerNext() {
        guard self.sending == nil, let length = Self.requestLength(self.received) else { return }
        let isStreamed = self.received[..<length].firstIndex(of: #""stream":true"#) != nil
        self.received.removeSubrange(..<length)
        self.sending = (isStreamed, 0)
        self.flush()
    }

    /// The bytes of the first request, head and body; `nil` as long as it is not whole.
    static func requestLength(_ bytes: [UInt8]) -> Int? {
        guard let blankLine = bytes.firstIndex(of: "\r\n\r\n") else { return nil }
        let headEnd = blankLine + 4
        // As libcurl writes it, and as most others do.
        let head = bytes[..<headEnd]
        let field = head.firstIndex(of: "\nContent-Length:") ?? head.firstIndex(of: "\ncontent-length:")
        var bodyLength = 0
        for byte in field.map({ head[($0 + 16)...] }) ?? [] {
            if byte == UInt8(ascii: " ") { continue }
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { break }
            bodyLength = bodyLength * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return bytes.count >= headEnd + bodyLength ? headEnd + bodyLength : nil
    }
}
