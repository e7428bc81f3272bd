import JSON
import Messages
import Testing

@testable import SupervisorCore

/// Whatever a slot says, and however it is cut, the array holds just that.
@Suite struct OutputBufferTests {
    private static func append(_ event: String, to buffer: inout OutputBuffer) throws {
        let bytes = Array(event.utf8)
        guard case .output(let output) = try SlotEventEnvelope(decoding: bytes).kind else { return }
        buffer.append(output, of: bytes)
    }

    private static func taken(_ events: [String]) throws -> String? {
        var buffer = OutputBuffer()
        for event in events { try self.append(event, to: &buffer) }
        return buffer.take().map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func textsThatFollowEachOtherBecomeOneAndReasoningStaysApart() throws {
        #expect(
            try Self.taken([
                #"{"event":"reasoning","text":"hm"}"#, #"{"event":"reasoning","text":"m"}"#,
                #"{"event":"text","text":"a"}"#, #"{"event":"text","text":"b"}"#, #"{"event":"reasoning","text":"c"}"#,
            ])
                == #"[{"event":"reasoning","text":"hmm"},{"event":"text","text":"ab"},{"event":"reasoning","text":"c"}]"#
        )
    }

    @Test func aToolCallStandsBetweenTheTextsAroundIt() throws {
        let call = #"{"event":"tool_call","tool_call_id":"1","name":"n","arguments":{"a":1.0}}"#
        #expect(try Self.taken([call]) == "[\(call)]")
        #expect(
            try Self.taken([#"{"event":"text","text":"a"}"#, call, call, #"{"event":"text","text":"b"}"#])
                == #"[{"event":"text","text":"a"},\#(call),\#(call),{"event":"text","text":"b"}]"#)
    }

    @Test func anEmptyTextIsNothing() throws {
        #expect(try Self.taken([]) == nil)
        #expect(try Self.taken([#"{"event":"text","text":""}"#, #"{"event":"reasoning","text":""}"#]) == nil)
        #expect(
            try Self.taken([
                #"{"event":"text","text":"a"}"#, #"{"event":"reasoning","text":""}"#, #"{"event":"text","text":"b"}"#,
            ]) == #"[{"event":"text","text":"ab"}]"#)
    }

    @Test(arguments: [
        " \t{ \"text\" : \"a\\\"b\" , \"event\":\"text\" } \n", #"{"event":"text","text":"a\"b"}"#,
        #"{"event":"text","text":"a\u0022b"}"#,
    ])
    func aTextIsFoundHoweverItsEventIsWritten(event: String) throws {
        let array = try #require(try Self.taken([event]))
        #expect(try SlotEvent.output(decoding: Array(array.utf8)) == [.text("a\"b")])
    }

    @Test func escapesAndSurrogatePairsSurviveTheJoin() throws {
        let array = try #require(
            try Self.taken([
                #"{"event":"text","text":"\\"}"#, #"{"event":"text","text":"\\u0041\n"}"#,
                #"{"event":"text","text":"\ud83d\ude00"}"#, #"{"event":"text","text":"é"}"#,
            ]))
        #expect(try SlotEvent.output(decoding: Array(array.utf8)) == [.text("\\\\u0041\n😀é")])
    }

    @Test func halfASurrogatePairNeverReachesTheBuffer() {
        for text in [#"\ud83d"#, #"\ude00"#, #"a\ud83d"#] {
            #expect(throws: MessageError.self) {
                try SlotEventEnvelope(decoding: Array(#"{"event":"text","text":"\#(text)"}"#.utf8))
            }
        }
    }

    @Test func whatWasTakenIsNotThereAgainAndWhatFollowsBeginsAnew() throws {
        var buffer = OutputBuffer()
        try Self.append(#"{"event":"text","text":"a"}"#, to: &buffer)
        let total = buffer.total
        #expect(buffer.take() != nil)
        #expect(buffer.take() == nil)
        #expect(buffer.count == 0)
        #expect(buffer.total == total)
        try Self.append(#"{"event":"text","text":"b"}"#, to: &buffer)
        #expect(buffer.total > total)
        #expect(buffer.take().map { String(decoding: $0, as: UTF8.self) } == #"[{"event":"text","text":"b"}]"#)
    }

    /// Random events, taken at random: the joined texts of all arrays are the joined texts of all events.
    @Test(arguments: 0..<50) func everyCutIsAnArrayOfTheSameAnswer(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var buffer = OutputBuffer()
        var said: [SlotEvent] = []
        var recorded: [SlotEvent] = []
        let texts = ["", "a", "\"", "\\", "😀", "\u{0}", "\u{7f}é\u{2028}", "\\u00", "ab\ncd"]
        for _ in 0..<200 {
            let text = texts.randomElement(using: &random)!
            let event: SlotEvent =
                switch Int.random(in: 0..<10, using: &random) {
                case 0: .toolCall(ToolCall(id: text, name: "n", arguments: Array(#"{"a":"\"}]"}"#.utf8)))
                case 1..<4: .reasoning(text)
                default: .text(text)
                }
            said.append(event)
            try Self.append(String(decoding: event.encoded, as: UTF8.self), to: &buffer)
            if Int.random(in: 0..<4, using: &random) == 0, let array = buffer.take() {
                recorded += try SlotEvent.output(decoding: array)
            }
        }
        if let array = buffer.take() { recorded += try SlotEvent.output(decoding: array) }
        #expect(SlotEvent.joined(recorded) == SlotEvent.joined(said))
    }

    @Test func aWholeAnswerIsItsReasoningItsTextAndItsCalls() throws {
        let answer = SlotCompletion.Answer(
            text: "ho\n", reasoning: "hm", toolCalls: [ToolCall(id: "1", name: "n", arguments: Array("{}".utf8))])
        let event = SlotEvent.done(SlotCompletion(answer: answer)).encoded
        guard case .done(let outcome) = try SlotEventEnvelope(decoding: event).kind else { return }
        var buffer = OutputBuffer()
        buffer.append(outcome.answer, of: event)
        #expect(
            buffer.take().map { String(decoding: $0, as: UTF8.self) }
                == #"[{"event":"reasoning","text":"hm"},{"event":"text","text":"ho\n"},{"event":"tool_call","tool_call_id":"1","name":"n","arguments":{}}]"#
        )
    }
}

extension SlotEvent {
    /// Texts that follow each other joined, empty ones left out.
    fileprivate static func joined(_ events: [SlotEvent]) -> [SlotEvent] {
        var joined: [SlotEvent] = []
        for event in events {
            switch (joined.last, event) {
            case (_, .text("")), (_, .reasoning("")): break
            case (.text(let before)?, .text(let text)): joined[joined.count - 1] = .text(before + text)
            case (.reasoning(let before)?, .reasoning(let text)): joined[joined.count - 1] = .reasoning(before + text)
            default: joined.append(event)
            }
        }
        return joined
    }
}
