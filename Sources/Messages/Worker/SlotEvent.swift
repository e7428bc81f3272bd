import JSON

/// What a slot writes while it runs a request (proto/worker.md).
public enum SlotEvent: Sendable, Equatable {
    case text(String)
    case reasoning(String)
    case toolCall(ToolCall)
    /// The last event of a request that succeeded.
    case done(SlotCompletion)
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
        case .done(let completion):
            object.add("event", "done")
            completion.append(to: &object)
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

    public struct Answer: Sendable, Equatable {
        public var text: String
        public var reasoning: String
        public var toolCalls: [ToolCall]

        public init(text: String, reasoning: String = "", toolCalls: [ToolCall] = []) {
            self.text = text
            self.reasoning = reasoning
            self.toolCalls = toolCalls
        }
    }

    public init(
        usage: Usage? = nil, finishReason: String? = nil, providerRequestID: String? = nil, answer: Answer? = nil
    ) {
        self.usage = usage
        self.finishReason = finishReason?.truncated(toUTF8Length: 64)
        self.providerRequestID = providerRequestID?.truncated(toUTF8Length: 128)
        self.answer = answer
    }

    func append(to object: inout JSONObjectBuilder) {
        if let usage = self.usage { object.add("usage", raw: usage.encoded) }
        object.add("finish_reason", ifPresent: self.finishReason)
        object.add("provider_request_id", ifPresent: self.providerRequestID)
        guard let answer = self.answer else { return }
        object.add("text", answer.text)
        if !answer.reasoning.isEmpty { object.add("reasoning", answer.reasoning) }
        if !answer.toolCalls.isEmpty { object.add("tool_calls", rawElements: answer.toolCalls.map(\.encoded)) }
    }
}
