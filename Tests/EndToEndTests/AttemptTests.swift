import Foundation
import GRDB
import JSON
import TestUpstream
import Testing

extension EndToEnd {
    /// Providers that fail before they have said anything: what is tried again, where, and what is on record of it.
    @Suite struct Attempts {
        private let first: TestUpstream
        private let second: TestUpstream
        private static let path = "/v1/chat/completions"
        private static let busy = #"{"error":{"message":"slow down"}}"#
        private static let usage = #""usage":{"prompt_tokens":5,"completion_tokens":2}"#

        init() throws {
            self.first = try TestUpstream()
            self.second = try TestUpstream()
        }

        private static func answer(_ text: String) -> String {
            #"{"choices":[{"message":{"content":"\#(text)"},"finish_reason":"stop"}],\#(Self.usage)}"#
        }

        /// A daemon with the models `a` and `b`, of two providers, the latter in place of the former.
        private func daemon(retries: Int, at url: String? = nil) throws -> Daemon {
            try Daemon(
                """
                providers:
                  one: {type: openai-compatible, base_url: "\(url ?? self.first.url("/v1"))", models: [a], retries: \(retries)}
                  two: {type: openai-compatible, base_url: "\(self.second.url("/v1"))", models: [b], retries: 0}
                default_model: a
                fallbacks: {a: [b]}
                """)
        }

        private func ask(_ daemon: Daemon, stream: Bool = true) throws -> (text: String, last: JSONValue) {
            let wire = try Wire(daemon.socket)
            try wire.prompt(1, stream: stream)
            return try wire.finish(1)
        }

        /// Has the upstream answer so, one response after the other, the last one for ever.
        private func script(_ upstream: TestUpstream, _ responses: UpstreamResponse...) {
            upstream.script(Self.path) { [upstream] _ in
                responses[min(upstream.requests.count, responses.count) - 1]
            }
        }

        private func attempts(_ daemon: Daemon) throws -> [[String]] {
            let sql = """
                SELECT number || '', provider, model, ifnull(error_code, 'done') AS outcome,
                    ifnull(input_tokens || '', '-') AS tokens
                FROM attempts ORDER BY request, number
                """
            return try daemon.rows(sql).map { row in (0..<5).map { row[$0] as String } }
        }

        @Test(arguments: [true, false])
        func aProviderThatSaysWhenIsAskedAgainThen(stream: Bool) throws {
            defer { self.first.stop() }
            defer { self.second.stop() }
            let daemon = try self.daemon(retries: 2)
            self.script(
                self.first, .json(Self.busy, status: 429, headers: [("Retry-After", "1")]), .json(Self.answer("hello")))
            let start = ContinuousClock.now
            let (text, last) = try self.ask(daemon, stream: stream)
            #expect(ContinuousClock.now - start >= .seconds(1))
            #expect((stream ? text : last["text"]?.string) == "hello")
            #expect(last["attempts"]?.integer == 2)
            #expect(self.first.requests.count == 2 && self.second.requests.isEmpty)
            #expect(self.first.requests[0].body == self.first.requests[1].body)
            #expect(
                try self.attempts(daemon) == [
                    ["1", "one", "a", "provider_rate_limited", "-"], ["2", "one", "a", "done", "5"],
                ])
            let row = try #require(try daemon.rows().first)
            #expect(row["model"] == "a")
            #expect(row["state"] == "done")
            #expect(row["input_tokens"] == 5)
            #expect(try daemon.status()["requests"]?["retries"]?.integer == 1)
        }

        @Test func anotherProviderAnswersWhenTheFirstKeepsFailing() throws {
            defer { self.first.stop() }
            defer { self.second.stop() }
            let daemon = try self.daemon(retries: 1)
            self.script(self.first, .json(Self.busy, status: 503))
            self.script(self.second, .json(Self.answer("from b")))
            let wire = try Wire(daemon.socket)
            try wire.prompt(1)
            #expect(try wire.await("start", 1)["model"]?.string == "a")
            let again = try wire.await("start", 1)
            #expect(again["model"]?.string == "b" && again["provider"]?.string == "two")
            #expect(again["attempt"]?.integer == 3)
            let (text, last) = try wire.finish(1)
            #expect(text == "from b")
            #expect(last["model"]?.string == "b" && last["attempts"]?.integer == 3)
            #expect(self.first.requests.count == 2)
            #expect(
                try self.attempts(daemon) == [
                    ["1", "one", "a", "provider_error", "-"], ["2", "one", "a", "provider_error", "-"],
                    ["3", "two", "b", "done", "5"],
                ])
            let row = try #require(try daemon.rows().first)
            #expect(row["model"] == "b")
            #expect(row["provider"] == "two")
            #expect(try daemon.rows("SELECT model FROM turns").first?["model"] == "b")
            let shown = try CommandLine.run("requests", socket: daemon.socket)
            #expect(shown.output.split(separator: "\n").count == 5)
            #expect(shown.output.contains("attempt 3"))
            try wire.send(#"{"id":2,"op":"requests"}"#)
            let listed = try wire.finish(2).last["requests"]?[0]?["attempts"]?.array
            #expect(listed?.map { $0["model"]?.string } == ["a", "a", "b"])
        }

