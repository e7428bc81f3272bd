/// What is known of a type of provider over HTTP: where it is, where its key comes from, which models it has, and, where it speaks
/// chat completions, in what it differs from OpenAI's own.
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
    /// The models that need no configuration; none where only its operator knows them.
    public var models: [ModelDescription] = []
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
        kind: .openAI, title: "OpenAI", baseURL: "https://api.openai.com/v1", keyName: "OPENAI_API_KEY",
        models: .named([
            "gpt-4o-mini", "gpt-4o", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", "o4-mini", "gpt-5", "gpt-5-mini",
            "gpt-5-nano",
            "gpt-5.6-luna", "text-embedding-3-small", "text-embedding-3-large",
        ]))

    public static let all: [ProviderPreset] = [
        .openAI,
        ProviderPreset(
            kind: .anthropic, title: "Anthropic", baseURL: "https://api.anthropic.com", keyName: "ANTHROPIC_API_KEY",
            models: .named([
                "claude-fable-5", "claude-opus-5", "claude-sonnet-5",
            ])
                + .withDots([
                    "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-fable-5-1", "claude-opus-4-8",
                    "claude-opus-4-7", "claude-opus-4-6", "claude-sonnet-4-6", "claude-opus-4-5", "claude-sonnet-4-5",
                    "claude-haiku-4-5",
                ])),
        ProviderPreset(
            kind: .gemini, title: "Google Gemini", baseURL: "https://generativelanguage.googleapis.com/v1beta",
            keyName: "GEMINI_API_KEY",
            models: .named([
                "gemini-flash-latest", "gemini-flash-lite-latest", "gemini-2.5-flash", "gemini-3-flash-preview",
                "gemini-3.1-pro-preview", "gemini-3.1-flash-lite", "gemini-3.5-flash", "gemini-3.5-flash-lite",
                "gemini-3.6-flash", "gemini-3.7-flash", "gemini-3.8-flash", "gemini-4-argon", "gemini-embedding-001",
            ])),
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
            kind: .groq, title: "Groq", baseURL: "https://api.groq.com/openai/v1", keyName: "GROQ_API_KEY",
            models: .named(["llama-3.3-70b-versatile", "openai/gpt-oss-120b", "openai/gpt-oss-20b"])),
        ProviderPreset(
            kind: .mistral, title: "Mistral", baseURL: "https://api.mistral.ai/v1", keyName: "MISTRAL_API_KEY",
            models: .named([
                "mistral-large-latest", "mistral-medium-latest", "mistral-small-latest", "codestral-latest",
            ]),
            quirks: Quirks(
                takesStreamOptions: false,
                optionNames: ["max_completion_tokens": "max_tokens", "seed": "random_seed"])),
        ProviderPreset(
            kind: .openRouter, title: "OpenRouter", baseURL: "https://openrouter.ai/api/v1",
            keyName: "OPENROUTER_API_KEY", models: .named(["openrouter/auto"]),
            quirks: Quirks(
                headers: [Header(name: "x-title", value: "Bulkhead")],
                reasoning: Reasoning(field: "reasoning", detailsField: "reasoning_details"))),
        ProviderPreset(
            kind: .deepSeek, title: "DeepSeek", baseURL: "https://api.deepseek.com", keyName: "DEEPSEEK_API_KEY",
            models: .named(["deepseek-chat", "deepseek-reasoner"]),
            quirks: Quirks(
                optionNames: ["max_completion_tokens": "max_tokens"],
                reasoning: Reasoning(field: "reasoning_content", isForToolCallsOnly: true))),
        ProviderPreset(
            kind: .cerebras, title: "Cerebras", baseURL: "https://api.cerebras.ai/v1", keyName: "CEREBRAS_API_KEY",
            models: .named(["gpt-oss-120b"]), quirks: Quirks(reasoning: Reasoning(field: "reasoning"))),
        ProviderPreset(
            kind: .xAI, title: "xAI", baseURL: "https://api.x.ai/v1", keyName: "XAI_API_KEY", models: .named(["grok-4"])
        ),
    ]
}

extension [ModelDescription] {
    fileprivate static func named(_ ids: [String]) -> [ModelDescription] { ids.map { ModelDescription(id: $0) } }

    /// Ids that end in a version of two numbers; llm writes them with a dot, and so may a request.
    fileprivate static func withDots(_ ids: [String]) -> [ModelDescription] {
        ids.map { id in
            let dash = id.lastIndex(of: "-")!
            return ModelDescription(id: id, aliases: [id[..<dash] + "." + id[id.index(after: dash)...]])
        }
    }
}
