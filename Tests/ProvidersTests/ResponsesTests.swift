import JSON
import Messages
import Testing
import Transport

/// OpenAI's Responses API: how it is asked, and what is read of its answers.
@Suite struct ResponsesTests {
    static func settings(_ model: String = "gpt-5", _ baseURL: String = "http://upstream/v1") -> ProviderSettings {
        ProviderSettings(name: "openai", kind: .openAI, models: [ModelDescription(id: model)], baseURL: baseURL)
    }

    private static func ask(
        _ bytes: [UInt8], pieces: [[UInt8]]? = nil, isStream: Bool = true, stream: Bool = true, schema: String? = nil
    ) throws -> Outcome {
        var request = try request("hi", model: "gpt-5", stream: stream, key: "sk-1")
        request.schema = try schema.map { try JSONValue(parsing: $0) }
        let transport = FakeTransport(
            contentType: isStream ? "text/event-stream" : "application/json",
            headers: [HTTPHeader("x-request-id", "req_1")], pieces: pieces ?? [bytes])
        return try outcome(of: request, Self.settings(), over: transport)
    }

    private static func stream(_ events: [String]) -> [UInt8] {
        Array(
            events.map { "event: \((try? JSONValue(parsing: $0))?["type"]?.string ?? "")\ndata: \($0)\n\n" }.joined()
                .utf8)
    }

    // MARK: A whole answer and the same in a stream

    private static let reasoning =
        #"{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"One."},{"type":"summary_text","text":"Two."}],"encrypted_content":"gA=="}"#
    private static let silent = #"{"id":"rs_2","type":"reasoning","summary":[],"encrypted_content":"gB=="}"#
    private static let search =
        #"{"id":"ws_1","type":"web_search_call","status":"completed","action":{"type":"search","query":"q"}}"#
    private static let comment =
        #"{"id":"msg_1","type":"message","role":"assistant","status":"completed","phase":"commentary","content":[{"type":"output_text","text":"Grüße","annotations":[]}]}"#
    private static let final =
        #"{"id":"msg_2","type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"The end.","annotations":[{"type":"url_citation","url":"http://x"}]}]}"#
    private static let call =
        #"{"id":"fc_1","type":"function_call","status":"completed","call_id":"call_1","name":"f","arguments":"{\"a\":1.0}"}"#

