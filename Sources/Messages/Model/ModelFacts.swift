public import JSON

/// What is known of a model: what it can do, how much it takes, and which options it has.
///
/// Absent means unknown, and unknown means that nothing is refused because of it. The members have the same names in the
/// catalogue, in bulkhead.yaml, and in every frame that describes a model (proto/config.md).
public struct ModelFacts: Sendable, Equatable {
    /// What a model can or cannot do.
    public enum Ability: String, Sendable, CaseIterable {
        /// Whether it answers prompts.
        case prompts
        /// Whether it makes embeddings.
        case embeddings
        /// Whether a JSON Schema can say what its answer looks like.
        case schema
        case tools
        /// Whether its answer can come in pieces. One that cannot is told in one piece to a client that wants a stream.
        case streaming
        /// Whether it takes what was said before.
        case conversations
        /// Whether it thinks before it answers, and takes its thoughts back.
        case reasoning
        /// Whether a system prompt may come in the middle of a conversation.
        case laterSystem = "later_system"
    }

    public var abilities: [Ability: Bool] = [:]
    /// The media types that it takes as attachments, in lower case; empty where it takes none.
    public var attachments: [String]?
    /// How many tokens fit into it, question and answer together.
    public var context: Int?
    /// How many tokens an answer may have at most.
    public var maximumOutput: Int?
    /// Its options; one that is not here does not exist.
    public var options: [ModelOption]?
    /// `false` where a request's options are not held against ``options``: the provider checks them itself, in a way of its
    /// own, or has more of them.
    public var checksOptions: Bool?

    public init() {}

    /// Whether it can do this; `nil` where that is not known.
    public func can(_ ability: Ability) -> Bool? { self.abilities[ability] }

    /// These facts, with those of `other` in the place of what it names; options are replaced and added one by one.
    public func changed(by other: ModelFacts) -> ModelFacts {
        var facts = self
        facts.abilities.merge(other.abilities) { $1 }
        facts.attachments = other.attachments ?? facts.attachments
        facts.context = other.context ?? facts.context
        facts.maximumOutput = other.maximumOutput ?? facts.maximumOutput
        facts.checksOptions = other.checksOptions ?? facts.checksOptions
        for option in other.options ?? [] {
            if let place = facts.options?.firstIndex(where: { $0.name == option.name }) {
                facts.options?[place] = option
            } else {
                facts.options = (facts.options ?? []) + [option]
            }
        }
        return facts
    }

    /// What a provider works with. Options are the supervisor's to check, before a provider hears of them.
    var withoutOptions: ModelFacts {
        var facts = self
        facts.options = nil
        facts.checksOptions = nil
        return facts
    }

    // MARK: JSON

    /// The members, as they stand beside a model's id. Where there are no facts there are none.
    public var members: [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        for ability in Ability.allCases {
            if let value = self.abilities[ability] { members.append(.init(ability.rawValue, .bool(value))) }
        }
        if let types = self.attachments { members.append(.init("attachments", .array(types.map(JSONValue.string)))) }
        if let context = self.context { members.append(.init("context", .integer(context))) }
        if let output = self.maximumOutput { members.append(.init("max_output", .integer(output))) }
        if let options = self.options {
            members.append(.init("options", .object(options.map { .init($0.name, $0.value) })))
        }
        if let checks = self.checksOptions { members.append(.init("checks_options", .bool(checks))) }
        return members
    }

    /// Reads the members of `value` that are facts, and no others.
    public init(decoding value: JSONValue) throws(MessageError) {
        for ability in Ability.allCases {
            guard let member = value[ability.rawValue] else { continue }
            guard let flag = member.bool else { throw .wrongType(ability.rawValue, expected: "true or false") }
            self.abilities[ability] = flag
        }
        if let types = value["attachments"] {
            guard let elements = types.array, elements.allSatisfy({ $0.string != nil }) else {
                throw .wrongType("attachments", expected: "an array of media types")
            }
            self.attachments = elements.compactMap(\.string)
        }
        self.context = try Self.count("context", in: value)
        self.maximumOutput = try Self.count("max_output", in: value)
        if let options = value["options"] {
            guard let members = options.members else { throw .wrongType("options", expected: "an object") }
            self.options = try members.map { member throws(MessageError) in try ModelOption(decoding: member) }
        }
        self.checksOptions = value["checks_options"]?.bool
    }

    private static func count(_ name: String, in value: JSONValue) throws(MessageError) -> Int? {
        guard let member = value[name] else { return nil }
        guard let count = member.integer, (1...Int(Int32.max)).contains(count) else {
            throw .wrongType(name, expected: "a number of tokens")
        }
        return count
    }
}
