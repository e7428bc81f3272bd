import Foundation
import JSON
import Messages
import Testing
import Transport

/// Every recorded exchange with Gemini, served again by another program: the answer must be what the recording holds.
@Suite struct GeminiRecordingTests {
    private static let folders = ["generate-content", "stream-generate-content"]

    static func recordings() throws -> [(id: String, recording: GeminiRecording)] {
        try Self.folders.flatMap { name in
            let folder = try #require(SharedFolder.url).appendingPathComponent("recordings/\(name)")
            return try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
                .sorted().map { file in
                    let content = try Data(contentsOf: folder.appendingPathComponent(file))
                    return ("\(name)/\(file.dropLast(5))", try GeminiRecording(content))
                }
        }
    }

    /// - Parameter chunk: How long the pieces are in which a body arrives, in bytes; 0 for whole.
    @Test(
        .enabled(if: SharedFolder.holds("tools/replay-upstream"), "the shared folder is not here"),
        arguments: [0, 7, 1])
    func everyRecordedAnswerIsGivenAsItWasRecorded(chunk: Int) throws {
        let shared = try #require(SharedFolder.url)
        let upstream = try ReplayUpstream(shared.appendingPathComponent("tools/replay-upstream"), chunk: chunk)
        let recordings = try Self.recordings()
        var kinds: [String: Int] = [:]
        for (id, recording) in recordings {
            for stream in [true, false] {
                let peer = SlotPeer(GeminiSample.settings("\(upstream.url)/r/\(id)"))
                try peer.prompt(1, stream: stream)
                let answer = try Self.answer(of: peer)
                recording.expect(answer, "\(id), stream \(stream), pieces of \(chunk)")
                #expect(peer.close())
            }
            kinds[recording.failure ?? recording.finishReason ?? "none", default: 0] += 1
            for part in recording.parts { kinds[part.kind, default: 0] += 1 }
            kinds["signatures", default: 0] += recording.parts.count { $0.native["thoughtSignature"] != nil }
        }
        // 37 whole and 5 streamed: all that there are.
        #expect(recordings.count == 42)
        for kind in ["STOP", "MAX_TOKENS", "SAFETY", "text", "reasoning", "call", "server", "signatures"] {
            #expect(kinds[kind, default: 0] > 0, "\(kind) was reached")
        }
    }

    private static func answer(of peer: SlotPeer) throws -> AssembledAnswer {
        var frames: [[UInt8]] = []
        while let frame = try peer.frame() {
            frames.append(frame)
            let kind = try JSONValue(parsing: frame)["event"]?.string
            if kind == "done" || kind == "error" { break }
        }
        return try AssembledAnswer(frames)
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
