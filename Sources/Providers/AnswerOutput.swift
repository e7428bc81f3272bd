import JSON
public import Messages

/// Where a provider puts what its model says.
///
/// A streamed answer leaves at once, an event for each piece, in frames within ``ProtocolBounds/eventFrame``. Any other
/// is kept for the last frame, and given up with `answer_too_large` before it outgrows ``ProtocolBounds/lastFrame``.
public final class AnswerOutput {
    private let channel: any SlotChannel
    private let isStreamed: Bool
    /// What the answer must look like.
    private let schema: JSONSchema?
    /// The text that must: all of it, and where its last run begins, in bytes.
    private var spoken = ""
    private var lastRun = 0
    private var text = ""
    private var reasoning = ""
    private var toolCalls: [ToolCall] = []
    /// The order in which all of it came.
    private var order: [Kept] = []
    /// Whether the model wants tools to be called that it does not run itself.
    private var hasCalled = false
    /// Whether there is anything that text, reasoning and tool calls alone do not say.
    private var hasMore = false

    /// A piece of the kept answer. Of a text only its end is known, in bytes of all text, so that no text is kept twice.
    private enum Kept {
        case text(upTo: Int)
        case reasoning(upTo: Int)
        case event(SlotEvent)
    }

    /// The bytes that the kept answer takes in the last frame.
    private var keptLength = 0
    /// At least as many values as the arguments of the kept tool calls hold.
    private var keptNodes = 0

    /// No piece of text can outgrow an event's frame: JSON makes at most six bytes of one.
    private static let textPieceLength = 160 << 10
    /// Room in the last frame for what is not the answer: usage and its details, names.
    private static let lastFrameOverhead = 16 << 10
    /// A longer answer is not held against its schema.
    private static let checkedLength = 4 << 20
    /// Room below the number of values that the reader of a frame accepts.
    private static let nodeBound = JSONBounds().nodes - 4096

    public init(for request: ModelRequest, channel: any SlotChannel) {
        self.channel = channel
        self.isStreamed = request.stream
        self.schema = request.schema.map(JSONSchema.init)
    }

    public func text(_ text: String) throws(RequestEnd) {
        if self.schema != nil, self.spoken.utf8.count <= Self.checkedLength { self.spoken += text }
        guard !self.isStreamed else { return try self.stream(text, SlotEvent.text) }
        try self.keep(text.jsonLength)
        self.text += text
        if case .text? = self.order.last { self.order.removeLast() }
        self.order.append(.text(upTo: self.text.utf8.count))
    }

    public func reasoning(_ text: String) throws(RequestEnd) {
        self.lastRun = self.spoken.utf8.count
        guard !self.isStreamed else { return try self.stream(text, SlotEvent.reasoning) }
        try self.keep(text.jsonLength)
        self.reasoning += text
        if case .reasoning? = self.order.last { self.order.removeLast() }
        self.order.append(.reasoning(upTo: self.reasoning.utf8.count))
    }

    public func toolCall(_ call: ToolCall) throws(RequestEnd) {
        self.lastRun = self.spoken.utf8.count
        if !call.isServerExecuted { self.hasCalled = true }
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
        self.order.append(.event(.toolCall(call)))
        if call.isServerExecuted { self.hasMore = true }
    }

    /// What came of a tool that the provider ran itself.
    public func toolResult(_ result: ToolResult) throws(RequestEnd) {
        self.lastRun = self.spoken.utf8.count
        try self.more(.toolResult(result))
    }

    /// The model says something that is told when it is whole, such as the arguments of a tool call: it is not silent.
    public func progress() throws(RequestEnd) {
        if self.isStreamed { try self.channel.write(SlotProgress.encoded) }
    }

    /// By what the answer does not follow the schema that was asked for; `nil` where it does, or where tools must be called first.
    var flaw: String? {
        guard let schema = self.schema, !self.hasCalled, self.spoken.utf8.count <= Self.checkedLength else {
            return nil
        }
        // What was said before a tool was called, or between two thoughts, may be a remark, or a part of the answer.
        let whole = Array(self.spoken.utf8)
        guard let flaw = Self.flaw(whole, schema) else { return nil }
        return self.lastRun == 0 || self.lastRun == whole.count
            ? flaw : Self.flaw(Array(whole[self.lastRun...]), schema)
    }

    private static func flaw(_ text: [UInt8], _ schema: JSONSchema) -> String? {
        do throws(JSONError) { return schema.problem(of: try JSONValue(parsing: text, bounds: .lenient)) } catch {
            switch error.reason {
            // It is JSON, and more of it than is read here.
            case .tooManyNodes, .tooDeep, .duplicateName: return nil
            default: return text.isEmpty ? "nothing was said" : "it is not JSON"
            }
        }
    }

    /// What belongs to the part before.
    public func metadata(_ metadata: PartMetadata) throws(RequestEnd) { try self.more(.metadata(metadata)) }

    private func more(_ event: SlotEvent) throws(RequestEnd) {
        let bytes = event.encoded
        guard bytes.count <= ProtocolBounds.eventFrame else {
            throw .failed(.answerTooLarge, "a part of the answer is longer than \(ProtocolBounds.eventFrame) bytes")
        }
        guard !self.isStreamed else { return try self.channel.write(bytes) }
        self.keptNodes += 4 + bytes.count { ",[{".utf8.contains($0) }
        guard self.keptNodes <= Self.nodeBound else {
            throw .failed(.answerTooLarge, "the answer holds too many values")
        }
        self.hasMore = true
        try self.keep(bytes.count)
        self.order.append(.event(event))
    }

    /// The kept answer as the events of a stream.
    private var events: [SlotEvent] {
        var (textEnd, reasoningEnd) = (0, 0)
        return self.order.map { kept in
            switch kept {
            case .text(let end):
                defer { textEnd = end }
                return .text(self.text.piece(textEnd..<end))
            case .reasoning(let end):
                defer { reasoningEnd = end }
                return .reasoning(self.reasoning.piece(reasoningEnd..<end))
            case .event(let event): return event
            }
        }
    }

    /// The whole answer, if it was kept; the output is empty then.
    func takeAnswer() -> SlotCompletion.Answer? {
        guard !self.isStreamed else { return nil }
        defer { (self.text, self.reasoning, self.toolCalls, self.order) = ("", "", [], []) }
        return SlotCompletion.Answer(
            text: self.text, reasoning: self.reasoning, toolCalls: self.toolCalls,
            events: self.hasMore ? self.events : [])
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
        // What the three do not say alone is said as events too.
        guard (self.hasMore ? 2 : 1) * self.keptLength <= ProtocolBounds.lastFrame - Self.lastFrameOverhead else {
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

extension String {
    /// The text between two places, in bytes of UTF-8 that begin characters.
    fileprivate func piece(_ range: Range<Int>) -> String {
        let start = self.utf8.index(self.startIndex, offsetBy: range.lowerBound)
        return String(self[start..<self.utf8.index(start, offsetBy: range.count)])
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
