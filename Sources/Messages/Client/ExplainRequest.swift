import JSON

/// `op: explain`: how a request would be resolved, without sending it.
public struct ExplainRequest: Sendable, Equatable {
    /// Its purpose and actor.
    public var mandate: Mandate
    /// The model that it would name.
    public var model: String?
    /// A prompt (a chain is resolved like one), or a request for embeddings.
    public var operation: OpenRecord.Operation
    /// Who would ask, instead of who asks now; for an administrator.
    public var identity: Identity?

    static let fields = ["id", "op", "purpose", "actor", "model", "operation", "as"]

    public init(
        mandate: Mandate = Mandate(), model: String? = nil, operation: OpenRecord.Operation = .prompt,
        identity: Identity? = nil
    ) {
        self.mandate = mandate
        self.model = model
        self.operation = operation
        self.identity = identity
    }

    init(decoding object: JSONObject) throws(MessageError) {
        try object.expectOnly(Self.fields)
        self.mandate = try Mandate(decoding: object)
        self.model = try object.optional("model")?.expectName("model")
        let operation = try object.optional("operation")?.expectString("operation") ?? "prompt"
        guard let operation = OpenRecord.Operation(rawValue: operation) else {
            throw .invalidValue("operation", "must be 'prompt' or 'embed'")
        }
        self.operation = operation
        self.identity = try object.optional("as").map(Identity.init(decoding:))
    }

    func append(to object: inout JSONObjectBuilder) {
        self.mandate.append(to: &object)
        object.add("model", ifPresent: self.model)
        if self.operation != .prompt { object.add("operation", self.operation.rawValue) }
        if let identity = self.identity { object.add("as", raw: identity.encoded) }
    }
}
