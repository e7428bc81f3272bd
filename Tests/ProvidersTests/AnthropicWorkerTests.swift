import BlockingChannel
import JSON
import Messages
import TestUpstream
import Testing

/// The Messages API from the real worker process, over HTTP.
@Suite struct AnthropicWorkerTests {
    private static let events = [
        #"{"type":"message_start","message":{"model":"claude-opus-5","usage":{"input_tokens":3,"output_tokens":1}}}"#,
        #"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
        #"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}"#,
        #"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}"#,
        #"{"type":"content_block_stop","index":0}"#,
        #"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_1","name":"look","input":{}}}"#,
        #"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}}"#,
        #"{"type":"content_block_stop","index":1}"#,
        #"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":9}}"#,
        #"{"type":"message_stop"}"#,
    ]

    private static func frames(_ slot: inout BlockingChannel) throws -> [[UInt8]] {
        var frames: [[UInt8]] = []
        while let frame = try slot.read() {
            frames.append(frame)
            if ["done", "error"].contains(try JSONValue(parsing: frame)["event"]?.string) { break }
        }
        return frames
    }

    @Test func aCallItsSignatureAndItsResultMakeTwoRounds() throws {
        let upstream = try TestUpstream()
        defer { upstream.stop() }
        upstream.script("/v1/messages", .events(Self.events, headers: [("request-id", "req_1")]))
        let worker = try WorkerProcess(named: "p", slots: 1)
        var settings = AnthropicExchange.settings(upstream.url())
        settings.slots = 1
        try worker.control.write(WorkerControl.configure(settings).encoded)
        _ = try worker.report()
        var slot = worker.takeSlot()
        func ask(_ number: Int, _ prompt: PromptRequest) throws -> [[UInt8]] {
            try slot.write(
                SlotRequest.encodePrompt(prompt, request: SlotPeer.id(number), model: "claude-opus-5", key: "sk-1"))
            return try Self.frames(&slot)
        }
        let first = try ask(1, PromptRequest(prompt: "look!"))
        let answer = try Outcome(first)
        #expect(answer.toolCalls == [["look", #"{"a":1}"#]])
        #expect(answer.reasoning == "hm")
        #expect(answer.providerRequestID == "req_1")
        #expect(answer.usage == Usage(input: 3, output: 9))

        let parts = try AnthropicExchange.parts(first)
        var next = PromptRequest()
        next.messages = JSONValue.array([
            ModelMessage(.user, text: "look!").value, ModelMessage(.assistant, parts).value,
            ModelMessage(
                .tool, [MessagePart(.toolResult(ToolResult(name: "look", output: "seen", toolCallID: "toolu_1")))]
            ).value,
        ]).serialized()
        let second = try Outcome(try ask(2, next))
        #expect(second.failure == nil)
        let sent = try #require(upstream.requests.last)
        #expect(sent.header("x-api-key") == "sk-1")
        #expect(
            try JSONValue(parsing: sent.body)["messages"]?.text()
                == #"[{"role":"user","content":[{"type":"text","text":"look!"}]},"#
                + #"{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"tool_use","id":"toolu_1","name":"look","input":{"a":1}}]},"#
                + #"{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"seen"}]}]"#
        )

        upstream.script(
            "/v1/messages",
            .json(
                #"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, status: 529,
                headers: [("retry-after", "2"), ("request-id", "req_2")]))
        let failure = try Outcome(try ask(3, PromptRequest(prompt: "x"))).failure
        #expect(
            failure
                == Failure(
                    .providerError, "HTTP 529: Overloaded", retryAfterMilliseconds: 2000, providerRequestID: "req_2"))
        #expect(worker.abandon().code == 0)
    }
}
