import JSON
import Messages

/// What has been read of a `GenerateContentResponse`, whole or in pieces.
struct GeminiAnswer: ProviderAnswer {
    private(set) var usage: Usage?
    private(set) var finishReason: String?
    private(set) var resolvedModel: String?
    private var parts: GeminiPartReader
    private var hasCandidate = false
    /// Where the answer comes from, the last that was said of each kind.
    private var sources: [JSONValue.Member] = []

    /// How long the sources may be together, in bytes; longer ones are left out. Nobody needs them to go on.
    private static let sourcesBound = 64 << 10

    init(_ context: AnswerContext) {
        self.parts = GeminiPartReader(newIdentifier: context.newIdentifier)
    }

    var flaw: String? {
        guard self.finishReason == "MAX_TOKENS" else { return nil }
        return "it ended at the limit of tokens; raise max_output_tokens, of which the model's thoughts are a part"
    }

    /// Reads a body that is one response, or an array of those that a stream would have had.
    mutating func readWhole(_ value: JSONValue, into output: AnswerOutput, key: String?) throws(RequestEnd) {
        for response in value.array ?? [value] { try self.read(response, into: output, key: key) }
        guard self.hasCandidate else { throw .invalidResponse("it has no candidates") }
        if value.array != nil { try self.expectComplete() }
    }

    mutating func read(_ event: ServerSentEvent, into output: AnswerOutput, key: String?) throws(RequestEnd) -> Bool {
        guard !event.data.isEmpty else { return true }
        try self.read(try ProviderJSON.value(event.data, key: key), into: output, key: key)
        return true
    }

    func expectComplete() throws(RequestEnd) {
        guard self.hasCandidate else { throw .invalidResponse("its stream has no candidates") }
        guard self.finishReason != nil else { throw .invalidResponse("its stream ended before the answer did") }
    }

    mutating func finish(into output: AnswerOutput) throws(RequestEnd) {
        let sources = GeminiMetadata.value(self.sources)
        guard !self.sources.isEmpty, sources.serialized().count <= Self.sourcesBound else { return }
        try output.metadata(PartMetadata(.message, sources))
    }

    private mutating func read(_ value: JSONValue, into output: AnswerOutput, key: String?) throws(RequestEnd) {
        guard value.members != nil else { throw .invalidResponse("it is no JSON object") }
        if let model = value["modelVersion"]?.string, !model.isEmpty {
            self.resolvedModel = model.hasPrefix("models/") ? String(model.dropFirst(7)) : model
        }
        if let usage = value["usageMetadata"].flatMap(Usage.init(gemini:)) { self.usage = usage }
        if let error = value["error"], !error.isNull { throw .failed(ProviderFailure.inAnswer(value, key: key)) }
        if let failure = value["promptFeedback"].flatMap(GeminiEnd.blockedPrompt) { throw .failed(failure) }
        // An answer has one candidate.
        guard let candidate = value["candidates"]?.array?.first(where: { ($0["index"]?.integer ?? 0) == 0 }) else {
            return
        }
        self.hasCandidate = true
        for part in candidate["content"]?["parts"]?.array ?? [] { try self.parts.read(part, into: output) }
        self.readSources(candidate)
        guard let reason = candidate["finishReason"]?.string, reason != "FINISH_REASON_UNSPECIFIED" else { return }
        self.finishReason = reason
        if let failure = GeminiEnd.failure(reason, of: candidate) { throw .failed(failure) }
    }

    private mutating func readSources(_ candidate: JSONValue) {
        for name in ["groundingMetadata", "urlContextMetadata"] {
            guard let value = candidate[name], value.members?.isEmpty == false else { continue }
            self.sources.removeAll { $0.name == name }
            self.sources.append(.init(name, value))
        }
    }
}
