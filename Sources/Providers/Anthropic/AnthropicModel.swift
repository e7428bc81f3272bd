/// What must be known of a model to ask it.
struct AnthropicModel {
    let id: String
    /// How many tokens an answer may have at most: the API wants a bound in every request.
    let maximumOutput: Int
    /// Whether a system prompt may change in the middle of a conversation.
    let takesLaterSystemPrompts: Bool

    init(_ id: String) {
        self.id = id
        let known = Self.families.first { id.hasPrefix($0.prefix) }
        self.maximumOutput = known?.maximumOutput ?? 8192
        self.takesLaterSystemPrompts = known?.takesLaterSystemPrompts ?? false
    }

    private struct Family {
        var prefix: String
        var maximumOutput: Int
        var takesLaterSystemPrompts = false
    }

    /// The first whose prefix fits counts (Anthropic's models overview). A model that none fits is one of another
    /// provider with this API, of which nothing is known.
    private static let families = [
        Family(prefix: "claude-3-5", maximumOutput: 8192),
        Family(prefix: "claude-3-7", maximumOutput: 64_000),
        Family(prefix: "claude-3", maximumOutput: 4096),
        Family(prefix: "claude-opus-4-0", maximumOutput: 32_000),
        Family(prefix: "claude-opus-4-1", maximumOutput: 32_000),
        Family(prefix: "claude-opus-4-2", maximumOutput: 32_000),
        Family(prefix: "claude-sonnet-4-0", maximumOutput: 64_000),
        Family(prefix: "claude-sonnet-4-2", maximumOutput: 64_000),
        Family(prefix: "claude-opus-4-5", maximumOutput: 64_000),
        Family(prefix: "claude-sonnet-4-5", maximumOutput: 64_000),
        Family(prefix: "claude-haiku-4-5", maximumOutput: 64_000),
        Family(prefix: "claude-opus-4-6", maximumOutput: 128_000),
        Family(prefix: "claude-sonnet-4-6", maximumOutput: 128_000),
        Family(prefix: "claude-opus-4-7", maximumOutput: 128_000),
        Family(prefix: "claude-opus-4-8", maximumOutput: 128_000, takesLaterSystemPrompts: true),
        Family(prefix: "claude-fable-5", maximumOutput: 128_000, takesLaterSystemPrompts: true),
        Family(prefix: "claude-opus-5", maximumOutput: 128_000, takesLaterSystemPrompts: true),
        Family(prefix: "claude-sonnet-5", maximumOutput: 128_000, takesLaterSystemPrompts: true),
        Family(prefix: "claude-haiku-5", maximumOutput: 128_000, takesLaterSystemPrompts: true),
        Family(prefix: "claude-", maximumOutput: 64_000),
    ]
}
