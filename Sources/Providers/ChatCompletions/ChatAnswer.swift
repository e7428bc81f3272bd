import JSON
import Messages

/// What has been read of the answer to a chat completion, whole or in pieces.
struct ChatAnswer: ProviderAnswer {
    private(set) var usage: Usage?
    private(set) var finishReason: String?
    private(set) var resolvedModel: String?
    /// The provider's own name, and the field of the details of its reasoning that it wants to see again.
    private var detailsField: (provider: String, name: String)?
    private var details = ChatReasoningDetails()
    private var hasRefused = false
    private var toolCalls: [ChatToolCall] = []
    /// The bytes of all tool calls so far.
    private var toolCallLength = 0
    private var hasChoice = false
    private var isMarkedDone = false

    private let newIdentifier: () -> ULID

    init(_ context: AnswerContext) {
        let field = ProviderPreset.of(context.kind)?.quirks.reasoning?.detailsField
        self.detailsField = field.map { (context.kind.rawValue, $0) }
        self.newIdentifier = context.newIdentifier
    }

    var flaw: String? {
        if self.hasRefused { return "the model refused to give one" }
        switch self.finishReason {
        case "length": return "it ended in its middle, at the limit of its length; allow it more tokens"
        case "content_filter": return "it ended in its middle, at the provider's content filter"
        default: return nil
        }
    }

    /// Reads a body that is one JSON value.
    mutating func readWhole(_ value: JSONValue, into output: AnswerOutput, key: String?) throws(RequestEnd) {
        self.readUsage(value)
        if let error = value["error"], !error.isNull { throw .failed(ProviderFailure.inAnswer(value, key: key)) }
        guard let choice = value["choices"]?[0], let message = choice["message"], message.members != nil else {
            throw .invalidResponse("it has no choices")
        }
        self.hasChoice = true
        try self.readMessage(message, into: output)
        self.finishReason = choice["finish_reason"]?.string
    }

    /// Reads an event of a stream; `false` if it was the last.
    mutating func read(_ event: ServerSentEvent, into output: AnswerOutput, key: String?) throws(RequestEnd) -> Bool {
        if event.data.elementsEqual("[DONE]".utf8) {
            self.isMarkedDone = true
            return false
        }
        guard !event.data.isEmpty else { return true }
        let value = try ProviderJSON.value(event.data, key: key)
        guard value.members != nil else { throw .invalidResponse("an event of its stream is no JSON object") }
        self.readUsage(value)
        if event.name == "error" || value["error"].map({ !$0.isNull }) == true {
            throw .failed(ProviderFailure.inAnswer(value, key: key))
        }
        // An answer has one choice, unless an option asked for more: the first is the answer.
        let choice = value["choices"]?.array?.first { ($0["index"]?.integer ?? 0) == 0 }
        guard let choice else { return true }
        self.hasChoice = true
        if let delta = choice["delta"] { try self.readMessage(delta, into: output) }
        if let reason = choice["finish_reason"]?.string { self.finishReason = reason }
        return true
    }

    /// Throws unless the stream that has ended held a whole answer.
    func expectComplete() throws(RequestEnd) {
        guard self.hasChoice || self.finishReason != nil else { throw .invalidResponse("its stream has no choices") }
        guard self.isMarkedDone || self.finishReason != nil else {
            throw .invalidResponse("its stream ended before the answer did")
        }
    }

    /// The tool calls, which come in pieces, are whole at the end.
    mutating func finish(into output: AnswerOutput) throws(RequestEnd) {
        try self.giveDetails(to: output)
        for call in self.toolCalls {
            let id = call.id.isEmpty ? ToolCall.newID(self.newIdentifier) : call.id
            try output.toolCall(ToolCall(id: id, name: call.name, arguments: call.encodedArguments))
        }
        // A refusal has a field of its own, and the finish reason of any other answer.
        if self.hasRefused { self.finishReason = "refusal" }
    }

    private mutating func readUsage(_ value: JSONValue) {
        if let model = value["model"]?.string, !model.isEmpty { self.resolvedModel = model }
        for usage in [value["usage"], value["x_groq"]?["usage"]] {
            guard let usage = usage.flatMap(Usage.init(chat:)) else { continue }
            self.usage = usage
            return
        }
    }

    /// Reads a message, or a piece of one.
    private mutating func readMessage(_ message: JSONValue, into output: AnswerOutput) throws(RequestEnd) {
        for name in ["reasoning_content", "reasoning"] {
            guard let text = message[name]?.string, !text.isEmpty else { continue }
            try output.reasoning(text)
            break
        }
        if let field = self.detailsField, let details = message[field.name]?.array { try self.details.append(details) }
        try self.readContent(message["content"] ?? .null, into: output)
        if let refusal = message["refusal"]?.string, !refusal.isEmpty {
            self.hasRefused = true
            try self.text(refusal, to: output)
        }
        for name in ["audio", "images"] {
            guard let part = message[name], !part.isNull, part.array?.isEmpty != true else { continue }
            throw Self.unknownPart(name)
        }
        for call in message["tool_calls"]?.array ?? [] {
            try self.readToolCall(call)
            try output.progress()
        }
    }

    /// Reads content: a string, or an array of parts as Mistral's reasoning models send it.
    private mutating func readContent(_ content: JSONValue, into output: AnswerOutput) throws(RequestEnd) {
        if let text = content.string { try self.text(text, to: output) }
        for part in content.array ?? [] {
            switch part["type"]?.string {
            case "text": try self.text(part["text"]?.string ?? "", to: output)
            case "thinking":
                let thinking = part["thinking"] ?? .null
                let texts = thinking.string.map { [$0] } ?? (thinking.array ?? []).compactMap { $0["text"]?.string }
                for text in texts where !text.isEmpty { try output.reasoning(text) }
            // Mistral's numbers of the sources that a text is from.
            case "reference": break
            case let type: throw Self.unknownPart(type ?? "without a type")
            }
        }
    }

    private mutating func text(_ text: String, to output: AnswerOutput) throws(RequestEnd) {
        guard !text.isEmpty else { return }
        try self.giveDetails(to: output)
        try output.text(text)
    }

    /// The details of the reasoning that has ended.
    private mutating func giveDetails(to output: AnswerOutput) throws(RequestEnd) {
        guard let field = self.detailsField, !self.details.values.isEmpty else { return }
        let details = JSONValue.object([.init(field.name, .array(self.details.values))])
        self.details = ChatReasoningDetails()
        try output.metadata(PartMetadata(.reasoning, .object([.init(field.provider, details)])))
    }

    private static func unknownPart(_ name: String) -> RequestEnd {
        .failed(
            .modelError,
            "the answer has a part '\(name.truncated(toUTF8Length: 64))', and this version passes on text, reasoning and "
                + "tool calls only")
    }

    private mutating func readToolCall(_ value: JSONValue) throws(RequestEnd) {
        let piece = ChatToolCall(value)
        self.toolCallLength += piece.length
        guard self.toolCallLength <= ProtocolBounds.lastFrame else {
            throw .failed(.answerTooLarge, "the tool calls are longer than \(ProtocolBounds.lastFrame) bytes")
        }
        if let place = self.toolCalls.lastIndex(where: { $0.isContinued(by: piece) }) {
            self.toolCalls[place].append(piece)
        } else {
            guard self.toolCalls.count < ChatToolCall.countBound else {
                throw .failed(.answerTooLarge, "the answer has more than \(ChatToolCall.countBound) tool calls")
            }
            self.toolCalls.append(piece)
        }
    }
}
