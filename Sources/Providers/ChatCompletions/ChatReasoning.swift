import JSON
import Messages

/// How the reasoning of an earlier answer goes back to the provider that wrote it.
struct ChatReasoning {
    /// The provider's own name in what it wants to see again.
    let provider: String
    private let preset: ProviderPreset.Reasoning

    init(provider: String, _ preset: ProviderPreset.Reasoning) {
        self.provider = provider
        self.preset = preset
    }

    /// The members that the reasoning parts of an answer add to its message.
    func members(_ parts: [MessagePart], hasToolCalls: Bool) -> [JSONValue.Member] {
        guard hasToolCalls || !self.preset.isForToolCallsOnly else { return [] }
        var text = ""
        var details: [JSONValue] = []
        for part in parts {
            guard case .reasoning(let more, _) = part.content else { continue }
            text += more
            guard let field = self.preset.detailsField else { continue }
            details += part.providerMetadata?[self.provider]?[field]?.array ?? []
        }
        var members: [JSONValue.Member] = []
        if !text.isEmpty || self.preset.isForToolCallsOnly { members.append(.init(self.preset.field, .string(text))) }
        if let field = self.preset.detailsField, !details.isEmpty { members.append(.init(field, .array(details))) }
        return members
    }
}

/// The details of its reasoning that a provider sends in pieces, put together.
///
/// Pieces of one detail have its `index` and its `type`; of their members texts are joined, others replaced.
struct ChatReasoningDetails {
    private(set) var values: [JSONValue] = []
    /// The members of which pieces come.
    private static let textNames = ["text", "summary", "data"]
    /// How many details one answer may have.
    private static let countBound = 4096

    mutating func append(_ pieces: [JSONValue]) throws(RequestEnd) {
        for piece in pieces {
            guard let members = piece.members else { continue }
            if let index = piece["index"], let last = self.values.last, last["index"] == index,
                last["type"] == piece["type"]
            {
                self.values[self.values.count - 1] = Self.join(last, members)
            } else {
                guard self.values.count < Self.countBound else {
                    throw .failed(.answerTooLarge, "its reasoning has more than \(Self.countBound) details")
                }
                self.values.append(piece)
            }
        }
    }

    private static func join(_ detail: JSONValue, _ piece: [JSONValue.Member]) -> JSONValue {
        var members = detail.members ?? []
        for member in piece {
            guard let place = members.firstIndex(where: { $0.name == member.name }) else {
                members.append(member)
                continue
            }
            if Self.textNames.contains(member.name), let old = members[place].value.string,
                let new = member.value.string
            {
                members[place].value = .string(old + new)
            } else if !member.value.isNull {
                members[place].value = member.value
            }
        }
        return .object(members)
    }
}
