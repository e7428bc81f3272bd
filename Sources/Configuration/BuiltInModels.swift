import Messages

/// The models that need no configuration.
enum BuiltInModels {
    static let echo = [
        ModelDescription(id: "echo"), ModelDescription(id: "echo-needs-key", needsKey: true),
        ModelDescription(id: "echo-embed"),
    ]
    /// The variable that llm-echo reads.
    static let echoKeyName = "LLM_ECHO_NEEDS_KEY_KEY"

    static let echoFault = [ModelDescription(id: "echo-fault")]
}
