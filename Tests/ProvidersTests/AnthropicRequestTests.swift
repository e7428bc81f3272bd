import JSON
import Messages
import Testing
import Transport

/// What is sent to the Messages API.
@Suite struct AnthropicRequestTests {
    private func refusal(of request: ModelRequest) throws -> Failure? {
        let transport = FakeTransport(pieces: [])
        let answer = try outcome(of: request, AnthropicExchange.settings(model: request.model), over: transport)
        #expect(transport.requests.isEmpty)
        return answer.failure
    }

    @Test func thePromptTheOptionsAndTheHeadersAreThere() throws {
        let transport = FakeTransport(pieces: [])
        var request = try AnthropicExchange.request(
            "hi \"you\"", stream: false,
            options:
                #"{"temperature":0.10,"thinking":{"type":"adaptive","display":"summarized"},"betas":["a-1","b-2"],"cache_control":{"type":"ephemeral"}}"#
        )
        request.system = "be kind"
        _ = try outcome(of: request, AnthropicExchange.settings(), over: transport)
        let sent = try #require(transport.requests.first)
        #expect(sent.url == "http://upstream/v1/messages")
        #expect(sent.headers.contains(HTTPHeader("x-api-key", "sk-1")))
        #expect(sent.headers.contains(HTTPHeader("anthropic-version", "2023-06-01")))
        #expect(sent.headers.contains(HTTPHeader("anthropic-beta", "a-1,b-2")))
        #expect(!sent.headers.contains { $0.name == "authorization" })
        #expect(
            String(decoding: sent.body, as: UTF8.self)
                == #"{"model":"claude-opus-5","max_tokens":128000,"system":"be kind","messages":[{"role":"user","content":[{"type":"text","text":"hi \"you\""}]}],"#
                + #""stream":true,"temperature":0.10,"thinking":{"type":"adaptive","display":"summarized"},"cache_control":{"type":"ephemeral"}}"#
        )
    }

    @Test(arguments: [
        ("claude-opus-5-5", 128_000), ("claude-sonnet-4-6", 128_000), ("claude-haiku-4-5-20251001", 64_000),
        ("claude-opus-4-1-20250805", 32_000), ("claude-sonnet-4-20250514", 64_000), ("claude-3-5-haiku-latest", 8192),
        ("claude-3-opus-20240229", 4096), ("claude-unheard-of", 64_000), ("another", 8192),
    ])
    func aModelHasItsOwnMaximumUnlessAnOptionSaysSo(model: String, maximum: Int) throws {
        let body = try AnthropicExchange.body(try AnthropicExchange.request(model: model))
        #expect(body["max_tokens"]?.integer == maximum)
        let other = try AnthropicExchange.request(model: model, options: #"{"max_tokens":17}"#)
        #expect(try AnthropicExchange.body(other)["max_tokens"]?.integer == 17)
    }

    @Test(arguments: [
        ("model", "1"), ("messages", "[]"), ("stream", "true"), ("system", "\"s\""), ("tools", "{}"),
        ("betas", "\"a\""),
        ("betas", #"["a\r\nx: y"]"#), ("betas", "[]"), ("betas", "[1]"),
    ])
    func anOptionThatIsTheRequestsOwnOrMakesNoSenseIsRefused(name: String, value: String) throws {
        let failure = try self.refusal(of: try AnthropicExchange.request(options: "{\"\(name)\":\(value)}"))
        #expect(failure?.code == .invalidOptions)
        #expect(failure?.message.contains("'\(name)'") == true)
    }

    @Test func toolsOfBothKindsAndTheirResultsAreThere() throws {
        var request = try AnthropicExchange.request(
            "", options: #"{"tools":[{"type":"web_search_20260318","name":"web_search"}]}"#)
        request.tools = [
            ToolDefinition(
                name: "look", description: "Looks.",
                inputSchema: try JSONValue(parsing: #"{"type":"object","properties":{"a":{"type":"string"}}}"#)),
            ToolDefinition(name: "now"),
        ]
        request.messages = [
            ModelMessage(.user, text: "w?"),
            ModelMessage(
                .assistant,
                [
                    MessagePart(.text("I look.")),
                    MessagePart(.toolCall(ToolCall(id: "t.1:a", name: "look", arguments: Array(#"{"a":"é"}"#.utf8)))),
                    MessagePart(.toolCall(ToolCall(id: "", name: "now", arguments: Array("{}".utf8)))),
                    MessagePart(.text(" ")),
                ]),
        ]
        let image = Attachment(mediaType: nil, .content("iVBORw0KGgoAAA=="))
        request.toolResults = [
            ToolResult(name: "now", output: "", toolCallID: nil, exception: "ValueError: x", attachments: [image]),
            ToolResult(name: "look", output: "seen", toolCallID: "t.1:a"),
        ]
        let body = try AnthropicExchange.body(request)
        #expect(
            body["tools"]?.text()
                == #"[{"type":"web_search_20260318","name":"web_search"},{"name":"look","description":"Looks.","input_schema":{"type":"object","properties":{"a":{"type":"string"}}}},{"name":"now","input_schema":{"type":"object"}}]"#
        )
        #expect(
            body["messages"]?.text()
                == #"[{"role":"user","content":[{"type":"text","text":"w?"}]},"#
                + #"{"role":"assistant","content":[{"type":"text","text":"I look."},{"type":"tool_use","id":"t_1_a","name":"look","input":{"a":"é"}},{"type":"tool_use","id":"call_1","name":"now","input":{}}]},"#
                + #"{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgoAAA=="}}],"is_error":true},{"type":"tool_result","tool_use_id":"t_1_a","content":"seen"}]}]"#
        )
    }

    @Test func resultsAndAPromptAreOneTurn() throws {
        var request = try AnthropicExchange.request("and now?")
        request.messages = [
            ModelMessage(.user, text: "w?"),
            ModelMessage(
                .assistant, [MessagePart(.toolCall(ToolCall(id: "t", name: "f", arguments: Array("{}".utf8))))]),
            ModelMessage(.tool, [MessagePart(.toolResult(ToolResult(name: "f", output: "1", toolCallID: "t")))]),
        ]
        let messages = try #require(try AnthropicExchange.body(request)["messages"]?.array)
        #expect(messages.map { $0["role"]?.string } == ["user", "assistant", "user"])
        #expect(messages[2]["content"]?.array?.map { $0["type"]?.string } == ["tool_result", "text"])
    }

    @Test(arguments: [
        (
            #"{"type":"image/jpeg","content":"/9j/AA=="}"#,
            #"{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"/9j/AA=="}}"#
        ),
        (
            #"{"content":"R0lGODlhAQ=="}"#,
            #"{"type":"image","source":{"type":"base64","media_type":"image/gif","data":"R0lGODlhAQ=="}}"#
        ),
        (
            #"{"type":"image/webp","url":"https://a.example/x"}"#,
            #"{"type":"image","source":{"type":"url","url":"https://a.example/x"}}"#
        ),
        (#"{"url":"https://a.example/x"}"#, #"{"type":"image","source":{"type":"url","url":"https://a.example/x"}}"#),
        (
            #"{"content":"JVBERi0xLjQ="}"#,
            #"{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0xLjQ="}}"#
        ),
        (
            #"{"url":"https://a.example/x.PDF?y=1"}"#,
            #"{"type":"document","source":{"type":"url","url":"https://a.example/x.PDF?y=1"}}"#
        ),
        (
            #"{"type":"text/plain","content":"R3LDvMOfZSA8Pz4="}"#,
            #"{"type":"document","source":{"type":"text","media_type":"text/plain","data":"Grüße <?>"}}"#
        ),
    ])
    func anAttachmentIsABlock(attachment: String, block: String) throws {
        var request = try AnthropicExchange.request("what is it?")
        request.attachments = [try Attachment(try JSONValue(parsing: attachment))]
        let content = try AnthropicExchange.body(request)["messages"]?[0]?["content"]
        #expect(content?.text() == #"[{"type":"text","text":"what is it?"},\#(block)]"#)
    }

    @Test(arguments: [
        (
            #"{"role":"user","parts":[{"type":"attachment","attachment":{"type":"audio/wav","content":"AAAA"}}]}"#,
            "'attachment' (audio/wav)"
        ),
        (
            #"{"role":"user","parts":[{"type":"attachment","attachment":{"content":"AAAA"}}]}"#,
            "'attachment' (of a type that nobody said)"
        ),
        (
            #"{"role":"user","parts":[{"type":"attachment","attachment":{"type":"text/plain","content":"/w=="}}]}"#,
            "'attachment' (text/plain)"
        ),
        (
            #"{"role":"user","parts":[{"type":"attachment","attachment":{"type":"image/png","path":"/a"}}]}"#,
            "'attachment' (a file's path)"
        ),
        (
            #"{"role":"assistant","parts":[{"type":"attachment","attachment":{"type":"image/png","url":"u"}}]}"#,
            "'attachment' (image/png)"
        ),
        (
            #"{"role":"assistant","parts":[{"type":"tool_call","name":"s","arguments":{},"tool_call_id":"ws_1","server_executed":true,"provider_metadata":{"openai":{"id":"ws_1"}}}]}"#,
            "'tool_call' that another provider ran itself"
        ),
        (
            #"{"role":"assistant","parts":[{"type":"tool_result","name":"s","output":"x","tool_call_id":"ws_1","server_executed":true}]}"#,
            "'tool_result' that another provider ran itself"
        ),
        (#"{"role":"tool","parts":[{"type":"tool_result","name":"s","output":"x"}]}"#, "'tool_result'"),
        (#"{"role":"tool","parts":[{"type":"text","text":"x"}]}"#, "'text'"),
        (
            #"{"role":"system","parts":[{"type":"attachment","attachment":{"type":"image/png","url":"u"}}]}"#,
            "'attachment'"
        ),
    ])
    func aPartWithoutAPlaceFailsTheRequestAndIsNamed(message: String, name: String) throws {
        var request = try AnthropicExchange.request()
        request.messages = [try ModelMessage(try JSONValue(parsing: message))]
        let failure = try self.refusal(of: request)
        #expect(failure?.code == .modelError)
        #expect(failure?.message.contains("message 1") == true)
        #expect(failure?.message.contains(name) == true, "\(failure?.message ?? "")")
    }

    @Test func whatOtherProvidersReasonedStaysHere() throws {
        let parts = #"""
            [{"type":"reasoning","text":"r"},{"type":"reasoning","text":"","redacted":true,"provider_metadata":{"openai":{"id":"rs_1"}}},
            {"type":"text","text":"a","provider_metadata":{"gemini":{"x":1}}},{"type":"text","text":""}]
            """#
        let message = try ModelMessage(try JSONValue(parsing: #"{"role":"assistant","parts":\#(parts)}"#))
        let sent = try AnthropicExchange.sentBack(message.parts)
        #expect(sent?.text() == #"[{"type":"text","text":"a"}]"#)
    }

    @Test func whatLLMWroteGoesBackAsItsPluginWouldSendIt() throws {
        let parts = #"""
            [{"type":"tool_call","name":"web_fetch","arguments":{"url":"u"},"tool_call_id":"srvtoolu_9","server_executed":true},
            {"type":"tool_result","name":"web_fetch","output":"{\"type\": \"x\"}","tool_call_id":"srvtoolu_9","server_executed":true},
            {"type":"tool_call","name":"ask","arguments":{},"tool_call_id":"mcptoolu_9","server_executed":true,"provider_metadata":{"anthropic":{"mcp_server_name":"w"}}},
            {"type":"tool_result","name":"mcp","output":"[]","tool_call_id":"mcptoolu_9","server_executed":true}]
            """#
        let message = try ModelMessage(try JSONValue(parsing: #"{"role":"assistant","parts":\#(parts)}"#))
        #expect(
            try AnthropicExchange.sentBack(message.parts)?.text()
                == #"[{"type":"server_tool_use","id":"srvtoolu_9","name":"web_fetch","input":{"url":"u"}},{"type":"web_fetch_tool_result","tool_use_id":"srvtoolu_9","content":{"type":"x"}},"#
                + #"{"type":"mcp_tool_use","id":"mcptoolu_9","name":"ask","input":{},"server_name":"w"},{"type":"mcp_tool_result","tool_use_id":"mcptoolu_9","content":[]}]"#
        )
    }

    @Test func aSystemPromptMayChangeWhereTheModelTakesIt() throws {
        func request(_ model: String) throws -> ModelRequest {
            var request = try AnthropicExchange.request("d", model: model)
            request.messages = [
                ModelMessage(.system, text: "s"), ModelMessage(.user, text: "a"), ModelMessage(.assistant, text: "b"),
                ModelMessage(.system, text: "s"), ModelMessage(.system, text: "t"),
            ]
            return request
        }
        let body = try AnthropicExchange.body(try request("claude-opus-4-8"))
        #expect(body["system"]?.string == "s")
        #expect(body["messages"]?.array?.map { $0["role"]?.string } == ["user", "assistant", "user", "system"])
        let failure = try self.refusal(of: try request("claude-opus-4-7"))
        #expect(failure?.code == .modelError)
        #expect(failure?.message.contains("message 5") == true)
        var same = try request("claude-opus-4-7")
        same.messages.removeLast()
        #expect(try AnthropicExchange.body(same)["messages"]?.array?.count == 3)
    }

    @Test func aSchemaIsSentAsStructuredOutputsTakeIt() throws {
        var request = try AnthropicExchange.request(options: #"{"output_config":{"effort":"low"}}"#)
        request.schema = try JSONValue(
            parsing: ##"""
                {"type":"object","properties":{
                "a":{"type":"integer","minimum":1,"description":"A count."},
                "b":{"type":"array","items":{"oneOf":[{"type":"string","format":"date"},{"$ref":"#/$defs/c"}]},"minItems":1,"maxItems":3},
                "pattern":{"type":"string","pattern":"^x","format":"iban"}},
                "required":["a"],"additionalProperties":true,"$defs":{"c":{"type":"object","properties":{}}}}
                """##)
        #expect(
            try AnthropicExchange.body(request)["output_config"]?.text()
                == #"{"effort":"low","format":{"type":"json_schema","schema":{"type":"object","properties":{"#
                + #""a":{"type":"integer","description":"A count.\n\n{minimum: 1}"},"#
                + ##""b":{"type":"array","items":{"anyOf":[{"type":"string","format":"date"},{"$ref":"#/$defs/c"}]},"minItems":1,"description":"{maxItems: 3}"},"##
                + #""pattern":{"type":"string","description":"{pattern: \"^x\", format: \"iban\"}"}},"required":["a"],"#
                + #""$defs":{"c":{"type":"object","properties":{},"additionalProperties":false}},"additionalProperties":false,"description":"{additionalProperties: true}"}}}"#
        )
        request.options = try JSONValue(parsing: #"{"output_config":{"format":{}}}"#).members ?? []
        #expect(try self.refusal(of: request)?.code == .invalidOptions)
    }
}
