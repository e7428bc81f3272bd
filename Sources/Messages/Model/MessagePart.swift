public import JSON

/// A part of a message, as llm writes them (its parts.py).
public struct MessagePart: Sendable, Equatable {
    public enum Content: Sendable, Equatable {
        case text(String)
        /// What the model says of its reasoning; empty and redacted where the provider keeps it to itself.
        case reasoning(String, isRedacted: Bool = false)
        case attachment(Attachment)
        case toolCall(ToolCall)
        case toolResult(ToolResult)

        /// What is shown with the part.
        public var attachments: [Attachment] {
            switch self {
            case .attachment(let attachment): [attachment]
            case .toolResult(let result): result.attachments
            case .text, .reasoning, .toolCall: []
            }
        }
    }

    public var content: Content
    /// What the provider wants to see again with the part (a signature, an item's id), an object of objects by the
    /// provider's name.
    public var providerMetadata: JSONValue?

    public init(_ content: Content, providerMetadata: JSONValue? = nil) {
        self.content = content
        self.providerMetadata = providerMetadata
    }

    /// What the part is called: its `type`.
    public var type: String {
        switch self.content {
        case .text: "text"
        case .reasoning: "reasoning"
        case .attachment: "attachment"
        case .toolCall: "tool_call"
        case .toolResult: "tool_result"
        }
    }

    public init(_ value: JSONValue) throws(MessageError) {
        let type = value["type"]?.string
        switch type {
        case "text": self.content = .text(try value.text("text", of: "a part of type text"))
        case "reasoning":
            self.content = .reasoning(
                try value.text("text", of: "a part of type reasoning"), isRedacted: value["redacted"]?.bool ?? false)
        case "attachment":
            guard let attachment = value["attachment"] else {
                throw .invalidValue("messages", "a part of type attachment has no 'attachment'")
            }
            self.content = .attachment(try Attachment(attachment))
        case "tool_call": self.content = .toolCall(try ToolCall(part: value))
        case "tool_result": self.content = .toolResult(try ToolResult(value))
        case nil: throw .invalidValue("messages", "a part has no 'type'")
        case let other?:
            throw .invalidValue("messages", "there is no part of type '\(other.truncated(toUTF8Length: 64))'")
        }
        self.providerMetadata = try value.metadata("messages")
    }

    /// The part as JSON, in llm's order of members.
    public var value: JSONValue {
        var members: [JSONValue.Member] = [.init("type", .string(self.type))]
        switch self.content {
        case .text(let text): members.append(.init("text", .string(text)))
        case .reasoning(let text, let isRedacted):
            members.append(.init("text", .string(text)))
            if isRedacted { members.append(.init("redacted", .bool(true))) }
        case .attachment(let attachment): members.append(.init("attachment", attachment.value))
        case .toolCall(let call): members += call.partMembers
        case .toolResult(let result): members += result.members
        }
        if let metadata = self.providerMetadata { members.append(.init("provider_metadata", metadata)) }
        return .object(members)
    }
}

extension JSONValue {
    /// The text of the member `name`.
    func text(_ name: String, of owner: String) throws(MessageError) -> String {
        guard let text = self[name]?.string else { throw .invalidValue("messages", "\(owner) has no text '\(name)'") }
        return text
    }

    /// The member `provider_metadata`, an object, if it is there and holds anything.
    func metadata(_ field: String) throws(MessageError) -> JSONValue? {
        guard let metadata = self["provider_metadata"], !metadata.isNull else { return nil }
        guard let members = metadata.members else {
            throw .invalidValue(field, "'provider_metadata' must be an object")
        }
        return members.isEmpty ? nil : metadata
    }
}
