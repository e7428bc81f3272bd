import JSON
public import Messages

/// Where a provider puts what its model says.
///
/// A streamed answer leaves at once, an event for each piece, in frames within ``ProtocolBounds/eventFrame``. Any other
/// is kept for the last frame, and given up with `answer_too_large` before it outgrows ``ProtocolBounds/lastFrame``.
public final class AnswerOutput {
    private let channel: any SlotChannel
    private let isStreamed: Bool
    private var text = ""
    private var reasoning = ""
    private var toolCalls: [ToolCall] = []
    /// The bytes that the kept answer takes in the last frame.
    private var keptLength = 0
    /// At least as many values as the arguments of the kept tool calls hold.
    private var keptNodes = 0

    /// No piece of text can outgrow an event's frame: JSON makes at most six bytes of one.
    private static let textPieceLength = 160 << 10
    /// Room in the last frame for what is not the answer: usage and its details, names.
    private static let lastFrameOverhead = 16 << 10
    /// Room below the number of values that the reader of a frame accepts.
    private static let nodeBound = JSONBounds().nodes - 4096

    public init(for request: ModelRequest, channel: any SlotChannel) {
        self.channel = channel
        self.isStreamed = request.stream
    }

    public func text(_ text: String) throws(RequestEnd) {
        guard !self.isStreamed else { return try self.stream(text, SlotEvent.text) }
        try self.keep(text.jsonLength)
        self.text += text
    }

    public func reasoning(_ text: String) throws(RequestEnd) {
        guard !self.isStreamed else { return try self.stream(text, SlotEvent.reasoning) }
        try self.keep(text.jsonLength)
        self.reasoning += text
    }

    public func toolCall(_ call: ToolCall) throws(RequestEnd) {
        let event = SlotEvent.toolCall(call).encoded
        guard event.count <= ProtocolBounds.eventFrame else {
            throw .failed(
                .answerTooLarge, "the call of tool '\(call.name)' is longer than \(ProtocolBounds.eventFrame) bytes")
        }
        guard !self.isStreamed else { return try self.channel.write(event) }
        self.keptNodes += 4 + call.arguments.count { ",[{".utf8.contains($0) }
        guard self.keptNodes <= Self.nodeBound else {
            throw .failed(.answerTooLarge, "the arguments of the tool calls hold too many values")
        }
        try self.keep(event.count)
        self.toolCalls.append(call)
    }

    /// The whole answer, if it was kept; the output is empty then.
    func takeAnswer() -> SlotCompletion.Answer? {
        guard !self.isStreamed else { return nil }
        defer { (self.text, self.reasoning, self.toolCalls) = ("", "", []) }
        return SlotCompletion.Answer(text: self.text, reasoning: self.reasoning, toolCalls: self.toolCalls)
    }

    private func stream(_ text: String, _ event: (String) -> SlotEvent) throws(RequestEnd) {
        guard text.utf8.count > Self.textPieceLength else { return try self.channel.write(event(text).encoded) }
        var rest = text[...]
        while !rest.isEmpty {
            let piece = rest.prefix(utf8Length: Self.textPieceLength)
            try self.channel.write(event(String(piece)).encoded)
            rest = rest[piece.endIndex...]
        }
    }

    private func keep(_ length: Int) throws(RequestEnd) {
        self.keptLength += length
        guard self.keptLength <= ProtocolBounds.lastFrame - Self.lastFrameOverhead else {
            throw .failed(
                .answerTooLarge,
                "the answer is longer than \(ProtocolBounds.lastFrame) bytes; ask for it with stream: true")
        }
    }
}

extension String {
    /// The bytes that this text takes in JSON, without its quotes.
    fileprivate var jsonLength: Int {
        self.utf8.reduce(0) { length, byte in
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), 0x08, 0x09, 0x0A, 0x0C, 0x0D: length + 2
            case ..<0x20: length + 6
            default: length + 1
            }
        }
    }
}

extension Substring {
    /// As much of the beginning as fits `length` bytes of UTF-8, cut between two scalars.
    fileprivate func prefix(utf8Length length: Int) -> Substring {
        guard self.utf8.count > length else { return self }
        var end = self.utf8.index(self.startIndex, offsetBy: length)
        while UTF8.isContinuation(self.utf8[end]) { end = self.utf8.index(before: end) }
        return self[..<end]
    }
}