        @Test func aProviderThatIsNotThereIsReplaced() throws {
            let nobody = self.first.url("/v1")
            self.first.stop()
            defer { self.second.stop() }
            let daemon = try self.daemon(retries: 0, at: nobody)
            self.script(self.second, .json(Self.answer("from b")))
            let run = try CommandLine.run("prompt", "hello", socket: daemon.socket)
            #expect(run.output == "from b\n" && run.status == 0)
            #expect(
                try self.attempts(daemon) == [
                    ["1", "one", "a", "provider_unreachable", "-"], ["2", "two", "b", "done", "5"],
                ])
        }

        @Test func nothingIsTriedAgainAfterOutput() throws {
            defer { self.first.stop() }
            defer { self.second.stop() }
            let daemon = try self.daemon(retries: 2)
            self.first.script(
                Self.path, .events([#"{"choices":[{"delta":{"content":"half"}}]}"#], then: [.reset]))
            let (text, last) = try self.ask(daemon)
            #expect(text == "half")
            #expect(last["event"]?.string == "error" && last["attempts"] == nil)
            #expect(self.first.requests.count == 1 && self.second.requests.isEmpty)
            #expect(try self.attempts(daemon) == [])
        }

        @Test func whatTheProviderRejectsIsNotTriedAgain() throws {
            defer { self.first.stop() }
            defer { self.second.stop() }
            let daemon = try self.daemon(retries: 2)
            self.script(self.first, .json(#"{"error":{"message":"bad"}}"#, status: 400))
            #expect(try self.ask(daemon).last.errorCode == "provider_rejected")
            #expect(self.first.requests.count == 1 && self.second.requests.isEmpty)
        }

        @Test func aKeyThatIsRefusedLeadsToTheNextModel() throws {
            defer { self.first.stop() }
            defer { self.second.stop() }
            let daemon = try self.daemon(retries: 2)
            self.script(self.first, .json(#"{"error":{"message":"bad key"}}"#, status: 401))
            self.script(self.second, .json(Self.answer("from b")))
            #expect(try self.ask(daemon).text == "from b")
            #expect(self.first.requests.count == 1)
        }

        @Test func whenAllFailTheLastErrorSaysWhatWasTried() throws {
            defer { self.first.stop() }
            defer { self.second.stop() }
            let daemon = try self.daemon(retries: 1)
            self.script(self.first, .json(Self.busy, status: 500))
            self.script(self.second, .json(Self.busy, status: 429, headers: [("Retry-After", "3600")]))
            let last = try self.ask(daemon).last
            #expect(last.errorCode == "provider_rate_limited")
            #expect(last.errorMessage == "HTTP 429: slow down (3 attempts: 2 of 'a', 1 of 'b')")
            #expect(last["error"]?["retry_after_ms"]?.integer == 3_600_000)
            #expect(last["attempts"]?.integer == 3)
            let row = try #require(try daemon.rows().first)
            #expect(row["state"] == "error")
            #expect(row["model"] == "b")
            #expect(try self.attempts(daemon).count == 3)
        }

        @Test func aRequestThatWaitsIsCancelledAtOnceAndHoldsNoSlot() throws {
            defer { self.first.stop() }
            defer { self.second.stop() }
            let daemon = try self.daemon(retries: 2)
            self.script(self.first, .json(Self.busy, status: 429, headers: [("Retry-After", "50")]))
            let wire = try Wire(daemon.socket)
            try wire.prompt(1)
            try wait(for: "the wait of the request") { try daemon.status()["requests"]?["waiting"]?.integer == 1 }
            #expect(try daemon.provider("one")["busy"]?.integer == 0)
            try wire.send(#"{"id":2,"op":"cancel","target":1}"#)
            #expect(try wire.finish(1).last.errorCode == "cancelled")
            #expect(try self.attempts(daemon).count == 1)
            #expect(try daemon.status()["memory"]?["used_bytes"]?.integer == 0)
        }
    }
}
