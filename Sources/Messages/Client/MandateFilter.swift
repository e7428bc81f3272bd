import JSON

/// Which requests on record are wanted, by what they were for and who asked them.
public struct MandateFilter: Sendable, Equatable {
    public var purpose: String?
    public var actor: String?
    /// By its name in the configuration of that time.
    public var caller: String?
    /// The group of prompts.
    public var group: ULID?

    static let fields = ["purpose", "actor", "caller", "group"]

    public init(purpose: String? = nil, actor: String? = nil, caller: String? = nil, group: ULID? = nil) {
        self.purpose = purpose
        self.actor = actor
        self.caller = caller
        self.group = group
    }

    /// Whether everything is wanted.
    public var isEmpty: Bool { self == MandateFilter() }

    init(decoding object: JSONObject) throws(MessageError) {
        let mandate = try Mandate(decoding: object)
        (self.purpose, self.actor, self.group) = (mandate.purpose, mandate.actor, mandate.group)
        self.caller = try object.optional("caller")?.expectName("caller")
    }

    func append(to object: inout JSONObjectBuilder) {
        Mandate(purpose: self.purpose, actor: self.actor, group: self.group).append(to: &object)
        object.add("caller", ifPresent: self.caller)
    }
}
