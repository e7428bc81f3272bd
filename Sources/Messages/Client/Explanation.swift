public import JSON

/// How a request would be resolved: the answer to `op: explain`. No key is in it, only the name of one.
public struct Explanation: Sendable, Equatable {
    /// Whether it would be let in.
    public var isAllowed = false
    /// Why not.
    public var refusal: Failure?
    /// The name of the entry of `callers` that the user is taken for.
    public var caller: String?
    /// Whom it would be for; `nil` where the caller is refused.
    public var actor: String?
    public var purpose: String?
    /// Whether something is configured for that purpose.
    public var isConfigured: Bool?
    /// The id of the model that would be asked first. The members down to the options are about it; where nothing is allowed,
    /// about the one that is refused, as far as it is known.
    public var model: String?
    public var provider: String?
    public var needsKey: Bool?
    /// The name of the key, where one is found.
    public var keyName: String?
    /// Where it is found: `credential`, `environment`, `store`, `llm_keys`.
    public var keySource: String?
    /// The options that it gets where the request does not say otherwise, a JSON object.
    public var options: [UInt8]?
    /// The ids of the models that would answer in its place, in order.
    public var fallbacks: [String] = []
    /// The models that come before ``model`` and cannot be asked now.
    public var passedOver: [PassedOver] = []
    /// The caller's limits; `nil`: as many as there are.
    public var maximumConnections: Int?
    public var maximumRequests: Int?

    /// A model that would be passed over, and why.
    public struct PassedOver: Sendable, Equatable {
        public var model: String
        public var failure: Failure

        public init(model: String, failure: Failure) {
            self.model = model
            self.failure = failure
        }
    }

    public init(purpose: String? = nil, isConfigured: Bool? = nil) {
        self.purpose = purpose
        self.isConfigured = isConfigured
    }

    public var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        object.add("allowed", self.isAllowed)
        if let refusal = self.refusal { object.add("refusal", raw: refusal.encoded) }
        object.add("caller", ifPresent: self.caller)
        object.add("actor", ifPresent: self.actor)
        object.add("purpose", ifPresent: self.purpose)
        if let isConfigured = self.isConfigured { object.add("configured", isConfigured) }
        object.add("model", ifPresent: self.model)
        object.add("provider", ifPresent: self.provider)
        if let needsKey = self.needsKey { object.add("needs_key", needsKey) }
        object.add("key_name", ifPresent: self.keyName)
        object.add("key_source", ifPresent: self.keySource)
        if let options = self.options { object.add("options", raw: options) }
        object.add("fallbacks", .array(self.fallbacks.map(JSONValue.string)))
        if !self.passedOver.isEmpty { object.add("passed_over", rawElements: self.passedOver.map(\.encoded)) }
        object.add("max_connections", ifPresent: self.maximumConnections)
        object.add("max_requests", ifPresent: self.maximumRequests)
        return object.finish()
    }

    public init(decoding value: JSONValue) throws(MessageError) {
        guard let isAllowed = value["allowed"]?.bool else { throw .wrongType("allowed", expected: "true or false") }
        self.isAllowed = isAllowed
        self.refusal = try value["refusal"].map(Failure.read)
        self.caller = value["caller"]?.string
        self.actor = value["actor"]?.string
        self.purpose = value["purpose"]?.string
        self.isConfigured = value["configured"]?.bool
        self.model = value["model"]?.string
        self.provider = value["provider"]?.string
        self.needsKey = value["needs_key"]?.bool
        self.keyName = value["key_name"]?.string
        self.keySource = value["key_source"]?.string
        self.options = value["options"].flatMap { $0.members == nil ? nil : $0.serialized() }
        self.fallbacks = value["fallbacks"]?.strings ?? []
        self.passedOver = try (value["passed_over"]?.array ?? []).map { element throws(MessageError) in
            guard let model = element["model"]?.string, let error = element["error"] else {
                throw .wrongType("passed_over", expected: "an array of {model, error}")
            }
            return PassedOver(model: model, failure: try Failure.read(error))
        }
        self.maximumConnections = value["max_connections"]?.integer
        self.maximumRequests = value["max_requests"]?.integer
    }
}

extension Explanation.PassedOver {
    fileprivate var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        object.add("model", self.model)
        object.add("error", raw: self.failure.encoded)
        return object.finish()
    }
}

extension Failure {
    fileprivate static func read(_ value: JSONValue) throws(MessageError) -> Failure {
        guard let code = value["code"]?.string.flatMap(ErrorCode.init), let message = value["message"]?.string else {
            throw .wrongType("error", expected: "an object {code, message}")
        }
        return Failure(
            code, message, retryAfterMilliseconds: value["retry_after_ms"]?.integer,
            providerRequestID: value["provider_request_id"]?.string)
    }
}
