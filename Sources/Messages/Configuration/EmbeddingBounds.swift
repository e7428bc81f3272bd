/// How much one request to a provider for embeddings may hold. What is more becomes several requests.
public struct EmbeddingBounds: Sendable, Equatable {
    /// How many texts.
    public var inputs: Int
    /// How long they may be together, in bytes of UTF-8. No text has more tokens than bytes, so a provider's limit in tokens
    /// is kept by as many bytes. A text that is longer goes alone, and the provider says what it thinks of that.
    public var bytes: Int

    public init(inputs: Int, bytes: Int) {
        self.inputs = inputs
        self.bytes = bytes
    }

    /// For a server of which nothing is known: few enough texts that it answers in time without a GPU.
    public static let cautious = EmbeddingBounds(inputs: 64, bytes: 256 << 10)
}

extension ProviderSettings.Kind {
    /// How much one request for embeddings may hold; `nil` for a type of provider that has none.
    public var embeddings: EmbeddingBounds? {
        switch self {
        // They make all at once.
        case .echo, .echoFault: EmbeddingBounds(inputs: ProtocolBounds.embedInputs, bytes: ProtocolBounds.clientFrame)
        case .openAI: EmbeddingBounds(inputs: 2048, bytes: 300_000)
        case .gemini: EmbeddingBounds(inputs: 100, bytes: 1 << 20)
        case .mistral: EmbeddingBounds(inputs: 512, bytes: 16_384)
        case .openAICompatible, .ollama, .llamaCpp, .vLLM, .lmStudio, .openRouter: .cautious
        case .anthropic, .groq, .deepSeek, .cerebras, .xAI: nil
        }
    }
}
