import JSON
import Messages
import Providers
import Testing

@Suite struct AnswerOutputTests {
    private static func output(stream: Bool) throws -> (AnswerOutput, RecordingChannel) {
        let channel = RecordingChannel()
        return (AnswerOutput(for: try request("", model: "m", stream: stream), channel: channel), channel)
    }

    @Test(arguments: ["\u{1}", "é", "\u{1F469}\u{200D}\u{1F680}", "a"])
    func aLongTextIsSplitIntoEventsWithinTheirBound(character: String) throws {
        let (output, channel) = try Self.output(stream: true)
        let text = String(repeating: character, count: 2_000_000 / character.utf8.count)
        try output.text(text)
        #expect(channel.frames.count > 10)
        #expect(channel.frames.allSatisfy { $0.count <= ProtocolBounds.eventFrame })
        let joined = try channel.frames.map { try JSONValue(parsing: $0)["text"]!.string! }.joined()
        #expect(joined == text)
    }

    @Test func anAnswerThatIsNotStreamedIsGivenUpBeforeItOutgrowsItsFrame() throws {
        let (output, channel) = try Self.output(stream: false)
        let piece = String(repeating: "\u{1}", count: 1 << 20)
        #expect {
            for _ in 0..<3 { try output.text(piece) }
        } throws: { error in
            guard case .failed(let failure, _)? = error as? RequestEnd else { return false }
            return failure.code == .answerTooLarge
        }
        #expect(channel.frames.isEmpty)
    }

    @Test(arguments: [true, false])
    func aToolCallThatIsLongerThanAnEventIsRefused(stream: Bool) throws {
        let (output, channel) = try Self.output(stream: stream)
        let arguments = JSONValue.object([.init("a", .string(String(repeating: "x", count: 1 << 20)))]).serialized()
        #expect(throws: RequestEnd.self) { try output.toolCall(ToolCall(id: "1", name: "t", arguments: arguments)) }
        #expect(channel.frames.isEmpty)
    }

    @Test func toolCallsOfMoreValuesThanAFrameMayHoldAreRefused() throws {
        let (output, _) = try Self.output(stream: false)
        let arguments = Array("{\"a\":[\(String(repeating: "0,", count: 100_000))0]}".utf8)
        let call = ToolCall(id: "1", name: "t", arguments: arguments)
        try output.toolCall(call)
        try output.toolCall(call)
        #expect(throws: RequestEnd.self) { try output.toolCall(call) }
    }
}
