import BulkheadClient
import Foundation
import GRDB
import JSON
import TestUpstream
import Testing

extension EndToEnd {
    /// Embeddings through the real daemon: batches, their order, what goes on record, what ends them.
    @Suite struct Embeddings {
        private let upstream: TestUpstream
        private static let path = "/v1/embeddings"

        init() throws { self.upstream = try TestUpstream() }

        private func daemon(_ more: String = "") throws -> Daemon {
            try Daemon(
                """
                testing: true
                default_embedding_model: m
                providers:
                  p: {type: openai-compatible, base_url: "\(self.upstream.url("/v1"))", models: [m], slots: 1\(more)}
                  echo: {}
                  fault: {type: echo-fault}
                """)
        }

        /// Answers each batch with the lengths of its texts, its own size, and what it used.
        private func answerLengths(_ vector: @escaping @Sendable (String) -> String = { "[\($0.utf8.count).0,-0]" }) {
            self.upstream.script(Self.path) { .json(Self.answer(to: $0, vector)) }
        }

        private static func texts(_ request: UpstreamRequest) -> [String] {
            let body = try? JSONValue(parsing: request.body)
            return body?["input"]?.array?.compactMap(\.string) ?? []
        }

        private static func answer(
            to request: UpstreamRequest, _ vector: (String) -> String = { "[\($0.utf8.count).0,-0]" }
        ) -> String {
            let texts = Self.texts(request)
            // The order is the index's, not that of the array.
            let data = texts.enumerated().reversed().map { #"{"embedding":\#(vector($1)),"index":\#($0)}"# }
            return
                #"{"model":"m-1","data":[\#(data.joined(separator: ","))],"usage":{"prompt_tokens":\#(texts.count)}}"#
        }

        private func ask(_ daemon: Daemon, _ frame: String) throws -> JSONValue {
            let wire = try Wire(daemon.socket)
            try wire.send(frame)
            return try wire.finish(1).last
        }

        private static func frame(_ input: [String], _ more: String = "") -> String {
            #"{"id":1,"op":"embed","input":\#(JSONValue.array(input.map(JSONValue.string)).text())\#(more)}"#
        }

        private func row(_ daemon: Daemon) throws -> Row {
            let rows = try daemon.rows()
            #expect(rows.count == 1)
            return try #require(rows.first)
        }

        // MARK: What comes back

        @Test func batchesKeepTheOrderAndTheDigitsAndLeaveOneRow() throws {
            defer { self.upstream.stop() }
            self.answerLengths()
            let daemon = try self.daemon()
            let input = (0..<150).map { String(repeating: "ü", count: $0) }
            let last = try self.ask(daemon, Self.frame(input, #","options":{"dimensions":2}"#))
            #expect(last["event"]?.string == "done", "\(last.text())")
            #expect(last["embeddings"]?.array?.map { $0.text() } == input.map { "[\($0.utf8.count).0,-0]" })
            #expect(last["usage"]?.text() == #"{"input":150}"#)
            #expect(["model", "provider", "resolved_model"].map { last[$0]?.string } == ["m", "p", "m-1"])
            #expect(last["conversation"] == nil)
            #expect(self.upstream.requests.map { Self.texts($0).count } == [64, 64, 22])
            #expect(self.upstream.acceptedConnections == 1, "one connection serves all batches")

            let row = try self.row(daemon)
            #expect(row["id"] == last["request"]?.string)
            let texts = ["state", "operation", "model", "provider", "resolved_model"].map { row[$0] as String? }
            #expect(texts == ["done", "embed", "m", "p", "m-1"])
            #expect(row["stream"] == 0)
            #expect(row["input_tokens"] == 150)
            for column in ["output_tokens", "conversation", "turn", "options_json"] {
                #expect((row[column] as DatabaseValue).isNull)
            }
            for table in ["turns", "threads", "messages", "parts", "bulkhead_output", "responses"] {
                #expect(try daemon.rows("SELECT * FROM \(table)").isEmpty, "\(table)")
            }
            #expect(try daemon.provider("p")["starts"]?.integer == 1)
        }

        @Test func theRecordSaysWhatItWasAndTheLogsDoNot() throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon()
            let done = try self.ask(daemon, Self.frame(["a ship"], #","model":"echo-embed""#))
            #expect(done["embeddings"]?.text() == "[[1,4,0,0,0,0,0,0,0,0,0,0,0,0,0,0]]")
            let requests = try self.ask(daemon, #"{"id":1,"op":"requests"}"#)
            #expect(requests["requests"]?[0]?["operation"]?.string == "embed")
            #expect(requests["requests"]?[0]?["id"] == done["request"])
            #expect(try self.ask(daemon, #"{"id":1,"op":"logs"}"#)["logs"]?.array?.isEmpty == true)
            let listed = try EndToEndTests.CommandLine.run("requests", socket: daemon.socket)
            #expect(listed.output.contains("echo-embed") && listed.output.contains("embed\n"), "\(listed.output)")
        }

        @Test func theLibraryGivesNumbers() async throws {
            defer { self.upstream.stop() }
            self.answerLengths { "[\($0.utf8.count),-1.5e-1]" }
            let daemon = try self.daemon()
            let client = try await BulkheadClient.connect(daemon.socket)
            let embeddings = try await client.embed(EmbedRequest(["one", "three"]))
            #expect(embeddings.vectors.map(\.floats) == [[3, -0.15], [5, -0.15]])
            #expect(embeddings.usage?.input == 2)
            await #expect(throws: ClientError.self) { try await client.embed(EmbedRequest([])) }
        }

        /// 15 MB of numbers: more than twice as many values as any other frame may hold.
        @Test func aLargeAnswerArrivesWholeAndALargerOneIsRefused() throws {
            defer { self.upstream.stop() }
            let vector = "[" + Array(repeating: "-0.00692928", count: 1536).joined(separator: ",") + "]"
            self.answerLengths { _ in vector }
            let daemon = try self.daemon()
            let input = Array(repeating: "text", count: 800)
            let wire = try Wire(daemon.socket)
            try wire.send(Self.frame(input))
            let payload = try #require(try wire.receivePayload())
            #expect(payload.count > 800 * vector.utf8.count)
            let object = try JSONObject(payload, bounds: JSONBounds(nodes: .max))
            let vectors = try #require(object["embeddings"]?.elements)
            #expect(vectors.count == 800)
            #expect(vectors.allSatisfy { $0.raw.elementsEqual(vector.utf8) })
            try daemon.waitUntilIdle()
            #expect(try ProcFS.kilobytes("VmHWM", of: daemon.pid) < 96 << 10)
            #expect(try ProcFS.kilobytes("VmHWM", of: daemon.worker("p")) < 128 << 10)

            let sent = self.upstream.requests.count
            let refused = try self.ask(daemon, Self.frame(input + input))
            #expect(refused.errorCode == "answer_too_large")
            #expect(
                refused.errorMessage?.contains("ask for fewer texts at once (about 909)") == true, "\(refused.text())")
            #expect(self.upstream.requests.count == sent + 1, "after the first batch it is certain")
            #expect(try daemon.provider("p")["starts"]?.integer == 1)
        }

        // MARK: What goes wrong

        @Test func oneFailingBatchIsTheProvidersErrorWithTheUsageOfThoseBefore() throws {
            defer { self.upstream.stop() }
            let upstream = self.upstream
            self.upstream.script(Self.path) { request in
                upstream.requests.count <= 2
                    ? .json(Self.answer(to: request))
                    : .json(
                        #"{"error":{"message":"too many tokens"}}"#, status: 400, headers: [("x-request-id", "req_3")])
            }
            let daemon = try self.daemon()
            let last = try self.ask(daemon, Self.frame((0..<200).map(String.init), #","options":{"dimensions":2}"#))
            #expect(last.errorCode == "provider_rejected")
            #expect(last.errorMessage == "HTTP 400: too many tokens")
            #expect(last["error"]?["provider_request_id"]?.string == "req_3")
            #expect(last["usage"]?.text() == #"{"input":128}"#)
            let row = try self.row(daemon)
            let texts = ["state", "operation", "error_code", "provider_request_id"].map { row[$0] as String? }
            #expect(texts == ["error", "embed", "provider_rejected", "req_3"])
            #expect(row["input_tokens"] == 128)
        }

        @Test func itIsTriedAgainFromItsFirstBatch() throws {
            defer { self.upstream.stop() }
            let upstream = self.upstream
            self.upstream.script(Self.path) { request in
                upstream.requests.count == 2
                    ? .json(#"{"error":{"message":"slow down"}}"#, status: 429) : .json(Self.answer(to: request))
            }
            let daemon = try self.daemon()
            let input = (0..<100).map(String.init)
            let last = try self.ask(daemon, Self.frame(input))
            #expect(last["embeddings"]?.array?.count == 100, "\(last.text())")
            #expect(last["attempts"]?.integer == 2)
            #expect(last["usage"]?.text() == #"{"input":100}"#)
            let attempts = try daemon.rows("SELECT * FROM attempts ORDER BY number")
            #expect(attempts.map { $0["input_tokens"] as Int? } == [64, 100])
            #expect(attempts.map { $0["error_code"] as String? } == ["provider_rate_limited", nil])
            #expect(self.upstream.requests.map { Self.texts($0).count } == [64, 36, 64, 36])
        }

        @Test func aWrongNumberOfVectorsIsTheProvidersFault() throws {
            defer { self.upstream.stop() }
            self.upstream.script(Self.path, .json(#"{"data":[{"index":0,"embedding":[1]}]}"#))
            let daemon = try self.daemon()
            let last = try self.ask(daemon, Self.frame(["a", "b"]))
            #expect(last.errorCode == "provider_invalid_response")
            #expect(last.errorMessage?.contains("1 vectors for 2 texts") == true)
            #expect(try self.row(daemon)["state"] == "error")
        }

        @Test func aCancelEndsItInTheMiddleOfABatch() throws {
            defer { self.upstream.stop() }
            let gate = UpstreamGate()
            let upstream = self.upstream
            self.upstream.script(Self.path) { request in
                let steps: [UpstreamResponse.Step] = [.wait(gate), .send(Array(Self.answer(to: request).utf8))]
                return upstream.requests.count == 1
                    ? .json(Self.answer(to: request))
                    : UpstreamResponse(headers: [("content-type", "application/json")], steps: steps)
            }
            let daemon = try self.daemon()
            let wire = try Wire(daemon.socket)
            try wire.send(Self.frame((0..<100).map(String.init)))
            #expect(gate.awaitWaiting())
            try wire.send(#"{"id":2,"op":"cancel","target":1}"#)
            let last = try wire.finish(1).last
            #expect(last.errorCode == "cancelled")
            #expect(try self.row(daemon)["state"] == "cancelled")
            #expect(self.upstream.awaitOpenConnections(atMost: 0), "the batch is given up at the provider too")
            try daemon.waitUntilIdle()
            self.answerLengths()
            #expect(try self.ask(daemon, Self.frame(["x"]))["embeddings"]?.text() == "[[1.0,-0]]")
            #expect(try daemon.provider("p")["starts"]?.integer == 1)
        }

        @Test func aCancelEndsItBetweenTwoBatches() throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon()
            let wire = try Wire(daemon.socket)
            try wire.send(
                Self.frame(["a"], #","model":"echo-fault","options":{"chunks":100000000,"interval_ms":1}"#))
            try wait(for: "the slot to run it") { try daemon.provider("fault")["busy"]?.integer == 1 }
            try wire.send(#"{"id":2,"op":"cancel","target":1}"#)
            #expect(try wire.finish(1).last.errorCode == "cancelled")
            try daemon.waitUntilIdle()
            #expect(try daemon.provider("fault")["starts"]?.integer == 1)
        }

        /// Each batch may take as long as the first output may; all of them may take longer.
        @Test func aBatchThatSaysNothingTimesOut() throws {
            defer { self.upstream.stop() }
            let upstream = self.upstream
            self.upstream.script(Self.path) { request in
                upstream.requests.count <= 2
                    ? .json(Self.answer(to: request)) : UpstreamResponse(steps: [.silence])
            }
            let daemon = try self.daemon(", timeouts: {first_output: 500ms}")
            let last = try self.ask(daemon, Self.frame((0..<200).map(String.init), #","options":{"dimensions":2}"#))
            #expect(last.errorCode == "timeout")
            #expect(last.errorMessage?.contains("first_output") == true)
            #expect(self.upstream.requests.count == 3)
            #expect(try self.row(daemon)["error_code"] == "timeout")
            let slow = try self.ask(
                daemon, Self.frame(["a"], #","model":"echo-fault","options":{"delay_ms":60000},"timeout_ms":50"#))
            #expect(slow.errorCode == "timeout")
        }

        @Test func aWorkerThatDiesEndsItAndNothingElse() throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon()
            let fault = #","model":"echo-fault","options":{"fault":"crash"}"#
            let last = try self.ask(daemon, Self.frame(["a"], fault))
            #expect(last.errorCode == "worker_crashed")
            #expect(try self.row(daemon)["state"] == "crashed")
            for fault in ["bad_json", "unknown_event", "two_lasts"] {
                let options = #","model":"echo-fault","options":{"fault":"\#(fault)"}"#
                try wait(for: "the next worker") { try daemon.provider("fault")["state"]?.string == "ready" }
                #expect(try self.ask(daemon, Self.frame(["a"], options)).errorCode == "worker_misbehaved", "\(fault)")
            }
        }

        @Test func geminisBatchesHaveAHundredTexts() throws {
            defer { self.upstream.stop() }
            self.upstream.script("/v1beta/models/gemini-embedding-001:batchEmbedContents") { request in
                let body = try? JSONValue(parsing: request.body)
                let texts = body?["requests"]?.array?.map { $0["content"]?["parts"]?[0]?["text"]?.string ?? "" } ?? []
                let vectors = texts.map { #"{"values":[\#($0)]}"# }
                return .json(#"{"embeddings":[\#(vectors.joined(separator: ","))]}"#)
            }
            let daemon = try Daemon(
                "providers: {gemini: {base_url: \"\(self.upstream.url("/v1beta"))\", key: KEY}}",
                environment: ["KEY": "AIza-planted"])
            let options = #","model":"gemini-embedding-001","options":{"dimensions":1,"task_type":"CLUSTERING"}"#
            let last = try self.ask(daemon, Self.frame((0..<130).map(String.init), options))
            #expect(last["embeddings"]?.text() == "[\((0..<130).map { "[\($0)]" }.joined(separator: ","))]")
            #expect(self.upstream.requests.count == 2)
            #expect(self.upstream.requests.allSatisfy { $0.header("x-goog-api-key") == "AIza-planted" })
            #expect(last["usage"] == nil)
        }

        @Test func anthropicIsNotAsked() throws {
            defer { self.upstream.stop() }
            let daemon = try Daemon("providers: {anthropic: {key: KEY}}", environment: ["KEY": "k"])
            let last = try self.ask(daemon, Self.frame(["a"], #","model":"claude-opus-5""#))
            #expect(last.errorCode == "model_error")
            #expect(last.errorMessage?.contains("makes no embeddings") == true)
            #expect(try daemon.rows().isEmpty)
        }

        // MARK: The command line

        @Test func theProgramPrintsAVectorALine() throws {
            defer { self.upstream.stop() }
            self.answerLengths()
            let daemon = try self.daemon()
            let folder = try Folder()
            let file = try folder.write("one\n\nthree", to: "texts")
            let lines = try EndToEndTests.CommandLine.run(
                "embed", "--lines", "--batch-size", "2", "--usage", file, socket: daemon.socket)
            #expect(lines.output == "[3.0,-0]\n[0.0,-0]\n[5.0,-0]\n", "\(lines.errors)")
            #expect(lines.errors == "Token usage: 3 input\n")
            #expect(try daemon.rowStates() == ["done": 2])
            let whole = try EndToEndTests.CommandLine.run("embed", file, "--format", "hex", socket: daemon.socket)
            #expect(whole.output == "0000204100000080\n")
        }
    }
}
