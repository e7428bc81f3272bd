import Foundation
import GRDB
import JSON
import TestUpstream
import Testing

extension EndToEnd {
    /// A provider of type openai in a real worker: what it wants to see again travels to the client, and back.
    @Suite struct OpenAI {
        private let upstream: TestUpstream
        private static let path = "/v1/responses"

        init() throws { self.upstream = try TestUpstream() }

        private func daemon() throws -> Daemon {
            try Daemon(
                "providers: {openai: {base_url: \"\(self.upstream.url("/v1"))\", key: KEY, models: [gpt-5], slots: 1, retries: 0}}",
                environment: ["KEY": "sk-planted"])
        }

        private static let reasoning = #"{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"gA=="}"#
        private static let message =
            #"{"id":"msg_1","type":"message","role":"assistant","phase":"final_answer","content":[{"type":"output_text","text":"Endurance","annotations":[]}]}"#

        @Test func reasoningComesBackToTheProviderThatWroteIt() throws {
            defer { self.upstream.stop() }
            self.upstream.script(
                Self.path,
                .events([
                    #"{"type":"response.created","response":{"model":"gpt-5-2025-08-07"}}"#,
                    #"{"type":"response.output_item.done","output_index":0,"item":\#(Self.reasoning)}"#,
                    #"{"type":"response.output_text.delta","output_index":1,"delta":"Endu"}"#,
                    #"{"type":"response.output_text.delta","output_index":1,"delta":"rance"}"#,
                    #"{"type":"response.output_item.done","output_index":1,"item":\#(Self.message)}"#,
                    #"{"type":"response.completed","response":{"model":"gpt-5-2025-08-07","status":"completed","output":[\#(Self.reasoning),\#(Self.message)],"usage":{"input_tokens":7,"output_tokens":5,"output_tokens_details":{"reasoning_tokens":3}}}}"#,
                ]))
            let daemon = try self.daemon()
            let wire = try Wire(daemon.socket)
            try wire.prompt(1)
            var frames: [JSONValue] = []
            while frames.last?["event"]?.string != "done" {
                frames.append(try wire.next())
                try #require(frames.last?["event"]?.string != "error", "\(frames.last!.text())")
            }
            #expect(frames.map { $0["event"]?.string } == ["start", "metadata", "text", "text", "metadata", "done"])
            #expect(frames[1]["of"] == .string("reasoning") && frames[1]["redacted"] == .bool(true))
            #expect(frames[5]["usage"]?["input"]?.integer == 7)
            #expect(frames[5]["resolved_model"] == .string("gpt-5-2025-08-07"))
            #expect(frames[5]["finish_reason"] == .string("completed"))
            #expect(try daemon.rows().first?["output_tokens"] as Int? == 5)

            let reasoning = try #require(frames[1]["provider_metadata"]?.text())
            let phase = try #require(frames[4]["provider_metadata"]?.text())
            let parts = [
                #"{"type":"reasoning","text":"","redacted":true,"provider_metadata":\#(reasoning)}"#,
                #"{"type":"text","text":"Endurance","provider_metadata":\#(phase)}"#,
            ]
            let history =
                #"[{"role":"user","parts":[{"type":"text","text":"Name a ship."}]},{"role":"assistant","parts":[\#(parts.joined(separator: ","))]}]"#
            try wire.send(#"{"id":2,"op":"prompt","prompt":"Whose?","messages":\#(history)}"#)
            #expect(try wire.finish(2).text == "Endurance")
            let sent = try JSONValue(parsing: try #require(self.upstream.requests.last).body)
            #expect(
                sent["input"]?.array?.map { $0.text() } == [
                    #"{"role":"user","content":"Name a ship."}"#,
                    #"{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gA=="}"#,
                    #"{"role":"assistant","content":"Endurance","phase":"final_answer"}"#,
                    #"{"role":"user","content":"Whose?"}"#,
                ])
            #expect(self.upstream.requests.last?.header("authorization") == "Bearer sk-planted")
        }

        @Test func anAnswerThatWasCutShortIsAnErrorWhereASchemaWasAskedFor() throws {
            defer { self.upstream.stop() }
            self.upstream.script(
                Self.path,
                .json(
                    #"{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[\#(Self.message)],"usage":{"input_tokens":7,"output_tokens":5}}"#
                ))
            let daemon = try self.daemon()
            let wire = try Wire(daemon.socket)
            try wire.send(
                #"{"id":1,"op":"prompt","prompt":"Name a ship.","stream":false,"schema":{"type":"object"},"options":{"max_tokens":5}}"#
            )
            let last = try wire.finish(1).last
            #expect(last.errorCode == "model_error")
            #expect(last["usage"]?["output"]?.integer == 5)
            #expect(try daemon.rows().first?["error_code"] as String? == "model_error")
            let sent = try JSONValue(parsing: try #require(self.upstream.requests.last).body)
            #expect(sent["max_output_tokens"]?.integer == 5)
            #expect(sent["text"]?["format"]?["schema"]?.text() == #"{"type":"object"}"#)
        }
    }
}
