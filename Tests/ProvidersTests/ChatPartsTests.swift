import JSON
import Messages
import Testing
import Transport

/// What chat completions make of everything that a message may hold beside text.
@Suite struct ChatPartsTests {
    private static func ask(
        _ body: String, kind: ProviderSettings.Kind = .openAICompatible, isStream: Bool = false, schema: String? = nil
    ) throws -> Outcome {
        var request = try request("hi", model: "m")
        request.schema = try schema.map { try JSONValue(parsing: $0) }
        let settings = ProviderSettings(
            name: "p", kind: kind, models: [ModelDescription(id: "m")], baseURL: "http://upstream/v1")
        let transport = FakeTransport(
            contentType: isStream ? "text/event-stream" : "application/json", pieces: [Array(body.utf8)])
        return try outcome(of: request, settings, over: transport)
    }

    private static func message(_ message: String, finish: String = "stop") -> String {
        #"{"choices":[{"finish_reason":"\#(finish)","message":\#(message)}]}"#
    }

    // MARK: Requests

    @Test func attachmentsBecomeParts() throws {
        var request = try request("look", model: "m", options: #"{"image_detail":"low"}"#)
        request.attachments = [
            Attachment(mediaType: "image/png", .content("iVBORw0KGgo=")),
            Attachment(mediaType: nil, .url("http://x/i?j")),
            Attachment(mediaType: nil, .content("JVBERi0xLjQ=")), Attachment(mediaType: "audio/mpeg", .content("SUQz")),
            Attachment(mediaType: nil, .content("UklGRgAAAABXQVZFZm10IA==")),
        ]
        let content = try body(of: request, .openAICompatible)["messages"]?[0]?["content"]
        #expect(
            content?.array?.map { $0.text() } == [
                #"{"type":"text","text":"look"}"#,
                #"{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo=","detail":"low"}}"#,
                #"{"type":"image_url","image_url":{"url":"http://x/i?j","detail":"low"}}"#,
                #"{"type":"file","file":{"filename":"attachment.pdf","file_data":"data:application/pdf;base64,JVBERi0xLjQ="}}"#,
                #"{"type":"input_audio","input_audio":{"data":"SUQz","format":"mp3"}}"#,
                #"{"type":"input_audio","input_audio":{"data":"UklGRgAAAABXQVZFZm10IA==","format":"wav"}}"#,
            ])
    }

