import Foundation
import GRDB
import JSON
import TestUpstream
import Testing

extension EndToEnd {
    /// A real worker and a provider that behaves as it is told: what it says and does becomes the documented result.
    @Suite struct Upstream {
        private let upstream: TestUpstream
        private static let path = "/v1/chat/completions"
        private static let answer = #"{"choices":[{"message":{"content":"hello"},"finish_reason":"stop"}]}"#

        init() throws { self.upstream = try TestUpstream() }

        /// A daemon whose only provider, of one slot, is the upstream.
        private func daemon(
            _ more: String = "", at url: String? = nil, environment: [String: String] = [:]
        ) throws -> Daemon {
            let url = url ?? self.upstream.url("/v1")
            return try Daemon(
                "providers: {p: {type: openai-compatible, base_url: \"\(url)\", models: [m], slots: 1, retries: 0\(more)}}",
                environment: environment)
        }

        private static func delta(_ text: String) -> String { #"{"choices":[{"delta":{"content":"\#(text)"}}]}"# }

        /// Sends one prompt, and returns its text and its last frame.
        private func ask(_ daemon: Daemon, stream: Bool = true) throws -> (text: String, last: JSONValue) {
            let wire = try Wire(daemon.socket)
            try wire.prompt(1, stream: stream)
            return try wire.finish(1)
        }

        /// The only row that a daemon has.
        private func row(_ daemon: Daemon) throws -> Row {
            let rows = try daemon.rows()
            #expect(rows.count == 1)
            return try #require(rows.first)
        }

        /// Asserts that the provider's slot serves on, by the process that it had from the start.
        private func expectServing(_ daemon: Daemon, sourceLocation: SourceLocation = #_sourceLocation) throws {
            self.upstream.script(Self.path, .json(Self.answer))
            #expect(try self.ask(daemon).text == "hello", sourceLocation: sourceLocation)
            #expect(try daemon.provider("p")["starts"]?.integer == 1, sourceLocation: sourceLocation)
        }

        // MARK: What is sent

        @Test func thePromptTheSystemPromptAndTheOptionsArriveAsTheyWereWritten() throws {
            defer { self.upstream.stop() }
            self.upstream.script(Self.path, .json(Self.answer))
            let daemon = try self.daemon()
            let wire = try Wire(daemon.socket)
            let options =
                #"{"temperature":1.0,"top_p":-0,"seed":90071992547409931234,"z":{"b":[1e3,null],"a":"\u00fc"}}"#
            try wire.send(
                #"{"id":1,"op":"prompt","prompt":"Grüße \"you\"\n\ud83d\ude00","system":"be kind","options":\#(options)}"#
            )
            #expect(try wire.finish(1).text == "hello")
            let sent = try #require(self.upstream.requests.first)
            #expect(sent.method == "POST")
            #expect(sent.target == Self.path)
            #expect(sent.header("content-type") == "application/json")
            #expect(sent.header("authorization") == nil)
            #expect(
                String(decoding: sent.body, as: UTF8.self)
                    == #"{"model":"m","messages":[{"role":"system","content":"be kind"},"#
                    + #"{"role":"user","content":"Grüße \"you\"\n😀"}],"stream":true,"stream_options":{"include_usage":true},"#
                    + #""temperature":1.0,"top_p":-0,"seed":90071992547409931234,"z":{"b":[1e3,null],"a":"ü"}}"#)
        }

        @Test func oneConnectionServesManyRequests() throws {
            defer { self.upstream.stop() }
            self.upstream.script(Self.path, .json(Self.answer))
            let daemon = try self.daemon()
            let wire = try Wire(daemon.socket)
            for id in 1...20 { try wire.prompt(id, stream: id % 2 == 0) }
            let last = try wire.finishAll(1...20)
            #expect(last.values.allSatisfy { $0["event"]?.string == "done" })
            #expect(self.upstream.requests.count == 20)
            #expect(self.upstream.acceptedConnections == 1)
        }

        // MARK: What is told

        @Test func theProvidersRequestIdIsInTheAnswerAndInTheRow() throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon()
            self.upstream.script(Self.path, .json(Self.answer, headers: [("X-Request-Id", "req_7")]))
            #expect(try self.ask(daemon).last["provider_request_id"]?.string == "req_7")
            self.upstream.script(
                Self.path, .json(#"{"error":{"message":"no"}}"#, status: 500, headers: [("x-request-id", "req_8")]))
            let failed = try self.ask(daemon, stream: false).last
            #expect(failed.errorCode == "provider_error")
            #expect(failed["error"]?["provider_request_id"]?.string == "req_8")
            #expect(try daemon.rows().map { $0["provider_request_id"] as String? } == ["req_7", "req_8"])
        }

        @Test func aWaitThatIsAskedForIsPassedOnInSecondsAndAsADate() throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon()
            let busy = #"{"error":{"message":"slow down"}}"#
            self.upstream.script(Self.path, .json(busy, status: 429, headers: [("Retry-After", "7")]))
            let seconds = try self.ask(daemon).last
            #expect(seconds.errorCode == "provider_rate_limited")
            #expect(seconds.errorMessage == "HTTP 429: slow down")
            #expect(seconds["error"]?["retryable"] == .bool(true))
            #expect(seconds["error"]?["retry_after_ms"]?.integer == 7000)
            let format = DateFormatter()
            format.locale = Locale(identifier: "en_US_POSIX")
            format.timeZone = TimeZone(identifier: "GMT")
            format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
            let date = format.string(from: Date(timeIntervalSinceNow: 3600))
            self.upstream.script(Self.path, .json(busy, status: 503, headers: [("Retry-After", date)]))
            let dated = try self.ask(daemon, stream: false).last
            #expect(dated.errorCode == "provider_error")
            let wait = try #require(dated["error"]?["retry_after_ms"]?.integer, "\(dated.text())")
            #expect((1...3_600_000).contains(wait))
        }

        @Test func aKeyReachesTheProviderAndNothingElse() throws {
            defer { self.upstream.stop() }
            let key = "sk-planted-0123456789"
            self.upstream.script(
                Self.path,
                .json(
                    #"{"error":{"message":"Incorrect API key provided: \#(key)."}}"#, status: 401,
                    headers: [("x-request-id", "for-\(key)")]))
            let daemon = try self.daemon(", key: PLANTED_KEY", environment: ["PLANTED_KEY": key])
            let wire = try Wire(daemon.socket)
            try wire.prompt(1)
            var frames: [JSONValue] = []
            while frames.last?["event"]?.string != "error" { frames.append(try wire.next()) }
            #expect(frames.last?.errorCode == "provider_authentication")
            #expect(frames.last?.errorMessage == "HTTP 401: Incorrect API key provided: [key].")
            #expect(self.upstream.requests.first?.header("authorization") == "Bearer \(key)")
            try wire.send(#"{"id":2,"op":"models"}"#)
            frames.append(try wire.next())
            frames.append(try daemon.status())
            for frame in frames { #expect(!frame.text().contains(key), "\(frame.text())") }
            #expect(try daemon.rowStates() == ["error": 1])
            let children = [try daemon.worker("p"), try daemon.loggerProcess]
            for pid in children + [daemon.pid] {
                #expect(!(try ProcFS.bytes("cmdline", of: pid)).contains(key), "process \(pid)")
            }
            // The environment of bulkheadd is where the key was set.
            for pid in children { #expect(!(try ProcFS.bytes("environ", of: pid)).contains(key), "process \(pid)") }
            try daemon.stop()
            #expect(!daemon.log.contains(key))
            for file in try FileManager.default.subpathsOfDirectory(atPath: daemon.stateDirectory.path) {
                let content = try Data(contentsOf: daemon.stateDirectory.appending(path: file))
                #expect(content.range(of: Data(key.utf8)) == nil, "\(file)")
            }
        }

        @Test func aRedirectIsNotFollowed() throws {
            defer { self.upstream.stop() }
            self.upstream.script(
                Self.path, .json("{}", status: 307, headers: [("Location", self.upstream.url("/elsewhere"))]))
            self.upstream.script("/elsewhere", .json(Self.answer))
            let daemon = try self.daemon(", key: PLANTED_KEY", environment: ["PLANTED_KEY": "sk-1"])
            let last = try self.ask(daemon).last
            #expect(last.errorCode == "provider_rejected")
            #expect(last.errorMessage?.contains("redirects are not followed; check the provider's base_url") == true)
            #expect(self.upstream.requests.map(\.target) == [Self.path])
        }

        // MARK: What breaks

        @Test(arguments: [UpstreamResponse.Step.reset, .close])
        func aConnectionThatBreaksInTheMiddleOfAnAnswerEndsIt(_ end: UpstreamResponse.Step) throws {
            defer { self.upstream.stop() }
            let gate = UpstreamGate()
            self.upstream.script(Self.path, .events([Self.delta("one ")], then: [.wait(gate), end]))
            let daemon = try self.daemon()
            let wire = try Wire(daemon.socket)
            try wire.prompt(1)
            #expect(try wire.await("text", 1)["text"]?.string == "one ")
            gate.open()
            let last = try wire.finish(1).last
            #expect(last.errorCode == "provider_invalid_response", "\(last.text())")
            #expect(last["error"]?["retryable"] == .bool(true))
            let row = try self.row(daemon)
            #expect(row["state"] as String? == "error")
            #expect(row["error_code"] as String? == "provider_invalid_response")
            try self.expectServing(daemon)
        }

        @Test func anErrorWhoseBodyBreaksOffIsStillThatError() throws {
            defer { self.upstream.stop() }
            self.upstream.script(
                Self.path,
                UpstreamResponse(
                    status: 429, headers: [("retry-after", "7")], steps: [.send(Array("too ma".utf8)), .reset]))
            let daemon = try self.daemon()
            let wire = try Wire(daemon.socket)
            try wire.prompt(1)
            let last = try wire.finish(1).last
            #expect(last.errorCode == "provider_rate_limited", "\(last.text())")
            #expect(last["error"]?["retry_after_ms"]?.integer == 7000)
            try self.expectServing(daemon)
        }

        @Test(arguments: [UpstreamResponse.Framing.chunked, .untilClose], [true, false])
        func halfAnEventIsNoAnswer(_ framing: UpstreamResponse.Framing, stream: Bool) throws {
            defer { self.upstream.stop() }
            var response = UpstreamResponse.events(
                [Self.delta("one ")], then: [.send(Array(#"data: {"choices":[{"del"#.utf8)), .close])
            response.framing = framing
            self.upstream.script(Self.path, response)
            let daemon = try self.daemon()
            let (text, last) = try self.ask(daemon, stream: stream)
            #expect(text == (stream ? "one " : ""))
            #expect(last.errorCode == "provider_invalid_response", "\(last.text())")
            try self.expectServing(daemon)
        }

        @Test func aConnectionThatIsRefusedOrBreaksBeforeAnAnswerIsUnreachable() throws {
            defer { self.upstream.stop() }
            self.upstream.script(Self.path, UpstreamResponse(steps: [.sendRaw([]), .close]))
            let broken = try self.ask(try self.daemon()).last
            #expect(broken.errorCode == "provider_unreachable", "\(broken.text())")
            // A port that was free a moment ago.
            let gone = try TestUpstream()
            gone.stop()
            let daemon = try self.daemon(at: gone.url("/v1"))
            let refused = try self.ask(daemon).last
            #expect(refused.errorCode == "provider_unreachable", "\(refused.text())")
            #expect(
                refused.errorMessage?.contains("127.0.0.1") == true,
                "it says who could not be reached: \(refused.text())")
            #expect(refused["error"]?["retryable"] == .bool(true))
            #expect(try self.row(daemon)["error_code"] as String? == "provider_unreachable")
        }

        // MARK: Silence

        @Test(arguments: [
            UpstreamResponse(steps: [.sendRaw([]), .silence]), .events([], then: [.silence]),
            .events([], then: [.send(Array(": still there\n\n".utf8)), .silence]),
        ])
        func anUpstreamThatSaysNothingMeetsTheTimeoutForTheFirstOutput(_ response: UpstreamResponse) throws {
            defer { self.upstream.stop() }
            self.upstream.script(Self.path, response)
            let daemon = try self.daemon(", timeouts: {first_output: 300ms}")
            let last = try self.ask(daemon).last
            #expect(last.errorCode == "timeout", "\(last.text())")
            #expect(last.errorMessage?.contains("first") == true, "it says which timeout: \(last.text())")
            #expect(self.upstream.awaitOpenConnections(atMost: 0))
            #expect(try self.row(daemon)["error_code"] as String? == "timeout")
            try daemon.waitUntilIdle()
            // The same configuration, and a machine that may be busy: only that the process is the same is asserted.
            #expect(try daemon.provider("p")["starts"]?.integer == 1)
        }

        @Test func anUpstreamThatFallsSilentMeetsTheIdleTimeoutAndItsTextStands() throws {
            defer { self.upstream.stop() }
            self.upstream.script(Self.path, .events([Self.delta("one ")], then: [.silence]))
            let daemon = try self.daemon(", timeouts: {idle: 300ms}")
            let (text, last) = try self.ask(daemon)
            #expect(text == "one ")
            #expect(last.errorCode == "timeout", "\(last.text())")
            #expect(last.errorMessage?.contains("idle") == true, "it says which timeout: \(last.text())")
            #expect(self.upstream.awaitOpenConnections(atMost: 0))
            try daemon.waitUntilIdle()
            #expect(try daemon.provider("p")["starts"]?.integer == 1)
        }

        @Test(arguments: [
            UpstreamResponse(steps: [.sendRaw([]), .silence]), .events([Self.delta("one ")], then: [.silence]),
        ])
        func aCancelReachesTheSlotOfASilentUpstream(_ response: UpstreamResponse) throws {
            defer { self.upstream.stop() }
            self.upstream.script(Self.path, response)
            let daemon = try self.daemon(", timeouts: {cancel: 60s}")
            let wire = try Wire(daemon.socket)
            try wire.prompt(1)
            #expect(self.upstream.awaitRequests(1))
            try wire.send(#"{"id":2,"op":"cancel","target":1}"#)
            let last = try wire.finishAll([1, 2])
            #expect(last[1]?.errorCode == "cancelled")
            #expect(last[2]?["event"]?.string == "done")
            #expect(self.upstream.awaitOpenConnections(atMost: 0), "the upstream sees the connection close")
            #expect(try daemon.provider("p")["busy"]?.integer == 0)
            #expect(try self.row(daemon)["state"] as String? == "cancelled")
            try self.expectServing(daemon)
        }

        @Test func aClientThatGoesAwayFreesTheSlotOfASilentUpstream() throws {
            defer { self.upstream.stop() }
            self.upstream.script(Self.path, .events([], then: [.silence]))
            let daemon = try self.daemon(", timeouts: {cancel: 60s}")
            var wire: Wire? = try Wire(daemon.socket)
            try wire?.prompt(1)
            #expect(self.upstream.awaitRequests(1))
            wire = nil
            #expect(self.upstream.awaitOpenConnections(atMost: 0), "the upstream sees the connection close")
            try wait(for: "the row to be closed") { try daemon.rowStates() == ["cancelled": 1] }
            try self.expectServing(daemon)
        }
    }
}
