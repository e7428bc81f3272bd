import Foundation
import GRDB
import JSON
import TestUpstream
import Testing

extension EndToEnd {
    /// A provider of type gemini in a real worker: its key, its answers and its errors, as a client sees them.
    @Suite struct Gemini {
        private let upstream: TestUpstream
        private static let key = "AIza-planted-0123456789"
        private static let streamed = "/v1beta/models/gemini-x:streamGenerateContent"
        private static let whole = "/v1beta/models/gemini-x:generateContent"

        init() throws { self.upstream = try TestUpstream() }

        private func daemon() throws -> Daemon {
            try Daemon(
                "providers: {gemini: {base_url: \"\(self.upstream.url("/v1beta"))\", key: KEY, models: [gemini-x], slots: 1, retries: 0}}",
                environment: ["KEY": Self.key])
        }

        private static func response(_ parts: String, _ more: String = "") -> String {
            #"{"candidates":[{"content":{"parts":[\#(parts)],"role":"model"}\#(more)}],"modelVersion":"gemini-x-001","usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4,"thoughtsTokenCount":5}}"#
        }

        @Test func aStreamArrivesWithItsSignaturesAndLeavesARow() throws {
            defer { self.upstream.stop() }
            self.upstream.script(
                Self.streamed,
                .events([
                    Self.response(#"{"text":"hm","thought":true}"#),
                    Self.response(#"{"text":"Grüße"}"#),
                    Self.response(#"{"text":"","thoughtSignature":"c2ln"}"#),
                    Self.response(#"{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"Y2Fs"}"#),
                    Self.response(#"{"text":""}"#, #","finishReason":"STOP""#),
                ]))
            let daemon = try self.daemon()
            let wire = try Wire(daemon.socket)
            try wire.prompt(1, options: #"{"max_output_tokens":9}"#)
            var frames: [JSONValue] = []
            while frames.last?["event"]?.string != "done" {
                frames.append(try wire.next())
                try #require(frames.last?["event"]?.string != "error", "\(frames.last!.text())")
            }
            #expect(
                frames.map { $0["event"]?.string } == [
                    "start", "reasoning", "text", "metadata", "text", "metadata", "tool_call", "metadata", "done",
                ])
            #expect(frames[5]["of"]?.string == "text")
            #expect(frames[5]["provider_metadata"]?.text() == #"{"gemini":{"thoughtSignature":"c2ln"}}"#)
            #expect(frames[6]["tool_call_id"]?.string?.hasPrefix("tc_") == true)
            #expect(frames[7]["provider_metadata"]?.text() == #"{"gemini":{"thoughtSignature":"Y2Fs"}}"#)
            #expect(frames[8]["usage"]?["input"]?.integer == 3 && frames[8]["usage"]?["output"]?.integer == 9)
            let sent = try #require(self.upstream.requests.first)
            #expect(sent.target == Self.streamed + "?alt=sse")
            #expect(sent.header("x-goog-api-key") == Self.key)
            #expect(
                String(decoding: sent.body, as: UTF8.self)
                    == #"{"contents":[{"role":"user","parts":[{"text":"hi"}]}],"generationConfig":{"maxOutputTokens":9}}"#
            )
            let row = try #require(try daemon.rows().first)
            #expect(row["state"] as String? == "done")
            #expect(row["output_tokens"] as Int? == 9)
            #expect(row["finish_reason"] as String? == "STOP")
        }

        @Test func errorsSayHowLongToWaitAndNeverTheKey() throws {
            defer { self.upstream.stop() }
            let daemon = try self.daemon()
            let wire = try Wire(daemon.socket)
            let details = #"[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7.5s"}]"#
            self.upstream.script(
                Self.whole,
                .json(
                    #"[{"error":{"code":429,"message":"quota of \#(Self.key)","details":\#(details)}}]"#, status: 429))
            try wire.prompt(1, stream: false)
            let busy = try wire.finish(1).last
            #expect(busy.errorCode == "provider_rate_limited")
            #expect(busy.errorMessage == "HTTP 429: quota of [key]")
            #expect(busy["error"]?["retry_after_ms"]?.integer == 7500)
            self.upstream.script(Self.whole, .json(Self.response("", #","finishReason":"SAFETY""#)))
            try wire.prompt(2, stream: false)
            let stopped = try wire.finish(2).last
            #expect(stopped.errorCode == "provider_rejected")
            #expect(stopped["error"]?["retryable"] == .bool(false))
            #expect(stopped["usage"]?["input"]?.integer == 3)
            try wire.prompt(3, options: #"{"top_q":1}"#)
            #expect(try wire.finish(3).last.errorCode == "invalid_options")
            #expect(try daemon.provider("gemini")["starts"]?.integer == 1, "the slot serves on")
        }
    }
}
