extension [ModelMessage] {
    /// The tool calls that the conversation ends with and that nobody has answered, in their order.
    ///
    /// As llm has it (`_trailing_pending_tool_calls`): those of the last message with calls, unless a message other than of
    /// tools has followed; a result without an id answers the first call of its name without one. What the provider ran
    /// itself is not pending.
    public var unansweredCalls: [ToolCall] {
        guard let last = self.lastIndex(where: { $0.role == .assistant && !$0.calls.isEmpty }) else { return [] }
        let later = self[(last + 1)...]
        guard later.allSatisfy({ $0.role == .tool }) else { return [] }
        let results = later.flatMap(\.results)
        let answered = Set(results.compactMap(\.toolCallID))
        var names: [String: Int] = [:]
        for result in results where result.toolCallID == nil { names[result.name, default: 0] += 1 }
        return self[last].calls.filter { call in
            guard call.id.isEmpty else { return !answered.contains(call.id) }
            guard let count = names[call.name], count > 0 else { return true }
            names[call.name] = count - 1
            return false
        }
    }
}

extension ModelMessage {
    /// The tool calls that somebody else than the provider must see to.
    fileprivate var calls: [ToolCall] {
        self.parts.compactMap { part in
            if case .toolCall(let call) = part.content, !call.isServerExecuted { call } else { nil }
        }
    }

    fileprivate var results: [ToolResult] {
        self.parts.compactMap { part in
            if case .toolResult(let result) = part.content { result } else { nil }
        }
    }
}