    private static let whole = Array(
        #"""
        {"id":"resp_1","object":"response","status":"completed","model":"gpt-5-2025-08-07","error":null,"incomplete_details":null,
        "output":[\#(Self.reasoning),\#(Self.search),\#(Self.silent),\#(Self.comment),\#(Self.final),\#(Self.call)],
        "usage":{"input_tokens":20,"input_tokens_details":{"cached_tokens":8},"output_tokens":9,"output_tokens_details":{"reasoning_tokens":4,"x":0},"total_tokens":29}}
        """#.utf8)

    private static let pieces = Self.stream([
        #"{"type":"response.created","response":{"model":"gpt-5-2025-08-07","status":"in_progress","usage":null}}"#,
        #"{"type":"response.output_item.added","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}"#,
        #"{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":"On"}"#,
        #"{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":"e."}"#,
        #"{"type":"response.reasoning_summary_text.done","output_index":0,"summary_index":0,"text":"One."}"#,
        #"{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":1,"delta":"Two."}"#,
        #"{"type":"response.output_item.done","output_index":0,"item":\#(Self.reasoning)}"#,
        #"{"type":"response.web_search_call.searching","output_index":1,"item_id":"ws_1"}"#,
        #"{"type":"response.output_item.done","output_index":1,"item":\#(Self.search)}"#,
        #"{"type":"response.output_item.done","output_index":2,"item":\#(Self.silent)}"#,
        #"{"type":"response.output_text.delta","output_index":3,"content_index":0,"delta":"Gr"}"#,
        #"{"type":"response.output_text.delta","output_index":3,"content_index":0,"delta":"üße"}"#,
        #"{"type":"response.output_item.done","output_index":3,"item":\#(Self.comment)}"#,
        #"{"type":"response.output_text.delta","output_index":4,"content_index":0,"delta":"The end."}"#,
        #"{"type":"response.output_item.done","output_index":4,"item":\#(Self.final)}"#,
        #"{"type":"response.function_call_arguments.delta","output_index":5,"delta":"{\"a\""}"#,
        #"{"type":"response.output_item.done","output_index":5,"item":\#(Self.call)}"#,
        #"{"type":"response.completed","response":\#(String(decoding: Self.whole, as: UTF8.self).replacing("\n", with: ""))}"#,
    ])

    private static func expect(_ answer: Outcome, sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(answer.failure == nil, sourceLocation: sourceLocation)
        #expect(answer.text == "GrüßeThe end.", sourceLocation: sourceLocation)
        #expect(answer.reasoning == "One.\n\nTwo.", sourceLocation: sourceLocation)
        #expect(
            answer.toolCalls == [["web_search", #"{"type":"search","query":"q"}"#], ["f", #"{"a":1.0}"#]],
            sourceLocation: sourceLocation)
        #expect(answer.toolCallIDs == ["ws_1", "call_1"], sourceLocation: sourceLocation)
        #expect(answer.finishReason == "completed", sourceLocation: sourceLocation)
        #expect(answer.providerRequestID == "req_1", sourceLocation: sourceLocation)
        let details = #"{"input_tokens_details":{"cached_tokens":8},"output_tokens_details":{"reasoning_tokens":4}}"#
        #expect(
            answer.usage == Usage(input: 20, output: 9, details: Array(details.utf8)), sourceLocation: sourceLocation)
        let kinds = try answer.message.parts.map(\.type)
        #expect(
            kinds == ["reasoning", "tool_call", "tool_result", "reasoning", "text", "text", "tool_call"],
            sourceLocation: sourceLocation)
    }

    @Test func aStreamMayBeCutAtEveryByte() throws {
        let expected = try Self.ask(Self.pieces, pieces: Self.pieces.pieces(of: 1))
        try Self.expect(expected)
        for cut in 1..<Self.pieces.count {
            let pieces = [Array(Self.pieces[..<cut]), Array(Self.pieces[cut...])]
            #expect(try Self.ask([], pieces: pieces) == expected, "cut at \(cut)")
        }
    }

    @Test func aWholeAnswerSaysTheSame() throws {
        for stream in [true, false] {
            try Self.expect(try Self.ask(Self.whole, isStream: false, stream: stream))
            try Self.expect(try Self.ask(Self.pieces, stream: stream))
        }
    }

    @Test func aStreamThatEndsTooEarlyIsNoAnswer() throws {
        let stream = Self.pieces.prefix(Self.pieces.count - Self.whole.count)
        let failure = try #require(try Self.ask(Array(stream)).failure)
        #expect(failure.code == .providerInvalidResponse)
    }

    @Test func whatHasNoEventOfItsOwnIsReadFromTheEnd() throws {
        let whole = String(decoding: Self.whole, as: UTF8.self).replacing("\n", with: "")
        try Self.expect(try Self.ask(Self.stream([#"{"type":"response.completed","response":\#(whole)}"#])))
    }

    // MARK: And back

    @Test(arguments: ["gpt-5", "gpt-4o"])
    func whatTheProviderWantsToSeeAgainGoesBackExactly(model: String) throws {
        let answer = try Self.ask(Self.pieces)
        var next = try request("", model: model, system: "be kind")
        next.messages = [
            ModelMessage(.system, text: "be kind"), ModelMessage(.user, text: "hi"), try answer.message,
        ]
        next.toolResults = [
            ToolResult(
                name: "f", output: "o", toolCallID: "call_1",
                attachments: [Attachment(mediaType: "image/png", .content("iVBO"))])
        ]
        let sent = try body(of: next, .openAI)
        let reasoning =
            #"{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"One."},{"type":"summary_text","text":"Two."}],"encrypted_content":"gA=="}"#
        let silent = #"{"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"gB=="}"#
        let items = [
            #"{"role":"user","content":"hi"}"#, reasoning, Self.search, silent,
            #"{"role":"assistant","content":"Grüße","phase":"commentary"}"#,
            #"{"role":"assistant","content":"The end."}"#,
            #"{"type":"function_call","call_id":"call_1","name":"f","arguments":"{\"a\": 1.0}"}"#,
            #"{"type":"function_call_output","call_id":"call_1","output":[{"type":"input_text","text":"o"},{"type":"input_image","image_url":"data:image/png;base64,iVBO","detail":"auto"}]}"#,
        ]
        let expected = model == "gpt-5" ? items : items.filter { $0 != reasoning && $0 != silent }
        #expect(sent["input"]?.array?.map { $0.text() } == expected)
        #expect(sent["instructions"] == .string("be kind"))
        #expect(sent["store"] == .bool(false))
        #expect(sent["include"]?.text() == (model == "gpt-5" ? #"["reasoning.encrypted_content"]"# : nil))
    }

    @Test func reasoningThatNothingFollowsOrThatIsNotEncryptedStaysHere() throws {
        func reasoning(_ metadata: String) throws -> MessagePart {
            MessagePart(.reasoning("r"), providerMetadata: try JSONValue(parsing: metadata))
        }
        var next = try request("p", model: "o3")
        next.messages = [
            ModelMessage(
                .assistant,
                [
                    try reasoning(#"{"openai":{"id":"rs_0"}}"#), try reasoning(#"{"anthropic":{"signature":"s"}}"#),
                    MessagePart(.reasoning("r")), MessagePart(.text("t")),
                    try reasoning(#"{"openai":{"id":"rs_1","encrypted_content":"g"}}"#),
                ])
        ]
        #expect(
            try body(of: next, .openAI)["input"]?.text()
                == #"[{"role":"assistant","content":"t"},{"role":"user","content":"p"}]"#)
    }

    @Test func anImageThatTheProviderMadeIsAttachedAndGoesBack() throws {
        let item =
            #"{"id":"ig_1","type":"image_generation_call","status":"completed","output_format":"webp","result":"UklG"}"#
        let answer = try Self.ask(
            Array(#"{"status":"completed","output":[\#(item),\#(Self.final)]}"#.utf8), isStream: false, stream: true)
        let message = try answer.message
        guard case .toolResult(let result) = message.parts[1].content else {
            Issue.record("no tool result")
            return
        }
        #expect(result.attachments == [Attachment(mediaType: "image/webp", .content("UklG"))])
        var next = try request("p", model: "gpt-5")
        next.messages = [message]
        let sent = try #require(try body(of: next, .openAI)["input"]?[0])
        #expect(sent["result"] == .string("UklG") && sent["id"] == .string("ig_1"))
    }

    @Test(arguments: [
        (
            #"{"type":"code_interpreter_call","id":"c","code":"1+1","outputs":[{"type":"logs","logs":"2"}]}"#,
            ["code_interpreter", #"{"code":"1+1"}"#], "2"
        ),
        (
            #"{"type":"mcp_call","id":"c","name":"ask","arguments":"{\"q\":1}","output":"yes","error":null}"#,
            ["ask", #"{"q":1}"#], "yes"
        ),
        (
            #"{"type":"mcp_call","id":"c","name":"ask","arguments":"{}","output":null,"error":"no"}"#, ["ask", "{}"],
            "no"
        ),
        (
            #"{"type":"mcp_list_tools","id":"c","server_label":"s","tools":[{"name":"t"}]}"#,
            ["mcp_list_tools", #"{"server_label":"s"}"#], #"[{"name":"t"}]"#
        ),
        (
            #"{"type":"file_search_call","id":"c","queries":["q"],"results":null,"status":"completed"}"#,
            ["file_search", #"{"queries":["q"]}"#], "completed"
        ),
        (#"{"type":"some_new_call","id":"c","status":"failed"}"#, ["some_new", "{}"], "failed"),
    ])
    func whatTheProviderRanItselfIsACallAndItsResult(item: String, call: [String], output: String) throws {
        let body = Array(#"{"status":"completed","output":[\#(item)]}"#.utf8)
        let answer = try Self.ask(body, isStream: false)
        #expect(answer.events == ["tool_call", "metadata", "tool_result", "done"])
        #expect(answer.toolCalls == [call])
        #expect(answer.parts[0]["server_executed"] == .bool(true))
        #expect(answer.parts[2]["output"] == .string(output))
        #expect(answer.parts[2]["server_executed"] == .bool(true))
        #expect(answer.parts[1]["provider_metadata"]?["openai"]?["item"]?.text() == item)
    }

    // MARK: Ends

    @Test func anIncompleteAnswerSaysWhyAndIsNoneToASchema() throws {
        let body = Array(
            #"{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[\#(Self.comment)],"usage":{"input_tokens":1,"output_tokens":2}}"#
                .utf8)
        let stream = Self.stream([
            #"{"type":"response.incomplete","response":\#(String(decoding: body, as: UTF8.self))}"#
        ])
        for (bytes, isStream) in [(body, false), (stream, true)] {
            let plain = try Self.ask(bytes, isStream: isStream)
            #expect(plain.text == "Grüße" && plain.finishReason == "max_output_tokens" && plain.failure == nil)
            let failed = try Self.ask(bytes, isStream: isStream, schema: "{}")
            #expect(failed.failure?.code == .modelError)
            #expect(failed.failure?.message.contains("max_output_tokens") == true)
            #expect(failed.usage == Usage(input: 1, output: 2))
        }
    }

    @Test func aRefusalIsToldAndIsNoAnswerToASchema() throws {
        let item = #"{"type":"message","content":[{"type":"refusal","refusal":"No."}]}"#
        let streamed = Self.stream([
            #"{"type":"response.refusal.delta","output_index":0,"delta":"No."}"#,
            #"{"type":"response.output_item.done","output_index":0,"item":\#(item)}"#,
            #"{"type":"response.completed","response":{"status":"completed","output":[\#(item)]}}"#,
        ])
        let whole = Array(#"{"status":"completed","output":[\#(item)]}"#.utf8)
        for (bytes, isStream) in [(whole, false), (streamed, true)] {
            let plain = try Self.ask(bytes, isStream: isStream)
            #expect(plain.text == "No." && plain.finishReason == "refusal")
            #expect(try Self.ask(bytes, isStream: isStream, schema: "{}").failure?.message.contains("refused") == true)
        }
    }

    @Test(arguments: [
        (#"{"type":"error","code":"rate_limit_exceeded","message":"slow down"}"#, ErrorCode.providerRateLimited),
        (#"{"type":"error","error":{"code":"server_error","message":"slow down"}}"#, .providerError),
        (
            #"{"type":"response.failed","response":{"status":"failed","error":{"code":"invalid_prompt","message":"slow down"}}}"#,
            .providerRejected
        ),
        (
            #"{"type":"response.failed","response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"slow down"}}}"#,
            .providerRateLimited
        ),
        (
            #"{"type":"error","error":{"type":"invalid_request_error","code":null,"message":"slow down"}}"#,
            .providerRejected
        ),
    ])
    func anErrorAfterTextIsAnError(event: String, code: ErrorCode) throws {
        let text = #"{"type":"response.output_text.delta","output_index":0,"delta":"some"}"#
        let answer = try Self.ask(Self.stream([text, event]))
        #expect(answer.events == ["text", "error"])
        #expect(answer.failure?.code == code)
        #expect(answer.failure?.message.hasSuffix("slow down") == true)
        #expect(answer.failure?.providerRequestID == "req_1")
    }

    @Test(arguments: [
        (#"{"object":"list"}"#, ErrorCode.providerInvalidResponse),
        (#"{"status":"queued","output":[]}"#, .providerInvalidResponse),
        (#"{"status":"failed","output":[]}"#, .providerError),
        (#"{"status":"completed","output":[{"type":"message","content":[{"type":"output_audio"}]}]}"#, .modelError),
        (#"{"status":"completed","output":[{"type":"mcp_approval_request","id":"x"}]}"#, .modelError),
        (#"{"status":"completed","output":[{"type":"computer_call","id":"x"}]}"#, .modelError),
        (#"{"status":"completed","output":[{"id":"x"}]}"#, .providerInvalidResponse),
        ("[1]", .providerInvalidResponse),
    ])
    func whatIsNoAnswerIsAnError(body: String, code: ErrorCode) throws {
        #expect(try Self.ask(Array(body.utf8), isStream: false).failure?.code == code)
    }
}
