import Foundation
import GRDB
import JSON
import Recordings
import TestUpstream
import Testing

extension EndToEnd {
    /// Every recorded exchange with a real provider becomes the answer that its body says, however it is cut: to the client, in
    /// the table of requests, and on record.
    @Suite struct ReplayedRecordings {
        @Test(
            .enabled(if: SharedFolder.holds("recordings"), "the recordings are not on this machine"),
            arguments: [0, 7, 1])
        func everyRecordingGivesItsTextCallsUsageAndErrors(chunk: Int) throws {
            let upstream = try TestUpstream()
            defer { upstream.stop() }
            let house = try ReplayHouse(upstream, chunk: chunk)
            #expect(house.recordings.count == 241)
            let expected = try house.recordings.map { try ExpectedAnswer($0) }
            if chunk == 0 { self.expectEveryKind(expected) }

            let answers = try house.answers()
            // A comparison that finds no differences anywhere would show nothing.
            let strangers = zip(answers, expected.reversed().flatMap { [$0, $0] })
            let differing = strangers.count { $1.differences(from: $0.answer, isStreamed: $0.isStreamed) != [] }
            #expect(differing > answers.count * 9 / 10)
            let rows = Dictionary(uniqueKeysWithValues: try house.daemon.rows().map { ($0["id"] as String, $0) })
            let logs = try house.logs()
            #expect(rows.count == answers.count)
            for answer in answers {
                let expected = expected[answer.recording]
                let what: Comment =
                    "\(house.recordings[answer.recording].id), \(answer.isStreamed ? "streamed" : "whole"): \(answer.answer.last.text().prefix(500))"
                let differences = expected.differences(from: answer.answer, isStreamed: answer.isStreamed)
                #expect(differences == [], what)
                if answer.isStreamed { #expect(answer.answer.events.first == "start", what) }
                let ulid = answer.answer.last["request"]?.string ?? ""
                self.expect(try #require(rows[ulid], what), expected, what)
                self.expect(try #require(logs[ulid], what), answer, expected, what)
            }
        }

        /// The recordings hold what this is to show.
        private func expectEveryKind(_ expected: [ExpectedAnswer]) {
            #expect(expected.contains { $0.failure != nil && !$0.text.isEmpty }, "an error after text")
            #expect(expected.contains { $0.failure == nil && !$0.reasoning.isEmpty })
            #expect(expected.contains { $0.calls.count == 2 })
            #expect(expected.contains { $0.serverCalls?.isEmpty == false })
            #expect(expected.contains { $0.inputTokens == nil && !$0.text.isEmpty }, "no usage")
            let codes = Set(expected.compactMap(\.failure?.code))
            #expect(codes == ["provider_rate_limited", "provider_rejected", "provider_invalid_response"])
        }

        private func expect(_ row: Row, _ expected: ExpectedAnswer, _ what: Comment) {
            #expect(row["state"] as String? == (expected.failure == nil ? "done" : "error"), what)
            #expect(row["input_tokens"] as Int? == expected.inputTokens, what)
            #expect(row["output_tokens"] as Int? == expected.outputTokens, what)
            #expect(row["error_code"] as String? == expected.failure?.code, what)
            if expected.failure == nil { #expect(row["finish_reason"] as String? == expected.finishReason, what) }
        }

        /// What `op: logs` shows is what was delivered.
        private func expect(
            _ log: JSONValue, _ answer: ReplayHouse.Answer, _ expected: ExpectedAnswer, _ what: Comment
        ) {
            #expect(log["error"]?["code"]?.string == expected.failure?.code, what)
            #expect(log["usage"]?["input"]?.integer == expected.inputTokens, what)
            #expect(log["usage"]?["output"]?.integer == expected.outputTokens, what)
            guard answer.isStreamed || expected.failure == nil else { return }
            #expect(log["response"]?.string ?? "" == expected.text, what)
            #expect(log["reasoning"]?.string ?? "" == expected.reasoning, what)
            let names = log["tool_calls"]?.array?.compactMap { $0["name"]?.string } ?? []
            #expect(names == answer.answer.calls.map(\.name), what)
        }
    }
}
