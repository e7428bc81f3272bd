import Foundation
import JSON
import TestUpstream
import Testing

extension EndToEnd {
    /// A provider of type anthropic in a real worker: what it wants to see again is on record, and goes back.
    @Suite struct Anthropic {
        private static let blocks = [
            #"{"type":"thinking","thinking":"hm","signature":"c2ln"}"#,
            #"{"type":"redacted_thinking","data":"Zmlyc3Q="}"#, #"{"type":"redacted_thinking","data":"c2Vjb25k"}"#,
            #"{"type":"text","text":"hello"}"#,
        ]

        /// The same as a stream.
        private static func events() -> [String] {
            let starts = [
                #"{"type":"thinking","thinking":"","signature":""}"#, blocks[1], blocks[2],
                #"{"type":"text","text":""}"#,
            ]
            let deltas = [
                [
                    #"{"type":"thinking_delta","thinking":"hm"}"#, #"{"type":"signature_delta","signature":"c2ln"}"#,
                ], [], [], [#"{"type":"text_delta","text":"hello"}"#],
            ]
            let content = starts.indices.flatMap { index in
                [#"{"type":"content_block_start","index":\#(index),"content_block":\#(starts[index])}"#]
                    + deltas[index].map { #"{"type":"content_block_delta","index":\#(index),"delta":\#($0)}"# }
                    + [#"{"type":"content_block_stop","index":\#(index)}"#]
            }
            return [#"{"type":"message_start","message":{"model":"claude-opus-5"}}"#] + content
                + [#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#, #"{"type":"message_stop"}"#]
        }

        @Test(arguments: [true, false])
        func twoRedactedReasoningsInARowGoBackAsTheTwoThatTheyWere(isStreamed: Bool) throws {
            let upstream = try TestUpstream()
            defer { upstream.stop() }
            let whole = #"{"type":"message","model":"claude-opus-5","content":[\#(Self.blocks.joined(separator: ","))]"#
            upstream.script(
                "/v1/messages", isStreamed ? .events(Self.events()) : .json(whole + #","stop_reason":"end_turn"}"#))
            let daemon = try Daemon(
                "providers: {anthropic: {base_url: \"\(upstream.url())\", key: KEY, models: [claude-opus-5], slots: 1}}",
                environment: ["KEY": "sk-planted"])
            let wire = try Wire(daemon.socket)
            try wire.prompt(1, stream: isStreamed)
            let last = try wire.finish(1).last
            let conversation = try #require(last["conversation"]?.string, "\(last.text())")

            // Another daemon has nothing but the record.
            try daemon.stop()
            try daemon.start()
            let next = try Wire(daemon.socket)
            try next.send(#"{"id":2,"op":"prompt","prompt":"and now?","conversation":"\#(conversation)"}"#)
            _ = try next.finish(2)
            let messages = try JSONValue(parsing: try #require(upstream.requests.last).body)["messages"]
            #expect(
                messages?.text()
                    == #"[{"role":"user","content":[{"type":"text","text":"hi"}]},{"role":"assistant","content":["#
                    + Self.blocks.joined(separator: ",")
                    + #"]},{"role":"user","content":[{"type":"text","text":"and now?"}]}]"#)
        }
    }
}
