/// What is known of a type of provider over HTTP: where it is, where its key comes from, and, where it speaks chat completions, in
/// what it differs from OpenAI's own. Its models are in the catalogue (models.json).
///
/// One more such provider is one case of ``ProviderSettings/Kind`` and one line of ``all``.
public struct ProviderPreset: Sendable, Equatable {
    public var kind: ProviderSettings.Kind
    /// What people call it.
    public var title: String
    /// Where its API begins, without a slash at its end.
    public var baseURL: String
    /// The environment variable of its key; `nil` for a server on one's own machine, which asks for none.
    public var keyName: String?
    public var quirks = Quirks()

    /// In what an API of chat completions differs from OpenAI's.
    public struct Quirks: Sendable, Equatable {
        /// Sent with every request, beside those that every provider gets.
        public var headers: [Header]
        /// Whether it must be asked for the usage of a streamed answer. Some say it unasked, and refuse the field.
        public var takesStreamOptions: Bool
        /// The provider's names for options of OpenAI's.
        public var optionNames: [String: String]
        /// Where the reasoning of earlier answers goes; `nil` where it stays here.
        public var reasoning: Reasoning?

        public init(
            headers: [Header] = [], takesStreamOptions: Bool = true, optionNames: [String: String] = [:],
            reasoning: Reasoning? = nil
        ) {
            self.headers = headers
            self.takesStreamOptions = takesStreamOptions
            self.optionNames = optionNames
            self.reasoning = reasoning
        }
    }

    public struct Header: Sendable, Equatable {
        public var name: String
        public var value: String
    }

    /// How reasoning goes back to the provider that wrote it.
    public struct Reasoning: Sendable, Equatable {
        /// The field of the message.
        public var field: String
        /// Whether only messages with tool calls have it. They have it then even where there was no reasoning.
        public var isForToolCallsOnly = false
        /// The field of what the provider calls details of its reasoning (signatures among them), which go back unchanged.
        public var detailsField: String?
    }

    public static func of(_ kind: ProviderSettings.Kind) -> ProviderPreset? { Self.all.first { $0.kind == kind } }

    public static let openAI = ProviderPreset(
        kind: .openAI, title: "OpenAI", baseURL: "https://api.openai.com/v1", keyName: "OPENAI_API_KEY")

    public static let all: [ProviderPreset] = [
        .openAI,
        ProviderPreset(
            kind: .anthropic, title: "Anthropic", baseURL: "https://api.anthropic.com", keyName: "ANTHROPIC_API_KEY"),
        ProviderPreset(
            kind: .gemini, title: "Google Gemini", baseURL: "https://generativelanguage.googleapis.com/v1beta",
            keyName: "GEMINI_API_KEY"),
        ProviderPreset(
            kind: .ollama, title: "Ollama", baseURL: "http://127.0.0.1:11434/v1",
            quirks: Quirks(
                optionNames: ["max_completion_tokens": "max_tokens"], reasoning: Reasoning(field: "reasoning"))),
        ProviderPreset(
            kind: .llamaCpp, title: "llama.cpp's server", baseURL: "http://127.0.0.1:8080/v1",
            quirks: Quirks(reasoning: Reasoning(field: "reasoning_content"))),
        ProviderPreset(kind: .vLLM, title: "vLLM", baseURL: "http://127.0.0.1:8000/v1"),
        ProviderPreset(kind: .lmStudio, title: "LM Studio", baseURL: "http://127.0.0.1:1234/v1"),
        ProviderPreset(
            kind: .groq, title: "Groq", baseURL: "https://api.groq.com/openai/v1", keyName: "GROQ_API_KEY"),
        ProviderPreset(
            kind: .mistral, title: "Mistral", baseURL: "https://api.mistral.ai/v1", keyName: "MISTRAL_API_KEY",
            quirks: Quirks(
                takesStreamOptions: false,
                optionNames: ["max_completion_tokens": "max_tokens", "seed": "random_seed"])),
        ProviderPreset(
            kind: .openRouter, title: "OpenRouter", baseURL: "https://openrouter.ai/api/v1",
            keyName: "OPENROUTER_API_KEY",
            quirks: Quirks(
                headers: [Header(name: "x-title", value: "Bulkhead")],
                reasoning: Reasoning(field: "reasoning", detailsField: "reasoning_details"))),
        ProviderPreset(
            kind: .deepSeek, title: "DeepSeek", baseURL: "https://api.deepseek.com", keyName: "DEEPSEEK_API_KEY",
            quirks: Quirks(
                optionNames: ["max_completion_tokens": "max_tokens"],
                reasoning: Reasoning(field: "reasoning_content", isForToolCallsOnly: true))),
        ProviderPreset(
            kind: .cerebras, title: "Cerebras", baseURL: "https://api.cerebras.ai/v1", keyName: "CEREBRAS_API_KEY",
            quirks: Quirks(reasoning: Reasoning(field: "reasoning"))),
        ProviderPreset(
            kind: .xAI, title: "xAI", baseURL: "https://api.x.ai/v1", keyName: "XAI_API_KEY"
        ),
    ]
}
