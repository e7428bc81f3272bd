public import JSON

/// One message of a conversation, as llm writes them: `{"role":"user","parts":[{"type":"text","text":"…"}]}`.
public struct ModelMessage: Sendable, Equatable {
    public enum Role: String, Sendable, CaseIterable {
        case system, user, assistant, tool
    }

    public var role: Role
    public var parts: [MessagePart]
    /// What the provider wants to see again with the message, an object of objects by the provider's name.
    public var providerMetadata: JSONValue?

    public init(_ role: Role, _ parts: [MessagePart], providerMetadata: JSONValue? = nil) {
        self.role = role
        self.parts = parts
        self.providerMetadata = providerMetadata
    }

    /// A message of one text.
    public init(_ role: Role, text: String) { self.init(role, [MessagePart(.text(text))]) }

    public init(_ value: JSONValue) throws(MessageError) {
        guard let name = value["role"]?.string else { throw .wrongType("messages", expected: Self.expectation) }
        guard let role = Role(rawValue: name) else {
            throw .invalidValue(
                "messages", "the role '\(name.truncated(toUTF8Length: 64))' is none of system, user, assistant, tool")
        }
        guard let parts = value["parts"]?.array else { throw .wrongType("messages", expected: Self.expectation) }
        self.role = role
        self.parts = try parts.map { part throws(MessageError) in try MessagePart(part) }
        self.providerMetadata = try value.metadata("messages")
    }

    private static let expectation = "an array of messages, each with a role and parts"

    /// Reads a JSON array of messages.
    public static func list(_ value: JSONValue) throws(MessageError) -> [ModelMessage] {
        guard let elements = value.array else { throw .wrongType("messages", expected: Self.expectation) }
        return try elements.map { element throws(MessageError) in try ModelMessage(element) }
    }

    /// The texts of its text parts, joined.
    public var text: String {
        self.parts.reduce(into: "") { text, part in
            if case .text(let more) = part.content { text += more }
        }
    }

    /// The message as JSON, in llm's order of members.
    public var value: JSONValue {
        var members: [JSONValue.Member] = [
            .init("role", .string(self.role.rawValue)), .init("parts", .array(self.parts.map(\.value))),
        ]
        if let metadata = self.providerMetadata { members.append(.init("provider_metadata", metadata)) }
        return .object(members)
    }
}
