import JSON
public import Messages

extension Usage {
    /// What both used together. A count that only one of them has is that one's.
    public func adding(_ other: Usage) -> Usage {
        let details = [self.details, other.details].compactMap { $0.flatMap { try? JSONValue(parsing: $0) } }
        return Usage(
            input: Self.sum(self.input, other.input), output: Self.sum(self.output, other.output),
            details: details.isEmpty ? nil : details.dropFirst().reduce(details[0], Self.sum).serialized())
    }

    private static func sum(_ one: Int?, _ other: Int?) -> Int? {
        guard let one, let other else { return one ?? other }
        return one + other
    }

    /// Integers are added, objects member by member; of anything else the later counts.
    private static func sum(_ one: JSONValue, _ other: JSONValue) -> JSONValue {
        if let one = one.integer, let other = other.integer { return .integer(one + other) }
        guard var members = one.members, let more = other.members else { return other }
        for member in more {
            if let index = members.firstIndex(where: { $0.name == member.name }) {
                members[index].value = self.sum(members[index].value, member.value)
            } else {
                members.append(member)
            }
        }
        return .object(members)
    }
}

extension ClientEvent.Event {
    /// What a request, or a round of a chain, has used that ends with this; `nil` for other events.
    public var usage: Usage? {
        switch self {
        case .round(let completion, _), .done(let completion): completion.usage
        case .error(_, _, let usage): usage
        case .start, .text, .reasoning, .toolCall, .toolResult, .metadata, .unknown: nil
        }
    }
}
