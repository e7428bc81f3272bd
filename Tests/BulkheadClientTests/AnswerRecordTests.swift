import BulkheadClient
import JSON
import Testing

struct AnswerRecordTests {
    private func message(of events: [ClientEvent.Event]) -> ModelMessage {
        var record = AnswerRecord()
        for event in events { record.append(event) }
        return record.message
    }

    private func metadata(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }

    @Test func piecesOfOneKindAreOnePart() {
        let call = ToolCall(id: "t1", name: "f", arguments: Array("{}".utf8))
        let message = self.message(of: [
            .start(.init(request: "r", model: "m", provider: "p")), .reasoning("Let "),
            .reasoning("me see"),
            .text(""), .text("It "), .text("is"), .toolCall(call), .text("so"),
        ])
        #expect(message.role == .assistant)
        #expect(
            message.parts.map(\.content) == [.reasoning("Let me see"), .text("It is"), .toolCall(call), .text("so")])
        #expect(message.text == "It isso")
    }

    @Test func whatAProviderWantsToSeeAgainStaysWithItsPart() throws {
        let one = try self.metadata(#"{"anthropic":{"signature":"a"}}"#)
        let other = try self.metadata(#"{"anthropic":{"more":1}}"#)
        let message = self.message(of: [
            .reasoning("x"), .metadata(PartMetadata(.reasoning, one)), .reasoning("y"), .text("t"),
            .metadata(PartMetadata(.reasoning, nil, isRedacted: true)), .metadata(PartMetadata(.reasoning, one)),
            .metadata(PartMetadata(.reasoning, other)), .metadata(PartMetadata(.toolCall, one)),
            .metadata(PartMetadata(.message, one)),
        ])
        // As llm has it: of a provider's two the later counts.
        let expected = [
            MessagePart(.reasoning("x"), providerMetadata: one), MessagePart(.reasoning("y")), MessagePart(.text("t")),
            MessagePart(.reasoning("", isRedacted: true), providerMetadata: other),
        ]
        #expect(message.parts == expected)
        #expect(message.providerMetadata == one)
    }

    @Test func metadataOfAToolCallFindsItBehindOtherParts() throws {
        let one = try self.metadata(#"{"gemini":{"thought":"a"}}"#)
        let call = ToolCall(id: "t1", name: "f", arguments: Array("{}".utf8))
        let message = self.message(of: [
            .toolCall(call), .text("t"), .metadata(PartMetadata(.toolCall, one)), .text("u"),
        ])
        #expect(
            message.parts == [
                MessagePart(.toolCall(call), providerMetadata: one), MessagePart(.text("t")), MessagePart(.text("u")),
            ])
    }

    @Test func aWholeAnswerIsTheSameMessage() {
        var completion = ClientEvent.Completion()
        completion.text = "t"
        completion.reasoning = "r"
        #expect(self.message(of: [.done(completion)]).parts.map(\.content) == [.reasoning("r"), .text("t")])
        completion.events = [.text("t"), .metadata(PartMetadata(.text, nil)), .text("u")]
        #expect(self.message(of: [.done(completion)]).parts.map(\.content) == [.text("t"), .text("u")])
    }
}
