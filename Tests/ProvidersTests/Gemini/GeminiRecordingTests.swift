import Foundation
import JSON
import Messages
import Recordings
import Testing
import Transport

/// Every recorded exchange with Gemini, served again by another program: the answer must be what the recording holds.
@Suite struct GeminiRecordingTests {
    private static let folders = ["generate-content", "stream-generate-content"]

    static func recordings() throws -> [(id: String, recording: GeminiRecording)] {
        try Self.folders.flatMap { try Recording.all(in: $0) }.map { ($0.id, try GeminiRecording($0)) }
    }

    /// - Parameter chunk: How long the pieces are in which a body arrives, in bytes; 0 for whole.
    @Test(
        .enabled(if: ReplayUpstream.isThere, "the shared folder or python3 is not here"),
        arguments: [0, 7, 1])
    func everyRecordedAnswerIsGivenAsItWasRecorded(chunk: Int) throws {
        let upstream = try ReplayUpstream(chunk: chunk)
        let recordings = try Self.recordings()
        var kinds: [String: Int] = [:]
        for (id, recording) in recordings {
            for stream in [true, false] {
                let peer = SlotPeer(GeminiSample.settings("\(upstream.url)/r/\(id)"))
                try peer.prompt(1, stream: stream)
                let answer = try peer.outcome()
                recording.expected.expect(answer, isStreamed: stream, "\(id), stream \(stream), pieces of \(chunk)")
                #expect(peer.close())
            }
            kinds[recording.failure ?? recording.expected.finishReason ?? "none", default: 0] += 1
            for part in recording.parts { kinds[part.kind, default: 0] += 1 }
            kinds["signatures", default: 0] += recording.parts.count { $0.native["thoughtSignature"] != nil }
        }
        // 37 whole and 5 streamed: all that there are.
        #expect(recordings.count == 42)
        for kind in ["STOP", "MAX_TOKENS", "SAFETY", "text", "reasoning", "call", "server", "signatures"] {
            #expect(kinds[kind, default: 0] > 0, "\(kind) was reached")
        }
    }

    /// What came with a signature, or from a tool of Google's, must go back as it came.
    @Test(.enabled(if: SharedFolder.holds("recordings/generate-content"), "the shared folder is not here"))
    func everyRecordedAnswerGoesBackAsItCame() throws {
        for (id, recording) in try Self.recordings() where recording.failure == nil {
            let transport = FakeTransport(contentType: recording.contentType, pieces: [recording.body])
            let answer = try GeminiSample.run(try request("hi", model: "m"), over: transport)
            var next = try request("", model: "m")
            next.messages = [ModelMessage(.user, text: "hi"), answer.message]
            let sent = try GeminiSample.body(of: next)["contents"]?[1]?["parts"]?.text() ?? "[]"
            let parts = try JSONSerialization.jsonObject(with: Data(sent.utf8)) as? [NSDictionary]
            #expect(parts == recording.partsToSendAgain, "\(id)")
        }
    }

    /// Recorded requests of several turns, turned into a history and sent again.
    @Test(.enabled(if: SharedFolder.holds("recordings/generate-content"), "the shared folder is not here"))
    func recordedConversationsAreSentAsTheyWereRecorded() throws {
        var conversations = 0
        for (id, recording) in try Self.recordings() where recording.turns.count > 1 {
            var next = try request("", model: "m")
            next.messages = try recording.history
            let sent = try GeminiSample.body(of: next)["contents"]!.text()
            let turns = try JSONSerialization.jsonObject(with: Data(sent.utf8)) as? [NSDictionary]
            #expect(turns == recording.turns, "\(id)")
            conversations += 1
        }
        #expect(conversations >= 8)
    }
}
