import Foundation
import GRDB
import JSON
import Testing

extension EndToEnd {
    /// Every recorded exchange with a real provider becomes the answer that its body says, however it is cut.
    @Suite struct Recordings {
        @Test(
            .enabled(if: ReplayUpstream.isThere, "the recordings, their server or python3 is not on this machine"),
            arguments: [0, 7, 1])
        func everyRecordingGivesItsTextUsageAndErrors(chunk: Int) throws {
            let upstream = try ReplayUpstream(chunk: chunk)
            let recordings = try Recording.chatCompletions()
            self.expectEveryKind(try recordings.map { try ExpectedAnswer($0) })
            // A configuration may have 64 providers, and a connection 128 open requests.
            for start in stride(from: 0, to: recordings.count, by: 48) {
                try self.replay(Array(recordings[start..<min(start + 48, recordings.count)]), from: upstream)
            }
        }

        /// The recordings hold what this is to show.
        private func expectEveryKind(_ expected: [ExpectedAnswer]) {
            #expect(expected.count > 50)
            #expect(expected.contains { $0.failure != nil && !$0.text.isEmpty }, "an error after text")
            #expect(expected.contains { $0.failure == nil && !$0.reasoning.isEmpty })
            #expect(expected.contains { $0.toolCalls.count == 2 })
            #expect(expected.contains { $0.inputTokens == nil && !$0.text.isEmpty }, "no usage")
            let codes = Set(expected.compactMap(\.failure?.code))
            #expect(codes == ["provider_rate_limited", "provider_rejected", "provider_invalid_response"])
        }

        private func replay(_ recordings: [Recording], from upstream: ReplayUpstream) throws {
            var configuration = "providers:\n"
            for (index, recording) in recordings.enumerated() {
                configuration += """
                      p\(index): {type: openai-compatible, base_url: "\(upstream.baseURL(of: recording))", \
                    models: ["\(recording.name)"], slots: 1, retries: 0}

                    """
            }
            let daemon = try Daemon(configuration)
            let wire = try Wire(daemon.socket)
            for (index, recording) in recordings.enumerated() {
                for stream in [true, false] {
                    try wire.prompt(2 * index + (stream ? 1 : 0), model: recording.name, stream: stream)
                }
            }
            var answers = [ReceivedAnswer](repeating: ReceivedAnswer(), count: 2 * recordings.count)
            while !answers.allSatisfy(\.isComplete) {
                let frame = try wire.next()
                answers[try #require(frame["id"]?.integer)].read(frame)
            }
            let rows = Dictionary(uniqueKeysWithValues: try daemon.rows().map { ($0["id"] as String, $0) })
            #expect(rows.count == answers.count)
            for (index, recording) in recordings.enumerated() {
                let expected = try ExpectedAnswer(recording)
                for stream in [true, false] {
                    let answer = answers[2 * index + (stream ? 1 : 0)]
                    let what: Comment = "\(recording.name), \(stream ? "streamed" : "whole"): \(answer.last.text())"
                    answer.expect(expected, isStreamed: stream, what)
                    let row = try #require(rows[answer.last["request"]?.string ?? ""], what)
                    #expect(row["state"] as String? == (expected.failure == nil ? "done" : "error"), what)
                    #expect(row["model"] as String? == recording.name, what)
                    #expect(row["input_tokens"] as Int? == expected.inputTokens, what)
                    #expect(row["output_tokens"] as Int? == expected.outputTokens, what)
                    #expect(row["error_code"] as String? == expected.failure?.code, what)
                    if expected.failure == nil {
                        #expect(row["finish_reason"] as String? == expected.finishReason, what)
                    }
                }
            }
        }
    }
}

/// The frames of one answer, put together.
private struct ReceivedAnswer {
    var events: [String] = []
    var text = ""
    var reasoning = ""
    var toolCalls: [JSONValue] = []
    var last = JSONValue.null

    var isComplete: Bool { self.last != .null }

    mutating func read(_ frame: JSONValue) {
        let event = frame["event"]?.string ?? ""
        #expect(!self.isComplete, "\(frame.text()) after the last frame")
        self.events.append(event)
        switch event {
        case "text": self.text += frame["text"]?.string ?? ""
        case "reasoning": self.reasoning += frame["text"]?.string ?? ""
        case "tool_call": self.toolCalls.append(frame)
        case "done", "error":
            self.text += frame["text"]?.string ?? ""
            self.reasoning += frame["reasoning"]?.string ?? ""
            self.toolCalls += frame["tool_calls"]?.array ?? []
            self.last = frame
        default: break
        }
    }

    func expect(_ expected: ExpectedAnswer, isStreamed: Bool, _ what: Comment) {
        if isStreamed {
            #expect(self.events.first == "start", what)
        } else {
            #expect(self.events.count == 1, what)
        }
        if isStreamed || expected.failure == nil {
            #expect(self.text == expected.text, what)
            #expect(self.reasoning == expected.reasoning, what)
        }
        #expect(self.last["usage"]?["input"]?.integer == expected.inputTokens, what)
        #expect(self.last["usage"]?["output"]?.integer == expected.outputTokens, what)
        self.expectCalls(expected.toolCalls, what)
        if let failure = expected.failure {
            #expect(self.last.errorCode == failure.code, what)
            #expect(self.last.errorMessage?.contains(failure.message) == true, what)
            #expect(self.last["error"]?["retryable"] == .bool(failure.isRetryable), what)
        } else {
            #expect(self.last["event"]?.string == "done", what)
            #expect(self.last["finish_reason"]?.string == expected.finishReason, what)
        }
    }

    private func expectCalls(_ expected: [ExpectedAnswer.Call], _ what: Comment) {
        #expect(self.toolCalls.count == expected.count, what)
        for (call, expected) in zip(self.toolCalls, expected) {
            #expect(call["name"]?.string == expected.name, what)
            if let id = expected.id {
                #expect(call["tool_call_id"]?.string == id, what)
            } else {
                #expect(call["tool_call_id"]?.string?.hasPrefix("tc_") == true, what)
            }
            let arguments = Data(call["arguments"]?.text().utf8 ?? "".utf8)
            #expect((try? JSONSerialization.jsonObject(with: arguments)) as? NSDictionary == expected.arguments, what)
        }
    }
}
