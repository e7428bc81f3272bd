import Foundation
import Messages
import Recordings
import Testing

/// Every recorded chat completion, served again by another program: the answer must be what the recording holds.
@Suite struct RecordingTests {
    /// - Parameter chunk: How long the pieces are in which a body arrives, in bytes; 0 for whole.
    @Test(.enabled(if: ReplayUpstream.isThere, "the shared folder or python3 is not here"), arguments: [0, 7, 1])
    func everyRecordedAnswerIsGivenAsItWasRecorded(chunk: Int) throws {
        let upstream = try ReplayUpstream(chunk: chunk)
        let recordings = try Recording.all(in: "chat-completions")
        var kinds: [String: Int] = [:]
        for recording in recordings {
            let expected = try ExpectedAnswer(recording)
            let peer = SlotPeer(OpenAICompatibleTests.settings("\(upstream.url)/r/\(recording.id)"))
            try peer.prompt(1, stream: recording.isStreamed)
            let answer = try peer.outcome()
            expected.expect(answer, isStreamed: recording.isStreamed, "\(recording.name), pieces of \(chunk)")
            kinds[answer.failure?.code.rawValue ?? "done", default: 0] += 1
            kinds["tool calls", default: 0] += answer.toolCalls.isEmpty ? 0 : 1
            kinds["reasoning", default: 0] += answer.reasoning.isEmpty ? 0 : 1
            #expect(peer.close())
        }
        #expect(recordings.count >= 70)
        for kind in [
            "done", "provider_rejected", "provider_rate_limited", "provider_invalid_response", "tool calls",
            "reasoning",
        ] {
            #expect(kinds[kind, default: 0] > 0, "\(kind) was reached")
        }
    }
}

extension ExpectedAnswer {
    /// Holds what a slot said against it.
    func expect(_ answer: Outcome, isStreamed: Bool, _ comment: Comment) {
        #expect(self.differences(from: ReadAnswer(answer.frames), isStreamed: isStreamed) == [], comment)
    }
}
