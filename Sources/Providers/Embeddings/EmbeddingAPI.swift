import JSON
import Messages

/// How an API over HTTP is asked for embeddings, and how it answers. The exchange itself is ``HTTPProvider``'s.
protocol EmbeddingAPI {
    /// What a batch of `request` is on the wire.
    ///
    /// - Throws: ``RequestEnd`` for options that cannot be.
    static func call(
        _ request: EmbeddingRequest, _ texts: ArraySlice<String>, to kind: ProviderSettings.Kind
    ) throws(RequestEnd) -> APICall

    /// Reads the answer to a batch of so many texts.
    ///
    /// - Throws: `provider_invalid_response` unless it has exactly one vector for each of them.
    static func read(_ answer: JSONObject, count: Int) throws(RequestEnd) -> EmbeddingBatch
}

/// What a provider answered to one batch.
struct EmbeddingBatch {
    /// In the order of the texts, each as ``EmbeddingText/vector(_:)`` makes it.
    var vectors: [[UInt8]]
    var usage: Usage?
    /// The model that answered, as the provider names it.
    var resolvedModel: String?

    /// The elements of the array that has one for each text.
    static func elements(_ slice: JSONSlice?, _ name: String, count: Int) throws(RequestEnd) -> [JSONSlice] {
        guard let elements = slice?.elements else { throw .invalidResponse("it has no array '\(name)'") }
        guard elements.count == count else {
            throw .invalidResponse("it has \(elements.count) vectors for \(count) texts")
        }
        return elements
    }

    static func vector(_ slice: JSONSlice?, _ name: String, number: Int) throws(RequestEnd) -> [UInt8] {
        guard let vector = slice.flatMap(EmbeddingText.vector) else {
            throw .invalidResponse("'\(name)' of its vector \(number) is no array of numbers")
        }
        return vector
    }
}
