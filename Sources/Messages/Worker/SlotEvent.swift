import JSON

/// What a slot writes while it runs a request (proto/worker.md).
public enum SlotEvent: Sendable, Equatable {
    case text(String)
    case reasoning(String)
    case toolCall(ToolCall)
    /// What came of a tool that the provider ran itself.
    case toolResult(ToolResult)
    /// What belongs to the part before.
    case metadata(PartMetadata)
    /// The last event of a request that succeeded.
    case done(SlotCompletion)
    /// The answer to a question for models, and its last event: what the provider lists.
    case models([ModelDescription])
    /// The last event of a request that failed. `usage` is what it used all the same, where that is known.
    case error(Failure, usage: Usage?)

    public var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        switch self {
        case .text(let text):
            object.add("event", "text")
            object.add("text", text)
        case .reasoning(let text):
            object.add("event", "reasoning")
            object.add("text", text)
        case .toolCall(let call):
            object.add("event", "tool_call")
            call.append(to: &object)
        case .toolResult(let result):
            object.add("event", "tool_result")
            for member in result.members { object.add(member) }
        case .metadata(let metadata):
            object.add("event", "metadata")
            metadata.append(to: &object)
        case .done(let completion):
            object.add("event", "done")
            completion.append(to: &object)
        case .models(let models):
            object.add("event", "models")
            object.add("models", rawElements: models.map(\.encoded))
        case .error(let failure, let usage):
            object.add("event", "error")
            object.add("error", raw: failure.encoded)
            if let usage { object.add("usage", raw: usage.encoded) }
        }
        return object.finish()
    }
}

/// The end of a request that succeeded.
public struct SlotCompletion: Sendable, Equatable {
    public var usage: Usage?
    public var finishReason: String?
    public var providerRequestID: String?
    /// The whole answer of a request that was not streamed.
    public var answer: Answer?
    /// The model that answered, where the provider names another than was asked for.
    public var resolvedModel: String?

    public struct Answer: Sendable, Equatable {
        public var text: String
        public var reasoning: String
        public var toolCalls: [ToolCall]
        /// All of it as the events that a streamed answer would have been, where the three above do not say everything.
        public var events: [SlotEvent]

        public init(text: String, reasoning: String = "", toolCalls: [ToolCall] = [], events: [SlotEvent] = []) {
            self.text = text
            self.reasoning = reasoning
            self.toolCalls = toolCalls
            self.events = events
        }
    }

    public init(
        usage: Usage? = nil, finishReason: String? = nil, providerRequestID: String? = nil, answer: Answer? = nil,
        resolvedModel: String? = nil
    ) {
        self.usage = usage
        self.finishReason = finishReason?.truncated(toUTF8Length: 64)
        self.providerRequestID = providerRequestID?.truncated(toUTF8Length: 128)
        self.answer = answer
        self.resolvedModel = resolvedModel?.truncated(toUTF8Length: ProtocolBounds.nameLength)
    }

    func append(to object: inout JSONObjectBuilder) {
        if let usage = self.usage { object.add("usage", raw: usage.encoded) }
        object.add("finish_reason", ifPresent: self.finishReason)
        object.add("provider_request_id", ifPresent: self.providerRequestID)
        object.add("resolved_model", ifPresent: self.resolvedModel)
        guard let answer = self.answer else { return }
        object.add("text", answer.text)
        if !answer.reasoning.isEmpty { object.add("reasoning", answer.reasoning) }
        if !answer.toolCalls.isEmpty { object.add("tool_calls", rawElements: answer.toolCalls.map(\.encoded)) }
        if !answer.events.isEmpty { object.add("events", rawElements: answer.events.map(\.encoded)) }
    }
}
