import JSON

/// `op: group_begin`: requests of one connection that are for one purpose and one actor, and end together.
public struct GroupBeginRequest: Sendable, Equatable {
    /// What its requests are for, and on whose behalf. It is in no group itself.
    public var mandate: Mandate
    /// The model that they ask, by its id or an alias; `nil` and `""`: each may name its own.
    public var model: String?

    static let fields = ["id", "op", "purpose", "model", "actor"]

    public init(_ mandate: Mandate = Mandate(), model: String? = nil) {
        self.mandate = mandate
        self.model = model
    }

    init(decoding object: JSONObject) throws(MessageError) {
        try object.expectOnly(Self.fields)
        self.mandate = try Mandate(decoding: object)
        self.model = try object.optional("model")?.expectString("model")
        if let model = self.model, model.utf8.count > ProtocolBounds.nameLength {
            throw .invalidValue("model", "longer than \(ProtocolBounds.nameLength) bytes")
        }
    }

    func append(to object: inout JSONObjectBuilder) {
        self.mandate.append(to: &object)
        object.add("model", ifPresent: self.model)
    }
}

/// `op: group_end`: says that a group takes no more requests, and asks when those that it has are over.
public struct GroupEndRequest: Sendable, Equatable {
    public var group: ULID

    static let fields = ["id", "op", "group"]

    public init(group: ULID) { self.group = group }

    init(decoding object: JSONObject) throws(MessageError) {
        try object.expectOnly(Self.fields)
        self.group = try Mandate.group(try object.require("group"))
    }

    func append(to object: inout JSONObjectBuilder) { object.add("group", self.group.description) }
}
