import Messages

/// What must be known of a model to ask it.
struct AnthropicModel {
    let id: String
    /// How many tokens an answer may have at most: the API wants a bound in every request.
    let maximumOutput: Int
    /// Whether a system prompt may change in the middle of a conversation.
    let takesLaterSystemPrompts: Bool

    init(_ id: String, _ facts: ModelFacts) {
        self.id = id
        self.maximumOutput = facts.maximumOutput ?? Self.safeOutput(of: id)
        self.takesLaterSystemPrompts = facts.can(.laterSystem) ?? false
    }

    /// A bound that a model keeps of which nothing is known but its name: one that the catalogue leaves out, dated names among
    /// them. A greater one than a model has is an error.
    private static func safeOutput(of id: String) -> Int {
        if id.hasPrefix("claude-3-7") { return 64_000 }
        if id.hasPrefix("claude-3-5") { return 8192 }
        if id.hasPrefix("claude-3") { return 4096 }
        if ["claude-opus-4-0", "claude-opus-4-1", "claude-opus-4-2"].contains(where: id.hasPrefix) { return 32_000 }
        return id.hasPrefix("claude-") ? 64_000 : 8192
    }
}
