import JSON
import Messages
import Testing

/// A slot's frame that goes to another model.
@Suite struct SlotRequestTests {
    private static let request = ULID("01k9x3g6ncw7jv0q8r6m2t5y4b")!

    private static func frame(of model: String, key: String?) -> [UInt8] {
        var prompt = PromptRequest(
            prompt: #"a "model" and a "key""#, system: "é", options: .object([.init("model", .string("x"))]))
        prompt.messages = Array(#"[ {"role":"user","parts":[{"type":"text","text":"\"key\":\"no\"}"}]} ]"#.utf8)
        return SlotRequest.encodePrompt(prompt, request: Self.request, model: model, key: key)
    }

    @Test(arguments: [nil, "sk-\"1\""], [nil, "sk-2"])
    func itIsTheFrameThatTheOtherModelWouldHaveBeenSent(key: String?, other: String?) {
        let moved = SlotRequest.readdress(Self.frame(of: "first", key: key), model: "sécond\n", key: other)
        #expect(moved == Self.frame(of: "sécond\n", key: other))
    }
}
