import Messages

/// The models that need no configuration.
enum BuiltInModels {
    /// What a provider named `openai` serves unless its `models` say otherwise.
    static let openAI = [
        "gpt-4o-mini", "gpt-4o", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", "o4-mini", "gpt-5", "gpt-5-mini",
        "gpt-5-nano",
        "gpt-5.6-luna",
    ]
    static let openAIBaseURL = "https://api.openai.com/v1"
    static let openAIKeyName = "OPENAI_API_KEY"

    /// What a provider of type `anthropic` serves unless its `models` say otherwise. llm knows those with a version in two
    /// numbers with a dot between them too, and so do their aliases.
    static let anthropic = [
        ("claude-opus-5-5", ["claude-opus-5.5"]), ("claude-sonnet-5-5", ["claude-sonnet-5.5"]),
        ("claude-haiku-5-5", ["claude-haiku-5.5"]), ("claude-fable-5-1", ["claude-fable-5.1"]),
        ("claude-fable-5", []), ("claude-opus-5", []), ("claude-sonnet-5", []),
        ("claude-opus-4-8", ["claude-opus-4.8"]), ("claude-opus-4-7", ["claude-opus-4.7"]),
        ("claude-opus-4-6", ["claude-opus-4.6"]), ("claude-sonnet-4-6", ["claude-sonnet-4.6"]),
        ("claude-opus-4-5", ["claude-opus-4.5"]), ("claude-sonnet-4-5", ["claude-sonnet-4.5"]),
        ("claude-haiku-4-5", ["claude-haiku-4.5"]),
    ].map { ModelDescription(id: $0.0, aliases: $0.1) }
    static let anthropicBaseURL = "https://api.anthropic.com"
    static let anthropicKeyName = "ANTHROPIC_API_KEY"

    static let echo = [ModelDescription(id: "echo"), ModelDescription(id: "echo-needs-key", needsKey: true)]
    /// The variable that llm-echo reads.
    static let echoKeyName = "LLM_ECHO_NEEDS_KEY_KEY"

    static let echoFault = [ModelDescription(id: "echo-fault")]
}
