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

    /// What a provider of type `gemini` serves unless its `models` say otherwise.
    static let gemini = [
        "gemini-flash-latest", "gemini-flash-lite-latest", "gemini-2.5-flash", "gemini-3-flash-preview",
        "gemini-3.1-pro-preview", "gemini-3.1-flash-lite", "gemini-3.5-flash", "gemini-3.5-flash-lite",
        "gemini-3.6-flash", "gemini-3.7-flash", "gemini-3.8-flash", "gemini-4-argon",
    ]
    static let geminiBaseURL = "https://generativelanguage.googleapis.com/v1beta"
    static let geminiKeyName = "GEMINI_API_KEY"

    static let echo = [ModelDescription(id: "echo"), ModelDescription(id: "echo-needs-key", needsKey: true)]
    /// The variable that llm-echo reads.
    static let echoKeyName = "LLM_ECHO_NEEDS_KEY_KEY"

    static let echoFault = [ModelDescription(id: "echo-fault")]
}
