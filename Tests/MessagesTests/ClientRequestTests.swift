import JSON
import Messages
import Testing

struct ClientRequestTests {
    private static func decode(_ text: String) throws -> ClientRequest { try ClientRequest(decoding: Array(text.utf8)) }

    @Test func aPromptKeepsTheBytesOfWhatOnlyPassesThrough() throws {
        let request = try Self.decode(#"{"id":1,"op":"prompt","prompt":"\u00e9","options":{ "b": 1.0, "a": -0 }}"#)
        guard case .prompt(let prompt) = request.operation else {
            Issue.record("no prompt")
            return
        }
        #expect(prompt.prompt == Array(#""\u00e9""#.utf8))
        #expect(prompt.options == Array(#"{ "b": 1.0, "a": -0 }"#.utf8))
        #expect(prompt.stream)
    }

    @Test func aWorkerReadsWhatTheClientWrote() throws {
        let ulid = CataloguedMessage.request
        let request = try Self.decode(
            #"{"id":1,"op":"prompt","prompt":"\u00e9\n","system":"s","stream":false,"options":{"b":1.0,"a":-0}}"#)
        guard case .prompt(let prompt) = request.operation else {
            Issue.record("no prompt")
            return
        }
        let frame = SlotRequest.encodePrompt(prompt, request: ulid, model: "m", key: nil)
        let expected = ModelRequest(
            request: ulid, model: "m", stream: false, prompt: "é\n", system: "s",
            options: [.init("b", .number("1.0")), .init("a", .number("-0"))])
        #expect(try SlotRequest(decoding: frame) == .prompt(expected))
    }

    @Test(arguments: [
        #""attachments":[{"path":"/etc/passwd"}]"#,
        #""messages":[{"role":"user","parts":[{"type":"attachment","attachment":{"path":"/etc/passwd"}}]}]"#,
        #""tool_results":[{"name":"f","output":"o","attachments":[{"path":"/etc/passwd"}]}]"#,
    ])
    func noFileOfAClientIsOpened(field: String) {
        #expect { try Self.decode("{\"id\":1,\"op\":\"prompt\",\(field)}") } throws: {
            "\($0)".contains("the daemon opens no files of clients")
        }
    }

    @Test func aWorkersCodeThatIsNotAWorkersIsRefused() {
        for code in ErrorCode.allCases {
            let event = SlotEvent.error(Failure(code, "m"), usage: nil).encoded
            #expect(((try? SlotEventEnvelope(decoding: event)) != nil) == code.mayComeFromWorker, "\(code.rawValue)")
        }
    }

    @Test func anEventLongerThanItsBoundIsRefusedAndALastOneIsNot() throws {
        let text = String(repeating: "x", count: ProtocolBounds.eventFrame)
        #expect(throws: MessageError.self) { try SlotEventEnvelope(decoding: SlotEvent.text(text).encoded) }
        let done = SlotEvent.done(SlotCompletion(answer: .init(text: text)))
        guard case .done(let outcome) = try SlotEventEnvelope(decoding: done.encoded).kind else {
            Issue.record("not the last event")
            return
        }
        #expect(outcome.answer.text?.count == text.utf8.count)
    }

    @Test(arguments: [
        #"{"event":"text"}"#, #"{"event":"text","text":1}"#, #"{"event":"text","text":"a","more":1}"#,
        #"{"event":"start"}"#,
        #"{"text":"a"}"#, #"{"event":"done","text":1}"#, #"{"event":"done","tool_calls":[1]}"#,
        #"{"event":"done","usage":[]}"#,
        #"{"event":"done","usage":{"input":-1}}"#, #"{"event":"error"}"#,
        #"{"event":"error","error":{"code":"oops","message":"m"}}"#,
        #"{"event":"tool_call","tool_call_id":"c","name":"n","arguments":"{}"}"#, #"{"event":"text","text":"\ud83d"}"#,
        "[]", "",
    ])
    func anEventThatIsNoneIsRefused(_ text: String) {
        #expect(throws: MessageError.self) { try SlotEventEnvelope(decoding: Array(text.utf8)) }
    }

    @Test func aMessageIsCutAtACharacter() {
        let failure = Failure(.modelError, String(repeating: "x", count: 1023) + "é")
        #expect(failure.message == String(repeating: "x", count: 1023))
        #expect("aé😀".truncated(toUTF8Length: 100) == "aé😀")
        #expect((0...7).map { "aé😀".truncated(toUTF8Length: $0) } == ["", "a", "a", "aé", "aé", "aé", "aé", "aé😀"])
    }

    @Test func theNearestNameIsNamedOnlyWhenItIsNear() {
        let names = ["prompt", "cancel", "models", "status", "ping"]
        #expect("promt".nearest(of: names) == "prompt")
        #expect("pong".nearest(of: names) == "ping")
        #expect("frobnicate".nearest(of: names) == nil)
        #expect("".nearest(of: names) == nil)
        #expect(String(repeating: "x", count: 65).nearest(of: names) == nil)
    }
}
