import JSON
import Messages

extension Usage {
    /// Reads `usageMetadata`; `nil` if it says nothing.
    ///
    /// `input` is what the prompt and the results of Google's own tools took, `output` what was said and what was thought:
    /// all that is paid for, as llm-gemini counts. A count that is missing is nought, as Protocol Buffers leave noughts out.
    /// Everything but the prompt's count and the sum is in the details too, so that each can be told apart there.
    init?(gemini value: JSONValue) {
        guard let members = value.members else { return nil }
        let input = Self.sum(value["promptTokenCount"], value["toolUsePromptTokenCount"])
        let output = Self.sum(value["candidatesTokenCount"], value["thoughtsTokenCount"])
        let rest = members.filter { !["promptTokenCount", "totalTokenCount"].contains($0.name) }
        let details = JSONValue.object(rest).withoutNoughts.map { $0.serialized() }
        guard input != nil || output != nil || details != nil else { return nil }
        self.init(input: input, output: output ?? (input == nil ? nil : 0), details: details)
    }

    /// `nil` where neither is a count.
    private static func sum(_ first: JSONValue?, _ second: JSONValue?) -> Int? {
        let counts = [first, second].compactMap { $0?.integer }.filter { (0...(1 << 53)).contains($0) }
        return counts.isEmpty ? nil : counts.reduce(0, +)
    }
}
