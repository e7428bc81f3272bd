public import JSON
public import Messages

/// A model that the daemon offers.
public struct Model: Equatable, Sendable {
    public var id: String
    /// Other names that work wherever the id does.
    public var aliases: [String]
    /// The name of the provider that serves it.
    public var provider: String
    /// Whether a request for it needs a key.
    public var needsKey: Bool
    /// Whether it answers requests that name no model.
    public var isDefault: Bool
    /// Whether it can be asked now, for the purpose that the list is about.
    public var isAvailable: Bool
    /// Why not.
    public var reason: String?
    /// What is known of it.
    public var facts: ModelFacts
    /// The whole description, as it came.
    public var json: JSONValue

    init(decoding value: JSONValue) throws(ClientError) {
        let members = AnswerMembers(value, of: "models")
        self.id = try members.text("id")
        self.aliases = try members.array("aliases").compactMap(\.string)
        self.provider = try members.text("provider")
        self.needsKey = try members.bool("needs_key")
        self.isDefault = try members.bool("default")
        self.isAvailable = value["available"]?.bool ?? true
        self.reason = members.optionalDescription("reason")
        do throws(MessageError) { self.facts = try ModelFacts(decoding: value) } catch {
            throw .protocolViolation("'models': \(error)")
        }
        self.json = value
    }

    static func list(decoding value: JSONValue) throws(ClientError) -> [Model] {
        guard let elements = value.array else { throw .protocolViolation("'models' is not an array") }
        var models: [Model] = []
        for element in elements { models.append(try Model(decoding: element)) }
        return models
    }
}

/// Reads the members of an answer; what is missing or has another type is the daemon's fault, and members that are not known
/// are ignored.
struct AnswerMembers {
    private let value: JSONValue
    private let name: String

    init(_ value: JSONValue, of name: String) {
        self.value = value
        self.name = name
    }

    func text(_ member: String) throws(ClientError) -> String { try self.require(member, self.value[member]?.string) }
    func integer(_ member: String) throws(ClientError) -> Int { try self.require(member, self.value[member]?.integer) }
    func bool(_ member: String) throws(ClientError) -> Bool { try self.require(member, self.value[member]?.bool) }
    func array(_ member: String) throws(ClientError) -> [JSONValue] {
        try self.require(member, self.value[member]?.array)
    }

    func object(_ member: String) throws(ClientError) -> AnswerMembers {
        let value = try self.require(member, self.value[member].flatMap { $0.members == nil ? nil : $0 })
        return AnswerMembers(value, of: "\(self.name).\(member)")
    }

    /// An integer, or `nil` where the member is absent or null.
    func optionalInteger(_ member: String) -> Int? { self.value[member]?.integer }

    /// Whether the member is there and true.
    func isTrue(_ member: String) -> Bool { self.value[member]?.bool ?? false }

    /// A string as it is, another value as JSON; `nil` where the member is absent or null.
    func optionalDescription(_ member: String) -> String? {
        guard let value = self.value[member], !value.isNull else { return nil }
        return value.string ?? value.text()
    }

    private func require<Value>(_ member: String, _ value: Value?) throws(ClientError) -> Value {
        guard let value else { throw .protocolViolation("'\(self.name).\(member)' is missing or of another type") }
        return value
    }
}
