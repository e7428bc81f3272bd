public import Messages

/// The providers that a worker of this version can be.
public enum ProviderRegistry {
    /// Makes one slot's provider.
    ///
    /// - Throws: A sentence that says what the settings lack.
    public static func makeProvider(
        _ settings: ProviderSettings, in environment: ProviderEnvironment
    ) throws(UnusableSettings) -> any Provider {
        switch settings.kind {
        case .echo: Echo(settings, in: environment)
        case .openAI: try HTTPProvider<OpenAI>(settings, in: environment)
        case .anthropic: try HTTPProvider<Anthropic>(settings, in: environment)
        case .gemini: try HTTPProvider<Gemini>(settings, in: environment)
        case .openAICompatible, .ollama, .llamaCpp, .vLLM, .lmStudio, .groq, .mistral, .openRouter, .deepSeek,
            .cerebras,
            .xAI:
            try HTTPProvider<ChatCompletions>(settings, in: environment)
        case .echoFault: EchoFault(settings, in: environment)
        }
    }
}

/// Settings with which a provider cannot work.
public struct UnusableSettings: Error, Equatable, CustomStringConvertible {
    public var description: String
    public init(_ description: String) { self.description = description }
}
