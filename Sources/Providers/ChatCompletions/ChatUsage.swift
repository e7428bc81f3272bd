import JSON
import Messages

extension Usage {
    /// Reads the `usage` of a chat completion; `nil` if it says nothing.
    ///
    /// What is neither of the two counts nor their sum becomes the details, less what is nought, null or empty.
    init?(chat value: JSONValue) {
        guard let members = value.members, !members.isEmpty else { return nil }
        let rest = members.filter { !["prompt_tokens", "completion_tokens", "total_tokens"].contains($0.name) }
        let details = JSONValue.object(rest).withoutNoughts.map { $0.serialized() }
        self.init(
            input: Self.count(value["prompt_tokens"]), output: Self.count(value["completion_tokens"]),
            details: details.flatMap { $0.count <= ProtocolBounds.usageDetails ? $0 : nil })
        if self.input == nil, self.output == nil, self.details == nil { return nil }
    }

    private static func count(_ value: JSONValue?) -> Int? {
        guard let count = value?.integer, (0...(1 << 53)).contains(count) else { return nil }
        return count
    }
}

extension JSONValue {
    /// The value without members that are zero, null or an empty object, at any depth; `nil` if it is one of those
    /// itself.
    var withoutNoughts: JSONValue? {
        switch self {
        case .null: return nil
        case .number: return self.isZero ? nil : self
        case .object(let members):
            let kept = members.compactMap { member in member.value.withoutNoughts.map { Member(member.name, $0) } }
            return kept.isEmpty ? nil : .object(kept)
        case .bool, .string, .array: return self
        }
    }
}
