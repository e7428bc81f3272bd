public import JSON

/// One request for embeddings, as a slot runs it.
public struct EmbeddingRequest: Sendable, Equatable {
    public var request: ULID
    public var model: String
    /// The texts, in the order of the vectors that are wanted.
    public var input: [String]
    /// The options in the order in which the client gave them.
    public var options: [JSONValue.Member]
    public var key: String?

    public init(
        request: ULID, model: String, input: [String], options: [JSONValue.Member] = [], key: String? = nil
    ) {
        self.request = request
        self.model = model
        self.input = input
        self.options = options
        self.key = key
    }

    init(decoding object: JSONObject) throws(MessageError) {
        self.request = try ULID(decoding: try object.require("request"))
        self.model = try object.require("model").expectString("model")
        guard let elements = try object.require("input").elements, !elements.isEmpty else {
            throw .wrongType("input", expected: "an array of strings")
        }
        self.input = try elements.map { element throws(MessageError) in try element.expectString("input") }
        self.options = object.optional("options")?.value.members ?? []
        self.key = try object.optional("key")?.expectString("key")
    }
}

extension SlotRequest {
    /// The frame that runs a client's request for embeddings.
    ///
    /// - Parameter key: The provider's key, which travels nowhere else.
    public static func encodeEmbed(_ embed: EmbedRequest, request: ULID, model: String, key: String?) -> [UInt8] {
        var object = JSONObjectBuilder(minimumCapacity: embed.input.count + (embed.options?.count ?? 0) + 256)
        object.add("op", "embed")
        object.add("request", request.description)
        object.add("model", model)
        object.add("input", raw: embed.input)
        if let options = embed.options { object.add("options", raw: options) }
        object.add("key", ifPresent: key)
        return object.finish()
    }
}
