public import JSON

/// A model that a provider serves.
public struct ModelDescription: Sendable, Equatable {
    public var id: String
    /// Other names that work wherever the id does.
    public var aliases: [String]
    /// Whether a request for it must carry a key.
    public var needsKey: Bool
    public var facts: ModelFacts

    public init(id: String, aliases: [String] = [], needsKey: Bool = false, facts: ModelFacts = ModelFacts()) {
        self.id = id
        self.aliases = aliases
        self.needsKey = needsKey
        self.facts = facts
    }

    public var encoded: [UInt8] { self.encoded(with: []) }

    /// As JSON, with other members before its facts.
    public func encoded(with members: [JSONValue.Member]) -> [UInt8] {
        var object = JSONObjectBuilder()
        object.add("id", self.id)
        object.add("aliases", .array(self.aliases.map(JSONValue.string)))
        object.add("needs_key", self.needsKey)
        for member in members + self.facts.members { object.add(member) }
        return object.finish()
    }

    public init(decoding value: JSONValue) throws(MessageError) {
        guard let id = value["id"]?.string, (1...ProtocolBounds.nameLength).contains(id.utf8.count),
            let aliases = value["aliases"]?.array, let needsKey = value["needs_key"]?.bool
        else { throw .wrongType("models", expected: "an array of {id, aliases, needs_key}") }
        self.id = id
        self.aliases = aliases.compactMap(\.string)
        self.needsKey = needsKey
        self.facts = try ModelFacts(decoding: value)
    }

    static func list(decoding slice: JSONSlice) throws(MessageError) -> [ModelDescription] {
        try slice.expectArray("models").map { value throws(MessageError) in try ModelDescription(decoding: value) }
    }
}
