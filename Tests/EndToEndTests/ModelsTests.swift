import Foundation
import GRDB
import JSON
import TestUpstream
import Testing

extension EndToEnd {
    /// The catalogue, the checks before dispatch, and what providers list, through the real daemon.
    @Suite struct Models {
        private let upstream: TestUpstream

        init() throws {
            self.upstream = try TestUpstream()
            let answer = #"{"choices":[{"message":{"content":"Endurance"},"finish_reason":"stop"}]}"#
            self.upstream.script("/v1/chat/completions", .json(answer))
            self.upstream.script(
                "/v1/models", .json(#"{"data":[{"id":"known"},{"id":"qwen3:8b","context_length":40960}]}"#))
            self.upstream.script("/v1beta/models") { request in
                request.target.contains("pageToken=p%202")
                    ? .json(#"{"models":[{"name":"models/gemini-8"}]}"#)
                    : .json(
                        #"{"models":[{"name":"models/gemini-9","inputTokenLimit":1000,"outputTokenLimit":10,"#
                            + #""supportedGenerationMethods":["embedContent"]}],"nextPageToken":"p 2"}"#)
            }
            self.upstream.script("/a/v1/models", .json(#"{"error":{"message":"invalid x-api-key"}}"#, status: 401))
        }

        private func daemon() throws -> Daemon {
            try Daemon(
                """
                default_model: known
                providers:
                  echo: {type: echo}
                  local:
                    type: openai-compatible
                    base_url: \(self.upstream.url("/v1"))
                    models:
                      - {id: known, schema: false, tools: false, attachments: [], options: {temperature: {type: number, maximum: 1}}}
                      - {id: whole, streaming: false}
                  gemini: {base_url: "\(self.upstream.url("/v1beta"))", key: KEY, models: ["*"]}
                  anthropic: {base_url: "\(self.upstream.url("/a"))", key: KEY, models: [claude-opus-5]}
                """, environment: ["KEY": "sk-planted"])
        }

        @Test func areListedByTheirProvidersAndKeptOverARestart() throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon()
            let before = try CommandLine.run("-m", "qwen3:8b", "hi", socket: daemon.socket)
            #expect(before.errors.contains("unknown_model"), "\(before.errors)")

            let refresh = try CommandLine.run("models", "--refresh", socket: daemon.socket)
            #expect(refresh.status == 1, "one of the providers refused")
            #expect(
                refresh.output == """
                    local: 2 models, 1 new
                    gemini: 2 models, 2 new
                    anthropic: provider_authentication: HTTP 401: invalid x-api-key

                    """)
            let asked = self.upstream.requests.filter { $0.method == "GET" }
            #expect(asked.count == 4)
            #expect(asked.first { $0.target.contains("pageToken") }?.header("x-goog-api-key") == "sk-planted")
            #expect(asked.first { $0.target.hasPrefix("/a/") }?.header("x-api-key") == "sk-planted")
            #expect(asked.first { $0.target == "/v1/models" }?.header("authorization") == nil)

            try daemon.stop()
            try daemon.start()
            let answer = try CommandLine.run("-m", "qwen3:8b", "hi", socket: daemon.socket)
            #expect(answer.output == "Endurance\n", "\(answer.errors)")
            #expect(try daemon.rows().map { $0["model"] as String } == ["qwen3:8b"], "a refresh has no row")
            let list = try CommandLine.run("models", "--json", "-q", "gemini-9", socket: daemon.socket)
            let model = try #require(try JSONValue(parsing: list.output)[0])
            #expect(model["context"]?.integer == 1000 && model["max_output"]?.integer == 10)
            let refused = try CommandLine.run("-m", "gemini-9", "hi", socket: daemon.socket)
            #expect(
                refused.errors.contains(
                    "not_supported: Google Gemini: gemini-9 does not answer prompts: it makes embeddings"),
                "\(refused.errors)")
            try daemon.waitUntilIdle()
        }

        @Test func thatAreBrokenInTheirFileAreAWarning() throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon()
            try daemon.stop()
            let file = daemon.stateDirectory.appending(path: "models.json")
            try "{".write(to: file, atomically: true, encoding: .utf8)
            try daemon.start()
            #expect(daemon.log.contains("models.json cannot be read"), "\(daemon.log)")
        }

        @Test func areAskedByTheNameOfTheirProviderToo() throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon()
            let wire = try Wire(daemon.socket)
            try wire.prompt(1, model: "local/new/one:2b")
            var start: JSONValue?
            while start == nil || start?["event"]?.string == nil { start = try wire.next() }
            #expect(start?["model"]?.string == "local/new/one:2b")
            #expect(try wire.finish(1).text == "Endurance")
            let sent = try JSONValue(parsing: try #require(self.upstream.requests.last).body)
            #expect(sent["model"]?.string == "new/one:2b")
            let conversation = try #require(start?["conversation"]?.string)
            try wire.send(#"{"id":2,"op":"prompt","prompt":"And now?","conversation":"\#(conversation)"}"#)
            #expect(try wire.finish(2).last["model"]?.string == "local/new/one:2b", "the conversation's model")
            #expect(try daemon.rows().map { $0["model"] as String } == ["local/new/one:2b", "local/new/one:2b"])
        }

        @Test func refuseWhatTheyCannotDoBeforeAnythingIsSent() throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon()
            let wire = try Wire(daemon.socket)
            let cases = [
                (#""schema":"name""#, "not_supported", "local: known does not support schemas"),
                (#""tools":[{"name":"t"}]"#, "not_supported", "local: known does not support tools"),
                (
                    #""attachments":[{"type":"image/png","content":"aGk="}]"#, "not_supported",
                    "local: known does not support attachments"
                ),
                (
                    #""options":{"temperatur":1}"#, "invalid_options",
                    "the model 'known' has no option 'temperatur' (did you mean 'temperature'?). Valid options: temperature"
                ),
                (#""options":{"temperature":1.5}"#, "invalid_options", "option 'temperature' must be a number up to 1"),
                (
                    #""model":"echo","attachments":[{"type":"text/plain","content":"aGk="}]"#, "not_supported",
                    "Echo: echo does not support attachments of type 'text/plain', only image/gif, image/jpeg, image/png"
                ),
                (#""model":"echo","schema":{}"#, "not_supported", "Echo: echo does not support schemas"),
                (
                    #""model":"claude-opus-5","options":{"temperature":2}"#, "invalid_options",
                    "option 'temperature' must be a number from 0 to 1"
                ),
            ]
            for (id, (members, code, message)) in cases.enumerated() {
                try wire.send(#"{"id":\#(id),"op":"prompt","prompt":"hi",\#(members)}"#)
                let last = try wire.finish(id).last
                #expect(last.errorCode == code, "\(members)")
                #expect(last["error"]?["message"]?.string == message)
            }
            #expect(self.upstream.requests.isEmpty)
            #expect(try daemon.rows().isEmpty)
        }

        /// The provider is asked for the whole answer, and the client gets the stream that it wants.
        @Test func thatCannotStreamAnswerInOnePiece() throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon()
            let wire = try Wire(daemon.socket)
            try wire.prompt(1, model: "whole")
            var events: [String] = []
            while events.last != "done" {
                events.append(try #require(try wire.next()["event"]?.string))
                try #require(events.last != "error")
            }
            #expect(events == ["start", "text", "done"])
            let sent = try JSONValue(parsing: try #require(self.upstream.requests.last).body)
            #expect(sent["stream"] == .bool(false))
        }

        @Test func areShownWithTheirOptions() throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon()
            let shown = try CommandLine.run("models", "--options", "-m", "known", socket: daemon.socket)
            #expect(
                shown.output == """
                    local: known
                      Options:
                        temperature: a number up to 1
                      Attachment types: none

                    """)
            let tools = try CommandLine.run(
                "models", "--tools", "--schemas", "-q", "claude", "-v", socket: daemon.socket)
            #expect(tools.output.contains("claude-opus-5"), "\(tools.output)")
            #expect(tools.output.contains("1,000,000  128,000  streaming, schemas, tools, reasoning, attachments"))
            #expect(!tools.output.contains("known"))
        }
    }
}
