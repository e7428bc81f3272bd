import JSON
import Messages

/// The `usage` of a message, as it is known so far.
///
/// `input` are the tokens of the prompt that were neither read from a cache nor written to one, as the API and llm count them;
/// those stand in the details, under `cache_read_input_tokens` and `cache_creation_input_tokens`. `output` are all tokens of
/// the answer; how many of them were reasoning is in the details too.
struct AnthropicUsage {
    private var members: [JSONValue.Member] = []

    /// Takes the counts that an event names in the place of those before: in a stream they grow.
    mutating func read(_ value: JSONValue?) {
        for member in value?.members ?? [] where !member.value.isNull {
            if let place = self.members.firstIndex(where: { $0.name == member.name }) {
                self.members[place] = member
            } else {
                self.members.append(member)
            }
        }
    }

    var usage: Usage? {
        guard !self.members.isEmpty else { return nil }
        let value = JSONValue.object(self.members)
        let rest = self.members.filter { member in
            switch member.name {
            case "input_tokens", "output_tokens", "inference_geo": false
            case "service_tier": member.value != .string("standard")
            default: true
            }
        }
        let usage = Usage(
            input: value["input_tokens"]?.integer, output: value["output_tokens"]?.integer,
            details: JSONValue.object(rest).withoutNoughts.map { $0.serialized() })
        return usage.input == nil && usage.output == nil && usage.details == nil ? nil : usage
    }
}
