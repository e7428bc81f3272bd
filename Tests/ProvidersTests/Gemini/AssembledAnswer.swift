import JSON
import Messages
import Testing

/// An answer put together from its frames as proto/client.md says, the way that whoever keeps a conversation does.
struct AssembledAnswer: Equatable {
    private(set) var parts: [MessagePart] = []
    private(set) var metadata: JSONValue?
    private(set) var done: JSONValue?
    private(set) var failure: Failure?
    private(set) var usage: Usage?
    /// How many events came before the last frame.
    private(set) var streamedCount = 0
    /// Whether the last part goes on with more of its kind.
    private var isOpen = false

    /// Reads the frames of one request; the supervisor must accept every one of them.
    init(_ frames: [[UInt8]], sourceLocation: SourceLocation = #_sourceLocation) throws {
        for frame in frames {
            let envelope = try SlotEventEnvelope(decoding: frame)
            let value = try JSONValue(parsing: frame)
            switch envelope.kind {
            case .output:
                self.streamedCount += 1
                try self.read(value)
            case .models: Issue.record("a list of models", sourceLocation: sourceLocation)
            case .progress: break
            case .error(let failure, let usage): (self.failure, self.usage) = (failure, usage)
            case .done(let outcome):
                self.done = value
                self.usage = outcome.usage
                try self.readKept(value)
                self.checkKept(value, sourceLocation)
            }
        }
        self.parts.removeAll { $0 == MessagePart(.text("")) || $0 == MessagePart(.reasoning("")) }
    }

    var message: ModelMessage { ModelMessage(.assistant, self.parts, providerMetadata: self.metadata) }

    var text: String { self.message.text }
    var reasoning: String {
        self.parts.reduce(into: "") { if case .reasoning(let more, isRedacted: _) = $1.content { $0 += more } }
    }
    var calls: [ToolCall] {
        self.parts.compactMap { if case .toolCall(let call) = $0.content { call } else { nil } }
    }

    /// The same without what differs between two runs: ids that were made, and how it was told.
    var essence: String {
        let parts = self.parts.map { part in
            switch part.content {
            case .toolCall(var call):
                call.id = Self.withoutMade(call.id)
                return MessagePart(.toolCall(call), providerMetadata: part.providerMetadata).value
            case .toolResult(var result):
                result.toolCallID = result.toolCallID.map(Self.withoutMade)
                return MessagePart(.toolResult(result), providerMetadata: part.providerMetadata).value
            case .text, .reasoning, .attachment: return part.value
            }
        }
        let end = [self.metadata, self.done?["finish_reason"], self.done?["usage"]].map { $0 ?? .null }
        return JSONValue.array(parts + end).text()
    }

    private static func withoutMade(_ id: String) -> String { id.hasPrefix("tc_") ? "made" : id }

    private mutating func readKept(_ value: JSONValue) throws {
        if let events = value["events"]?.array {
            for event in events { try self.read(event) }
            return
        }
        if let text = value["reasoning"]?.string { self.parts.append(MessagePart(.reasoning(text))) }
        if let text = value["text"]?.string { self.parts.append(MessagePart(.text(text))) }
        for call in value["tool_calls"]?.array ?? [] { try self.append("tool_call", call) }
    }

    /// What the last frame says at once must be what its events say.
    private func checkKept(_ value: JSONValue, _ sourceLocation: SourceLocation) {
        guard let text = value["text"]?.string else { return }
        #expect(text == self.text, sourceLocation: sourceLocation)
        #expect(value["reasoning"]?.string ?? "" == self.reasoning, sourceLocation: sourceLocation)
        #expect(value["tool_calls"]?.array?.count ?? 0 == self.calls.count, sourceLocation: sourceLocation)
    }

    private mutating func read(_ event: JSONValue) throws {
        let kind = event["event"]?.string ?? ""
        guard kind != "metadata" else { return try self.attach(PartMetadata(event)) }
        if self.isOpen, let last = self.parts.last, last.type == kind {
            let more = event["text"]?.string ?? ""
            switch last.content {
            case .text(let text): self.parts[self.parts.count - 1].content = .text(text + more)
            case .reasoning(let text, isRedacted: _): self.parts[self.parts.count - 1].content = .reasoning(text + more)
            case .attachment, .toolCall, .toolResult: break
            }
            return
        }
        try self.append(kind, event)
        self.isOpen = kind == "text" || kind == "reasoning"
    }

    private mutating func append(_ type: String, _ value: JSONValue) throws {
        self.parts.append(try MessagePart(.object([.init("type", .string(type))] + (value.members ?? []))))
    }

    private mutating func attach(_ metadata: PartMetadata) {
        guard metadata.target != .message else {
            self.metadata = metadata.providerMetadata
            return
        }
        if self.parts.last?.type != metadata.target.rawValue {
            self.parts.append(MessagePart(metadata.target == .reasoning ? .reasoning("") : .text("")))
        }
        if let value = metadata.providerMetadata {
            #expect(self.parts.last?.providerMetadata == nil, "a part has one metadata")
            self.parts[self.parts.count - 1].providerMetadata = value
        }
        self.isOpen = false
    }
}
