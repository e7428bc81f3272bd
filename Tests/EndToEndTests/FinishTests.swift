import Foundation
import GRDB
import JSON
import TestUpstream
import Testing

extension EndToEnd {
    /// `on_disconnect: finish`: the client goes away while its provider holds half of the answer back.
    @Suite struct Finish {
        private let upstream: TestUpstream
        private let gate = UpstreamGate()
        private static let path = "/v1/chat/completions"

        init() throws {
            self.upstream = try TestUpstream()
            func delta(_ text: String) -> String { #"{"choices":[{"delta":{"content":"\#(text)"}}]}"# }
            let end =
                #"{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#
            self.upstream.script(
                Self.path,
                .events(
                    [delta("half")],
                    then: [.wait(self.gate), .event(delta(" and half")), .event(end), .event("[DONE]")]))
        }

        private func daemon(_ more: String = "") throws -> Daemon {
            try Daemon(
                """
                purposes:
                  work: {on_disconnect: finish}
                providers:
                  held: {type: openai-compatible, base_url: "\(self.upstream.url("/v1"))", models: [m], slots: 2}
                \(more)
                """)
        }

        /// Asks, and goes away when half of the answer is there.
        private func askAndLeave(_ daemon: Daemon, _ members: String = "") throws {
            let wire = try Wire(daemon.socket)
            try wire.send(#"{"id":1,"op":"prompt","prompt":"hi","model":"m"\#(members)}"#)
            try wire.await("text", 1)
        }

        private static func finishing(_ daemon: Daemon) throws -> Int? {
            try daemon.status()["requests"]?["finishing"]?.integer
        }

        @Test func theAnswerIsOnRecordWholeAfterItsClientHasGone() throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon()
            try self.askAndLeave(daemon, #","purpose":"work""#)
            try self.askAndLeave(daemon)
            try wait(for: "one of the two to go on alone") { try Self.finishing(daemon) == 1 }
            try wait(for: "the other to be cancelled") { try daemon.rowStates() == ["open": 1, "cancelled": 1] }
            self.gate.open()
            try wait(for: "the answer to be whole") { try daemon.rowStates() == ["done": 1, "cancelled": 1] }
            let row = try #require(try daemon.rows("SELECT * FROM requests WHERE purpose = 'work'").first)
            #expect(row["input_tokens"] as Int? == 3)
            #expect(row["output_tokens"] as Int? == 4)
            let wire = try Wire(daemon.socket)
            try wire.send(#"{"id":1,"op":"logs","purpose":"work"}"#)
            let logs = try wire.next()
            #expect(logs["logs"]?[0]?["response"]?.string == "half and half", "\(logs.text())")
            #expect(try Self.finishing(daemon) == 0)
        }

        @Test func aDrainWaitsForIt() throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon()
            try self.askAndLeave(daemon, #","purpose":"work""#)
            try wait(for: "it to go on alone") { try Self.finishing(daemon) == 1 }
            kill(daemon.pid, SIGTERM)
            try wait(for: "the drain to begin: \(daemon.log)") { daemon.log.contains("draining") }
            #expect(daemon.process.isRunning)
            self.gate.open()
            try wait(for: "the daemon to stop: \(daemon.log)") { !daemon.process.isRunning }
            #expect(daemon.process.terminationStatus == 0)
            #expect(try daemon.rowStates() == ["done": 1])
        }

        @Test func itEndsUnderItsDeadlinesLikeAny() throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon()
            try self.askAndLeave(daemon, #","purpose":"work","timeout_ms":500"#)
            try wait(for: "its deadline") { try daemon.rowStates() == ["error": 1] }
            #expect(try daemon.rows().first?["error_code"] as String? == "timeout")
            try wait(for: "its slot to be free") { try daemon.provider("held")["busy"]?.integer == 0 }
            #expect(try Self.finishing(daemon) == 0)
        }

        @Test func withoutStoredPromptsTheAnswerIsNowhereAndItsUsageIsOnRecord() throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon("log: {prompts: false}")
            try self.askAndLeave(daemon, #","purpose":"work""#)
            try wait(for: "it to go on alone") { try Self.finishing(daemon) == 1 }
            self.gate.open()
            try wait(for: "its end") { try daemon.rowStates() == ["done": 1] }
            #expect(try daemon.rows().first?["output_tokens"] as Int? == 4)
        }

        @Test func anAnswerThatWasAskedForWholeIsFinishedToo() throws {
            defer { self.upstream.stop() }
            let answer = #"{"choices":[{"message":{"content":"all of it"},"finish_reason":"stop"}]}"#
            self.upstream.script(
                Self.path,
                UpstreamResponse(
                    headers: [("content-type", "application/json")],
                    steps: [.wait(self.gate), .send(Array(answer.utf8))]))
            let daemon = try self.daemon()
            var wire: Wire? = try Wire(daemon.socket)
            try wire!.send(
                #"{"id":1,"op":"prompt","prompt":"hi","model":"m","purpose":"work","stream":false}"#)
            #expect(self.gate.awaitWaiting())
            wire = nil
            try wait(for: "it to go on alone") { try Self.finishing(daemon) == 1 }
            self.gate.open()
            try wait(for: "its end") { try daemon.rowStates() == ["done": 1] }
            let other = try Wire(daemon.socket)
            try other.send(#"{"id":1,"op":"logs"}"#)
            #expect(try other.next()["logs"]?[0]?["response"]?.string == "all of it")
        }

        @Test func aGroupWhoseClientDiedIsThereUntilItsLastRequestIsFinished() throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon()
            var wire: Wire? = try Wire(daemon.socket)
            try wire!.send(#"{"id":1,"op":"group_begin","purpose":"work","model":"m"}"#)
            let group = try #require(try wire!.next()["group"]?.string)
            try wire!.send(#"{"id":2,"op":"prompt","prompt":"hi","group":"\#(group)"}"#)
            try wire!.await("text", 2)
            wire = nil
            try wait(for: "it to go on alone") { try Self.finishing(daemon) == 1 }
            #expect(try daemon.status()["requests"]?["groups"]?.integer == 1)
            self.gate.open()
            try wait(for: "the group to be gone") { try daemon.status()["requests"]?["groups"]?.integer == 0 }
            try wait(for: "its end") { try daemon.rowStates() == ["done": 1] }
            #expect(try daemon.rows().first?["group_id"] as String? == group)
        }
    }
}
