import JSON

/// `op: models`: which models there are for a purpose.
public struct ModelsRequest: Sendable, Equatable {
    /// Whether the providers are asked for theirs first: all of them, or ``provider``.
    public var refresh: Bool
    public var provider: String?
    /// `nil`: for requests without a purpose.
    public var purpose: String?
    /// Whom the list is for, instead of who asks; for an administrator.
    public var identity: Identity?
    /// Whether those that cannot be asked are listed too, with the reason.
    public var all: Bool

    static let fields = ["id", "op", "refresh", "provider", "purpose", "as", "all"]

    public init(
        refresh: Bool = false, provider: String? = nil, purpose: String? = nil, identity: Identity? = nil,
        all: Bool = false
    ) {
        self.refresh = refresh
        self.provider = provider
        self.purpose = purpose
        self.identity = identity
        self.all = all
    }

    init(decoding object: JSONObject) throws(MessageError) {
        try object.expectOnly(Self.fields)
        self.refresh = try object.optional("refresh")?.expectBool("refresh") ?? false
        self.provider = try object.optional("provider")?.expectName("provider")
        if self.provider != nil, !self.refresh { throw .invalidValue("provider", "goes with 'refresh': true") }
        self.purpose = try object.optional("purpose")?.expectName("purpose")
        self.identity = try object.optional("as").map(Identity.init(decoding:))
        self.all = try object.optional("all")?.expectBool("all") ?? false
    }

    func append(to object: inout JSONObjectBuilder) {
        if self.refresh { object.add("refresh", true) }
        object.add("provider", ifPresent: self.provider)
        object.add("purpose", ifPresent: self.purpose)
        if let identity = self.identity { object.add("as", raw: identity.encoded) }
        if self.all { object.add("all", true) }
    }
}
