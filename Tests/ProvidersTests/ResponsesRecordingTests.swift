import Foundation
import JSON
import Messages
import Recordings
import Testing

/// Every recorded exchange with OpenAI's Responses API, served again by another program: the answer must be what the recording
/// holds, and what was asked must be what we would ask.
@Suite struct ResponsesRecordingTests {
    private static func recordings() throws -> [Recording] { try Recording.all(in: "responses") }

    /// - Parameter chunk: How long the pieces are in which a body arrives, in bytes; 0 for whole.
    @Test(
        .enabled(if: SharedFolder.holds("recordings/responses"), "the shared folder is not here"), arguments: [0, 7, 1])
    func everyRecordedAnswerIsGivenAsItWasRecorded(chunk: Int) throws {
        let upstream = try ReplayUpstream(chunk: chunk)
        var kinds: [String: Int] = [:]
        let recordings = try Self.recordings()
        for recorded in recordings {
            let (name, recording) = (recorded.name, try RecordedResponse(recorded))
            for stream in [true, false] {
                let peer = SlotPeer(ResponsesTests.settings("m", "\(upstream.url)/r/responses/\(name)"))
                try peer.prompt(1, stream: stream)
                let answer = try peer.outcome()
                recording.expect(answer, isStreamed: stream, "\(name), stream \(stream), pieces of \(chunk)")
                kinds[answer.failure?.code.rawValue ?? "done", default: 0] += 1
                kinds["reasoning", default: 0] += answer.reasoning.isEmpty ? 0 : 1
                kinds["tool calls", default: 0] += answer.toolCalls.isEmpty ? 0 : 1
                kinds["tool results", default: 0] +=
                    answer.parts.contains { $0["event"]?.string == "tool_result" } ? 1 : 0
                #expect(peer.close())
            }
        }
        #expect(recordings.count == 71)
        for kind in [
            "done", "provider_rejected", "provider_invalid_response", "tool calls", "tool results", "reasoning",
        ] {
            #expect(kinds[kind, default: 0] > 0, "\(kind) was reached")
        }
    }

    /// An answer with its reasoning, calls and searches, sent back as history, holds every item as the provider sent it, less
    /// what it does not want to see again.
    @Test(.enabled(if: SharedFolder.holds("recordings/responses"), "the shared folder is not here"))
    func everyRecordedAnswerGoesBackAsTheItemsThatItWas() throws {
        var kinds: [String: Int] = [:]
        for recorded in try Self.recordings() {
            let (name, recording) = (recorded.name, try RecordedResponse(recorded))
            guard recording.failure == nil, !recording.items.isEmpty else { continue }
            let transport = FakeTransport(
                contentType: recorded.contentType, pieces: [recorded.body])
            let request = try request("hi", model: "gpt-5")
            let answer = try outcome(of: request, ResponsesTests.settings(), over: transport)
            var next = try ProvidersTests.request("and now?", model: "gpt-5")
            next.messages = [ModelMessage(.user, text: "hi"), try answer.message]
            let sent = try #require(try body(of: next, .openAI)["input"]?.array).dropFirst().dropLast()
            let expected = recording.items.compactMap { RecordedResponse.returned($0) }
            let actual = try sent.map { item in
                try #require(try JSONSerialization.jsonObject(with: Data(item.serialized())) as? NSDictionary)
            }
            #expect(RecordedResponse.normalized(actual) == RecordedResponse.normalized(expected), "\(name)")
            for item in expected { kinds[item["type"] as? String ?? "message", default: 0] += 1 }
        }
        for kind in ["message", "reasoning", "function_call", "web_search_call", "mcp_call", "code_interpreter_call"] {
            #expect(kinds[kind, default: 0] > 0, "\(kind) went back")
        }
    }

    /// What was recorded as asked, read into messages, is asked again.
    @Test(.enabled(if: SharedFolder.holds("recordings/responses"), "the shared folder is not here"))
    func everyRecordedRequestIsAskedAgain() throws {
        var counts: [String: Int] = [:]
        for recording in try Self.recordings() {
            let name = recording.name
            let recorded = try JSONValue(parsing: Array(recording.request), bounds: .lenient)
            let request = try #require(try RecordedRequest(recorded).request, "\(name)")
            let sent = try body(of: request, .openAI)
            #expect(RecordedRequest.essence(sent) == RecordedRequest.essence(recorded), "\(name)")
            counts["compared", default: 0] += 1
            for name in ["tools", "text", "instructions", "include"] where recorded[name] != nil {
                counts[name, default: 0] += 1
            }
        }
        #expect(counts["compared"] == 71)
        for kind in ["tools", "text", "instructions", "include"] { #expect(counts[kind, default: 0] > 0, "\(kind)") }
    }
}
