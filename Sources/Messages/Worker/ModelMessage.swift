public import JSON

/// One message of a conversation, as llm writes them: `{"role":"user","parts":[{"type":"text","text":"…"}]}`.
public struct ModelMessage: Sendable, Equatable {
    /// `system`, `user`, `assistant` or `tool`.
    public var role: String
    /// Each an object with a `type`: `text`, `reasoning`, `tool_call`, `tool_result` or `attachment`.
    public var parts: [JSONValue]
    /// What the provider wants to see again with the message, an object, where there is anything.
    public var providerMetadata: JSONValue?

    public init(role: String, parts: [JSONValue], providerMetadata: JSONValue? = nil) {
        self.role = role
        self.parts = parts
        self.providerMetadata = providerMetadata
    }

    /// A message of one text.
    public init(role: String, text: String) {
        self.init(role: role, parts: [.object([.init("type", .string("text")), .init("text", .string(text))])])
    }

    init(_ value: JSONValue) throws(MessageError) {
        guard let role = value["role"]?.string, let parts = value["parts"]?.array else {
            throw .wrongType("messages", expected: "an array of messages")
        }
        self.init(role: role, parts: parts, providerMetadata: value["provider_metadata"])
    }

    /// The texts of its text parts, joined.
    public var text: String {
        self.parts.filter { $0["type"]?.string == "text" }.compactMap { $0["text"]?.string }.joined()
    }

    /// The message as JSON, in llm's order of members.
    public var value: JSONValue {
        var members: [JSONValue.Member] = [.init("role", .string(self.role)), .init("parts", .array(self.parts))]
        if let metadata = self.providerMetadata { members.append(.init("provider_metadata", metadata)) }
        return .object(members)
    }
}
