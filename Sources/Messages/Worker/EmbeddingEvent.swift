import JSON

/// What a slot writes while it makes embeddings (proto/worker.md). One that fails ends with ``SlotEvent/error(_:usage:)``.
public enum EmbeddingEvent: Sendable, Equatable {
    /// A batch is done, and the next one is asked for.
    case progress
    /// The last event of a request that succeeded.
    case done(EmbeddingCompletion)

    public var encoded: [UInt8] {
        switch self {
        case .progress:
            return SlotProgress.encoded
        case .done(let completion):
            var object = JSONObjectBuilder(minimumCapacity: completion.embeddings.count + 512)
            object.add("event", "done")
            if let usage = completion.usage { object.add("usage", raw: usage.encoded) }
            object.add("provider_request_id", ifPresent: completion.providerRequestID)
            object.add("resolved_model", ifPresent: completion.resolvedModel)
            object.add("embeddings", raw: completion.embeddings)
            return object.finish()
        }
    }
}

/// The end of a request for embeddings that succeeded.
public struct EmbeddingCompletion: Sendable, Equatable {
    /// The vectors in the order of the texts, as a JSON array (``EmbeddingText``).
    public var embeddings: [UInt8]
    /// Of all batches together.
    public var usage: Usage?
    /// The provider's name for the last batch.
    public var providerRequestID: String?
    /// The model that answered, where the provider names another than was asked for.
    public var resolvedModel: String?

    public init(
        embeddings: [UInt8] = Array("[]".utf8), usage: Usage? = nil, providerRequestID: String? = nil,
        resolvedModel: String? = nil
    ) {
        self.embeddings = embeddings
        self.usage = usage
        self.providerRequestID = providerRequestID?.truncated(toUTF8Length: 128)
        self.resolvedModel = resolvedModel?.truncated(toUTF8Length: ProtocolBounds.nameLength)
    }
}

extension SlotEventEnvelope {
    private static let embeddingFields = ["event", "usage", "provider_request_id", "resolved_model", "embeddings"]

    /// Reads an event of a request for embeddings.
    ///
    /// - Parameter count: How many texts there are, each of which is owed a vector.
    public init(decoding bytes: [UInt8], embeddingsOf count: Int) throws(MessageError) {
        let object = try JSONObject.internalMessage(bytes, bounds: .embeddings)
        switch try object.require("event").expectString("event") {
        case "progress":
            try object.expectOnly(["event"])
            self.init(.progress, bytes)
        case "done":
            try object.expectOnly(Self.embeddingFields)
            guard EmbeddingText.count(try object.require("embeddings")) == count else {
                throw .wrongType("embeddings", expected: "\(count) arrays of numbers")
            }
            self.init(.done(try SlotOutcome(decoding: object)), bytes)
        case "error":
            try object.expectOnly(Self.errorFields)
            self.init(try Self.error(object), bytes)
        case let name:
            throw .invalidValue("event", "'\(name.truncated(toUTF8Length: 64))' is not known")
        }
    }
}
