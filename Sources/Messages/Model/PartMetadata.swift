public import JSON

/// What a provider wants to see again with a part of its answer, or says about it.
///
/// It belongs to the last part of its kind that the answer has so far; where the last part is of another kind, it begins one
/// that is empty. A text or a reasoning ends with it: what follows is the next part.
public struct PartMetadata: Sendable, Equatable {
    public enum Target: String, Sendable, CaseIterable {
        case text, reasoning
        case toolCall = "tool_call"
        case toolResult = "tool_result"
        /// The message as a whole.
        case message
    }

    public var target: Target
    /// An object of objects by the provider's name.
    public var providerMetadata: JSONValue?
    /// Of reasoning: that the provider keeps it to itself.
    public var isRedacted: Bool

    public init(_ target: Target, _ providerMetadata: JSONValue?, isRedacted: Bool = false) {
        self.target = target
        self.providerMetadata = providerMetadata
        self.isRedacted = isRedacted
    }

    public init(_ value: JSONValue) throws(MessageError) {
        guard let target = value["of"]?.string.flatMap(Target.init) else {
            throw .wrongType("of", expected: "one of text, reasoning, tool_call, tool_result, message")
        }
        self.init(target, try value.metadata("provider_metadata"), isRedacted: value["redacted"]?.bool ?? false)
    }

    func append(to object: inout JSONObjectBuilder) {
        object.add("of", self.target.rawValue)
        if self.isRedacted { object.add("redacted", true) }
        if let metadata = self.providerMetadata { object.add("provider_metadata", metadata) }
    }
}
