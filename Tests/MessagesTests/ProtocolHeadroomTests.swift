import JSON
import Testing

@testable import Messages

/// A legal frame of one protocol never becomes an illegal frame of the next.
struct ProtocolHeadroomTests {
    private static let request = ULID("01k9x3g6ncw7jv0q8r6m2t5y4b")!

    @Test func aPromptOfAsManyValuesAsAClientMaySendReachesTheWorker() throws {
        // The object, id, op, prompt, model, options and its array, and the elements.
        let elements = repeatElement("1", count: 262_144 - 7).joined(separator: ",")
        let frame = #"{"id":1,"op":"prompt","prompt":"hi","model":"echo","options":{"a":[\#(elements)]}}"#
        guard case .prompt(let prompt) = try ClientRequest(decoding: Array(frame.utf8)).operation else {
            Issue.record("no prompt")
            return
        }
        let internalFrame = SlotRequest.encodePrompt(prompt, request: Self.request, model: "echo", key: "secret")
        guard case .prompt(let request) = try SlotRequest(decoding: internalFrame) else {
            Issue.record("no prompt")
            return
        }
        #expect(request.options.first?.value.array?.count == 262_144 - 7)
    }

    @Test func anEventOfAsManyValuesAsAWorkerMaySendReachesTheClient() throws {
        let elements = repeatElement("1", count: 262_144 - 6).joined(separator: ",")
        let event = #"{"event":"tool_call","tool_call_id":"c","name":"n","arguments":{"a":[\#(elements)]}}"#
        let envelope = try SlotEventEnvelope(decoding: Array(event.utf8))
        let answer = ClientAnswer.event(id: .number(1), envelope.bytes)
        guard case .toolCall(let call) = try ClientEvent(decoding: answer).event else {
            Issue.record("no tool call")
            return
        }
        #expect(call.name == "n")
    }

    @Test(arguments: [" %", "%\n", "\r\n\t%  "])
    func spaceAroundAWorkersEventDoesNotBreakTheClientsFrame(_ pattern: String) throws {
        let text = pattern.split(separator: "%", omittingEmptySubsequences: false).joined(
            separator: #"{"event":"text","text":"x"}"#)
        let envelope = try SlotEventEnvelope(decoding: Array(text.utf8))
        let answer = try ClientEvent(decoding: ClientAnswer.event(id: .text("r1"), envelope.bytes))
        #expect(answer == ClientEvent(id: .text("r1"), event: .text("x")))
    }

    @Test func whatAProviderSaysBeyondTheBoundsDoesNotMakeAnEventThatIsRefused() throws {
        let failure = Failure(
            .providerRateLimited, String(repeating: "é", count: 4000), retryAfterMilliseconds: 1 << 60,
            providerRequestID: String(repeating: "x", count: 500))
        let usage = Usage(
            input: -1, output: .max, details: Array("{\"a\":\"\(String(repeating: "x", count: 5000))\"}".utf8))
        let event = SlotEvent.error(failure, usage: usage).encoded
        guard case .error(let decoded, let decodedUsage) = try SlotEventEnvelope(decoding: event).kind else {
            Issue.record("no error")
            return
        }
        #expect(decoded == failure)
        #expect(decoded.retryAfterMilliseconds == Int(Int32.max))
        #expect(decodedUsage == Usage(input: nil, output: nil))
        #expect(Failure(.timeout, "", retryAfterMilliseconds: -5).retryAfterMilliseconds == 0)
    }

    @Test func idsThatOnlyLookAlikeDiffer() throws {
        let composed = RequestIdentifier.text("\u{E9}")
        let decomposed = RequestIdentifier.text("e\u{301}")
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
        #expect(RequestIdentifier.text("1") != .number(1))
        #expect(RequestIdentifier.text("a") == .text("a"))
    }

    @Test func aFailureOnRecordFitsALogFrameWhateverItsText() {
        let worst = String(repeating: "\u{1}", count: 5000)
        let record = EndRecord(
            request: Self.request, atMilliseconds: .max, state: .error, durationMilliseconds: .max,
            usage: Usage(
                input: 1 << 53, output: 1 << 53,
                details: Array("{\"a\":\"\(String(repeating: "x", count: 4000))\"}".utf8)),
            finishReason: String(repeating: "\u{1}", count: 64),
            providerRequestID: String(repeating: "\u{1}", count: 128),
            failure: Failure(.providerError, worst, retryAfterMilliseconds: .max, providerRequestID: worst))
        #expect(LogRecord.end(record).encoded(sequence: .max).count <= ProtocolBounds.logFrame)
    }
}