    @Test(arguments: [
        ("iVBORw0KGgo=", "image/png"), ("/9j/4AAQ", "image/jpeg"), ("R0lGODlh", "image/gif"),
        ("UklGRiQAAABXRUJQVlA4IA==", "image/webp"), ("UklGRv///39XRUJQVlA4IA==", "image/webp"),
        ("JVBERi0xLjQ=", "application/pdf"), ("UklGRiQAAABXQVZFZm10IA==", "audio/wav"), ("//uQZAAA", "audio/mpeg"),
    ])
    func theFirstBytesTellTheMediaType(content: String, type: String) throws {
        var request = try request("", model: "m")
        request.attachments = [Attachment(mediaType: nil, .content(content))]
        let text = try body(of: request, .openAICompatible).text()
        let sound = ["audio/wav": #""format":"wav""#, "audio/mpeg": #""format":"mp3""#][type]
        #expect(text.contains(sound ?? "data:\(type);base64,\(content)"))
    }

    @Test func whatIsAttachedToToolResultsFollowsThemInAMessage() throws {
        var request = try request("", model: "m")
        request.messages = [
            ModelMessage(.user, text: "go"),
            ModelMessage(
                .assistant,
                ["a", "b"].map { MessagePart(.toolCall(ToolCall(id: $0, name: "f", arguments: [123, 125]))) }),
        ]
        request.toolResults = ["a", "b"].map { id in
            ToolResult(
                name: "f", output: "o", toolCallID: id,
                attachments: id == "a" ? [Attachment(mediaType: "image/png", .url("http://x/y"))] : [])
        }
        let messages = try #require(try body(of: request, .openAICompatible)["messages"]?.array)
        #expect(messages.map { $0["role"]?.string } == ["user", "assistant", "tool", "tool", "user"])
        #expect(messages[4]["content"]?.text() == #"[{"type":"image_url","image_url":{"url":"http://x/y"}}]"#)
    }

    @Test func toolsAndSchemaAreSentAsLLMSendsThem() throws {
        var request = try request("hi", model: "m", options: #"{"tools":[{"type":"web"}],"tool_choice":"auto"}"#)
        request.tools = [
            ToolDefinition(name: "f", description: "d", inputSchema: try JSONValue(parsing: #"{"type":"object"}"#)),
            ToolDefinition(name: "g"),
        ]
        request.schema = try JSONValue(parsing: #"{"type":"object","properties":{}}"#)
        let sent = try body(of: request, .openAICompatible)
        #expect(
            sent["tools"]?.array?.map { $0.text() } == [
                #"{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}"#,
                #"{"type":"function","function":{"name":"g","parameters":{"type":"object","properties":{}}}}"#,
                #"{"type":"web"}"#,
            ])
        #expect(
            sent["response_format"]?.text()
                == #"{"type":"json_schema","json_schema":{"name":"output","schema":{"type":"object","properties":{}}}}"#
        )
        #expect(sent["tool_choice"] == .string("auto"))
    }

    @Test func jsonObjectIsLLMsWordForAResponseFormat() throws {
        let sent = try body(of: try request("hi", model: "m", options: #"{"json_object":true}"#), .openAICompatible)
        #expect(sent["response_format"]?.text() == #"{"type":"json_object"}"#)
        #expect(sent["json_object"] == nil)
        var request = try request("hi", model: "m", options: #"{"response_format":{}}"#)
        request.schema = .object([])
        let settings = OpenAICompatibleTests.settings()
        #expect(try outcome(of: request, settings).failure?.code == .invalidOptions)
    }

    // MARK: Presets

    @Test func aPresetsQuirksAreKept() throws {
        let options = #"{"max_completion_tokens":5,"seed":1}"#
        let mistral = try body(of: try request("hi", model: "m", options: options), .mistral)
        #expect(mistral["stream_options"] == nil)
        #expect(mistral["max_tokens"]?.integer == 5)
        #expect(mistral["random_seed"]?.integer == 1)
        let groq = try body(of: try request("hi", model: "m", options: options), .groq)
        #expect(groq["stream_options"] != nil)
        #expect(groq["max_completion_tokens"]?.integer == 5)
        let transport = FakeTransport(pieces: [])
        let settings = ProviderSettings(
            name: "p", kind: .openRouter, models: [ModelDescription(id: "m")], baseURL: "http://upstream/v1")
        _ = try outcome(of: try request("hi", model: "m"), settings, over: transport)
        #expect(transport.requests.first?.headers.contains(HTTPHeader("x-title", "Bulkhead")) == true)
    }

    @Test(arguments: [
        (ProviderSettings.Kind.deepSeek, "reasoning_content", [nil, "why", ""]),
        (.cerebras, "reasoning", ["w", "why", nil]),
        (.ollama, "reasoning", ["w", "why", nil]), (.openAICompatible, "reasoning", [nil, nil, nil]),
    ])
    func reasoningGoesBackWhereAProviderWantsIt(kind: ProviderSettings.Kind, field: String, sent: [String?]) throws {
        let call = MessagePart(.toolCall(ToolCall(id: "a", name: "f", arguments: [123, 125])))
        var request = try request("p", model: "m")
        request.messages = [
            ModelMessage(.user, text: "1"),
            ModelMessage(.assistant, [MessagePart(.reasoning("w")), MessagePart(.text("x"))]),
            ModelMessage(.user, text: "2"), ModelMessage(.assistant, [MessagePart(.reasoning("why")), call]),
            ModelMessage(.assistant, [call]),
        ]
        let messages = try body(of: request, kind)["messages"]?.array?.filter { $0["role"] == .string("assistant") }
        #expect(messages?.map { $0[field]?.string } == sent)
    }

    @Test(arguments: [false, true])
    func theDetailsOfReasoningGoBackToOpenRouterAsTheyCame(isStream: Bool) throws {
        let whole =
            #"[{"type":"reasoning.text","text":"thinking","signature":"s","index":0},{"type":"reasoning.encrypted","data":"e","index":1}]"#
        let pieces = [
            #"{"reasoning":"thin","reasoning_details":[{"type":"reasoning.text","text":"thin","signature":null,"index":0}]}"#,
            #"{"reasoning":"king","reasoning_details":[{"type":"reasoning.text","text":"king","signature":"s","index":0}]}"#,
            #"{"reasoning_details":[{"type":"reasoning.encrypted","data":"e","index":1}]}"#, #"{"content":"T"}"#,
        ]
        let answer = try Self.ask(
            isStream
                ? pieces.map { "data: {\"choices\":[{\"delta\":\($0)}]}\n\n" }.joined() + "data: [DONE]\n\n"
                : Self.message(#"{"content":"T","reasoning":"thinking","reasoning_details":\#(whole)}"#),
            kind: .openRouter, isStream: isStream)
        #expect(answer.text == "T" && answer.reasoning == "thinking")
        var next = try request("p", model: "m")
        next.messages = [ModelMessage(.user, text: "1"), try answer.message]
        #expect(
            try body(of: next, .openRouter)["messages"]?[1]?.text()
                == #"{"role":"assistant","content":"T","reasoning":"thinking","reasoning_details":\#(whole)}"#)
    }

    // MARK: Answers

    @Test func aRefusalIsToldAndIsNoAnswerToASchema() throws {
        let body = Self.message(#"{"content":null,"refusal":"I will not"}"#)
        let plain = try Self.ask(body)
        #expect(plain.text == "I will not" && plain.finishReason == "refusal" && plain.failure == nil)
        let failure = try #require(try Self.ask(body, schema: "{}").failure)
        #expect(failure.code == .modelError && failure.message.contains("refused"))
    }

    @Test(arguments: ["length", "content_filter"])
    func anAnswerThatWasCutShortIsNoAnswerToASchema(reason: String) throws {
        let body = Self.message(#"{"content":"{\"a\":"}"#, finish: reason)
        #expect(try Self.ask(body).finishReason == reason)
        let answer = try Self.ask(
            body.replacing("}]}", with: #"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#), schema: "{}")
        #expect(answer.failure?.code == .modelError)
        #expect(answer.failure?.message.contains("ended in its middle") == true)
        #expect(answer.usage == Usage(input: 1, output: 2))
    }

    @Test(arguments: [
        (#""{\"a\":1}""#, nil), (#""{\"a\":\"x\"}""#, "$.a is not of type integer"), (#""Sure: {}""#, "it is not JSON"),
        ("null", "nothing was said"),
    ])
    func anAnswerThatDoesNotFollowItsSchemaIsNoSuccess(content: String, flaw: String?) throws {
        let schema = #"{"type":"object","properties":{"a":{"type":"integer"}}}"#
        for isStream in [false, true] {
            let whole = Self.message(#"{"content":\#(content)}"#)
            let pieces = "data: \(whole.replacing("message", with: "delta"))\n\ndata: [DONE]\n\n"
            let answer = try Self.ask(isStream ? pieces : whole, isStream: isStream, schema: schema)
            #expect(answer.failure?.message == flaw.map { "the answer does not follow its schema: \($0)" })
            #expect(answer.failure == nil || answer.failure?.code == .modelError)
        }
    }

    @Test func callsOfToolsComeBeforeTheAnswerThatFollowsTheSchema() throws {
        let call = #"{"content":"I look.","tool_calls":[{"id":"t1","function":{"name":"f","arguments":"{}"}}]}"#
        let answer = try Self.ask(Self.message(call, finish: "tool_calls"), schema: #"{"type":"object"}"#)
        #expect(answer.failure == nil && answer.toolCalls == [["f", "{}"]])
    }

    /// The client gets a call whole; while it grows the model is not silent.
    @Test func aGrowingToolCallIsProgress() throws {
        let pieces = [#"{\"a\":"#, "1}"].map {
            #"data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"t1","function":{"name":"f","arguments":"\#($0)"}}]}}]}"#
        }
        let end = #"data: {"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#
        let answer = try Self.ask((pieces + [end, "data: [DONE]"]).joined(separator: "\n\n") + "\n\n", isStream: true)
        #expect(answer.events == ["progress", "progress", "tool_call", "done"])
    }

    @Test(arguments: [
        (#"{"content":null,"audio":{"data":"AAAA"}}"#, "'audio'"), (#"{"content":"x","images":[{}]}"#, "'images'"),
        (#"{"content":[{"type":"video"}]}"#, "'video'"),
    ])
    func aPartThatCannotBePassedOnIsNamed(message: String, name: String) throws {
        let failure = try #require(try Self.ask(Self.message(message)).failure)
        #expect(failure.code == .modelError && failure.message.contains(name))
    }
}
