import JSON

/// What a request is for, and on whose behalf.
public struct Mandate: Sendable, Equatable {
    /// Which purpose's models, options and keys it uses.
    public var purpose: String?
    /// Whom it is for, where the caller may say so; others are their own actor.
    public var actor: String?
    /// The group of prompts that it belongs to, which has a purpose and an actor.
    public var group: ULID?

    static let fields = ["purpose", "actor", "group"]

    public init(purpose: String? = nil, actor: String? = nil, group: ULID? = nil) {
        self.purpose = purpose
        self.actor = actor
        self.group = group
    }

    /// Whether it says nothing.
    public var isEmpty: Bool { self == Mandate() }

    init(decoding object: JSONObject) throws(MessageError) {
        self.purpose = try object.optional("purpose")?.expectName("purpose")
        self.actor = try object.optional("actor")?.expectName("actor")
        self.group = try object.optional("group").map(Self.group)
    }

    static func group(_ slice: JSONSlice) throws(MessageError) -> ULID {
        guard let group = ULID(try slice.expectString("group")) else {
            throw .wrongType("group", expected: "the ULID that group_begin was answered with")
        }
        return group
    }

    func append(to object: inout JSONObjectBuilder) {
        object.add("purpose", ifPresent: self.purpose)
        object.add("actor", ifPresent: self.actor)
        object.add("group", ifPresent: self.group?.description)
    }
}
