import JSON
import Messages
import Testing
import Transport

/// What a request to Gemini looks like.
@Suite struct GeminiRequestTests {
    private static let key = "AIza-secret"

    @Test func theKeyIsInAHeaderAndNeverInTheAddress() throws {
        for (stream, path) in [(true, ":streamGenerateContent?alt=sse"), (false, ":generateContent")] {
            let transport = FakeTransport(pieces: [])
            _ = try GeminiSample.run(
                try request("hi", model: "gemini-2.5-flash", stream: stream, key: Self.key), over: transport)
            let sent = try #require(transport.requests.first)
            #expect(sent.method == "POST")
            #expect(sent.url == "http://upstream/v1beta/models/gemini-2.5-flash\(path)")
            #expect(sent.headers.contains(HTTPHeader("x-goog-api-key", Self.key)))
            #expect(!sent.headers.contains { $0.name == "authorization" })
            #expect(
                String(decoding: sent.body, as: UTF8.self)
                    == #"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#)
        }
    }

    @Test(arguments: [
        ("tunedModels/mine", "tunedModels/mine"), ("models/x", "models/x"),
        ("a?key=1#b c:d", "models/a%3Fkey%3D1%23b%20c%3Ad"),
        ("é", "models/%C3%A9"),
    ])
    func aModelsNameCannotChangeTheAddress(model: String, path: String) throws {
        let transport = FakeTransport(pieces: [])
        var settings = GeminiSample.settings()
        settings.models = [ModelDescription(id: model)]
        _ = try outcome(of: try request("hi", model: model, stream: false), settings, over: transport)
        #expect(transport.requests.first?.url == "http://upstream/v1beta/\(path):generateContent")
    }

    @Test func aConversationBecomesContentsWithItsSystemPromptBesideThem() throws {
        var request = try request("now", model: "m")
        request.messages = [
            ModelMessage(.system, text: "be brief"),
            ModelMessage(
                .user,
                [
                    MessagePart(.text("look")),
                    MessagePart(.attachment(Attachment(mediaType: "image/png", .content("iVBORw==")))),
                    MessagePart(.attachment(Attachment(mediaType: "application/pdf", .url("https://a.example/b.pdf")))),
                    MessagePart(.attachment(Attachment(mediaType: nil, .url("https://youtu.be/x")))),
                    MessagePart(.attachment(Attachment(mediaType: "audio/mpeg", .content("AAAA")))),
                ]),
            ModelMessage(.assistant, [MessagePart(.reasoning("hidden")), MessagePart(.text("a cat"))]),
            ModelMessage(.system, text: "be brief"),
            ModelMessage(.assistant, [MessagePart(.text("")), MessagePart(.reasoning("", isRedacted: true))]),
            ModelMessage(.system, text: "be long"),
        ]
        #expect(
            try GeminiSample.body(of: request).text()
                == #"{"contents":[{"role":"user","parts":[{"text":"look"},{"inlineData":{"mimeType":"image/png","data":"iVBORw=="}},"#
                + #"{"fileData":{"fileUri":"https://a.example/b.pdf","mimeType":"application/pdf"}},{"fileData":{"fileUri":"https://youtu.be/x"}},"#
                + #"{"inlineData":{"mimeType":"audio/mp3","data":"AAAA"}}]},{"role":"model","parts":[{"text":"a cat"}]},"#
                + #"{"role":"user","parts":[{"text":"now"}]}],"systemInstruction":{"parts":[{"text":"be brief"},{"text":"be long"}]}}"#
        )
    }

    @Test func toolsAndASchemaAreSentAsJSONSchemas() throws {
        var request = try request("x", model: "m", options: #"{"json_object":true,"temperature":0.50}"#)
        request.schema = try JSONValue(parsing: #"{"type":"object","properties":{"a":{"$ref":"D"}}}"#)
        request.tools = [
            ToolDefinition(
                name: "f", description: "does", inputSchema: try JSONValue(parsing: #"{"type":"object"}"#)),
            ToolDefinition(name: "g"),
        ]
        let body = try GeminiSample.body(of: request)
        #expect(
            body["tools"]?.text()
                == #"[{"functionDeclarations":[{"name":"f","description":"does","parametersJsonSchema":{"type":"object"}},{"name":"g","description":""}]}]"#
        )
        #expect(
            body["generationConfig"]?.text()
                == #"{"temperature":0.50,"responseMimeType":"application/json","responseJsonSchema":{"type":"object","properties":{"a":{"$ref":"D"}}}}"#
        )
        #expect(body["toolConfig"] == nil)
    }

    // MARK: Results of tools

    private static func call(_ id: String, _ name: String) -> MessagePart {
        MessagePart(.toolCall(ToolCall(id: id, name: name, arguments: Array(#"{"x":1}"#.utf8))))
    }

    @Test func resultsGoTogetherInTheOrderOfTheirCallsWhateverTheirOwn() throws {
        let ids = ["tc_01arz3ndektsv4rrffq69g5fa1", "tc_01arz3ndektsv4rrffq69g5fa2"]
        var request = try request("go on", model: "m")
        request.messages = [
            ModelMessage(.user, text: "?"),
            ModelMessage(
                .assistant,
                [Self.call(ids[0], "f"), Self.call(ids[1], "f"), Self.call("call_9", "g"), Self.call("", "h")]),
            ModelMessage(.tool, [MessagePart(.toolResult(ToolResult(name: "h", output: "H", toolCallID: nil)))]),
            ModelMessage(.tool, [MessagePart(.toolResult(ToolResult(name: "", output: "second", toolCallID: ids[1])))]),
        ]
        request.toolResults = [
            ToolResult(name: "g", output: "Error: no", toolCallID: "call_9", exception: "ValueError: no"),
            ToolResult(
                name: "f", output: "first", toolCallID: ids[0],
                attachments: [Attachment(mediaType: "image/png", .content("AA=="))]),
        ]
        let contents = try #require(try GeminiSample.body(of: request)["contents"]?.array)
        #expect(contents.count == 4)
        #expect(
            contents[1].text()
                == #"{"role":"model","parts":[{"functionCall":{"name":"f","args":{"x":1}}},{"functionCall":{"name":"f","args":{"x":1}}},"#
                + #"{"functionCall":{"id":"call_9","name":"g","args":{"x":1}}},{"functionCall":{"name":"h","args":{"x":1}}}]}"#
        )
        #expect(
            contents[2].text()
                == #"{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"first"},"parts":[{"inlineData":{"mimeType":"image/png","data":"AA=="}}]}},"#
                + #"{"functionResponse":{"name":"f","response":{"output":"second"}}},"#
                + #"{"functionResponse":{"id":"call_9","name":"g","response":{"error":"Error: no"}}},"#
                + #"{"functionResponse":{"name":"h","response":{"output":"H"}}}]}"#)
        #expect(contents[3].text() == #"{"role":"user","parts":[{"text":"go on"}]}"#)
    }

    // MARK: What cannot be sent

    private static let refused: [(ModelMessage, String)] = [
        (
            ModelMessage(.user, [MessagePart(.attachment(Attachment(mediaType: "image/png", .path("/etc/x"))))]),
            "'attachment'"
        ),
        (
            ModelMessage(.user, [MessagePart(.attachment(Attachment(mediaType: nil, .content("AA=="))))]),
            "media type is not known"
        ),
        (
            ModelMessage(
                .assistant,
                [
                    MessagePart(
                        .toolCall(ToolCall(id: "s", name: "web", arguments: Array("{}".utf8), isServerExecuted: true)),
                        providerMetadata: .object([.init("anthropic", .object([]))]))
                ]), "another provider ran the tool"
        ),
        (ModelMessage(.user, [Self.call("a", "f")]), "'tool_call'"),
        (ModelMessage(.tool, [MessagePart(.text("x"))]), "'text'"),
        (ModelMessage(.system, [Self.call("a", "f")]), "'tool_call'"),
        (
            ModelMessage(.tool, [MessagePart(.toolResult(ToolResult(name: "", output: "x", toolCallID: "q")))]),
            "names no tool"
        ),
        (
            ModelMessage(
                .tool,
                [
                    MessagePart(
                        .toolResult(
                            ToolResult(
                                name: "f", output: "x", toolCallID: nil,
                                attachments: [Attachment(mediaType: "image/png", .url("https://x"))])))
                ]), "send the attachment's content"
        ),
    ]

    @Test(arguments: Self.refused)
    func aPartThatCannotBeSentFailsTheRequestAndIsNamed(message: ModelMessage, reason: String) throws {
        var request = try request("hi", model: "m")
        request.messages = [ModelMessage(.user, text: "a"), message]
        let failure = try GeminiSample.refusal(of: request)
        #expect(failure.code == .modelError)
        #expect(failure.message.contains("message 2 of the conversation, of role '\(message.role.rawValue)'"))
        #expect(failure.message.contains(reason), "\(failure.message)")
    }

    // MARK: Options

    @Test func optionsGoWhereTheAPIHasThem() throws {
        let options = #"""
            {"temperature":2,"max_output_tokens":5,"top_p":0.95,"top_k":40,"seed":-1,"stop_sequences":["a"],"presence_penalty":-2,
            "frequency_penalty":1.5,"media_resolution":"low","thinking_level":"low","code_execution":false,"google_search":true,"json_object":null}
            """#
        let body = try GeminiSample.body(of: try request("x", model: "m", options: options))
        #expect(
            body["generationConfig"]?.text()
                == #"{"temperature":2,"maxOutputTokens":5,"topP":0.95,"topK":40,"seed":-1,"stopSequences":["a"],"presencePenalty":-2,"#
                + #""frequencyPenalty":1.5,"mediaResolution":"MEDIA_RESOLUTION_LOW","thinkingConfig":{"thinkingLevel":"low","includeThoughts":true}}"#
        )
        #expect(body["tools"]?.text() == #"[{"googleSearch":{}}]"#)
        #expect(body["toolConfig"]?.text() == #"{"includeServerSideToolInvocations":true}"#)
    }

    @Test func olderModelsAreNotAskedToTellWhatGooglesToolsDid() throws {
        var request = try request("x", model: "gemini-2.5-flash", options: #"{"url_context":true}"#)
        #expect(try GeminiSample.body(of: request)["toolConfig"] == nil)
        request.model = "m"
        request.tools = [ToolDefinition(name: "f")]
        let body = try GeminiSample.body(of: request)
        #expect(
            body["tools"]?.text()
                == #"[{"urlContext":{}},{"functionDeclarations":[{"name":"f","description":""}]}]"#)
        #expect(
            body["toolConfig"]?.text()
                == #"{"includeServerSideToolInvocations":true,"functionCallingConfig":{"mode":"VALIDATED"}}"#)
    }

    @Test(arguments: [
        (#"{"thinking_budget":0}"#, #"{"thinkingBudget":0}"#),
        (#"{"thinking_budget":-1}"#, #"{"thinkingBudget":-1,"includeThoughts":true}"#),
        (#"{"thinking_budget":9,"include_thoughts":false}"#, #"{"thinkingBudget":9,"includeThoughts":false}"#),
        (#"{"include_thoughts":true}"#, #"{"includeThoughts":true}"#),
    ])
    func thoughtsAreToldWhereThinkingIsAskedFor(options: String, config: String) throws {
        let body = try GeminiSample.body(of: try request("x", model: "m", options: options))
        #expect(body["generationConfig"]?["thinkingConfig"]?.text() == config)
    }

    @Test(arguments: [
        (#"{"temprature":1}"#, "option 'temprature' is not known"),
        (#"{"temperature":2.1}"#, "option 'temperature' must be a number from 0 to 2"),
        (#"{"temperature":"1"}"#, "option 'temperature' must be a number from 0 to 2"),
        (#"{"top_k":0.5}"#, "option 'top_k' must be an integer from 1 to 2147483647"),
        (#"{"json_object":1}"#, "option 'json_object' must be true or false"),
        (#"{"thinking_level":"huge"}"#, "option 'thinking_level' must be one of minimal, low, medium, high"),
        (#"{"stop_sequences":[1]}"#, "option 'stop_sequences' must be a list of texts"),
        (#"{"contents":[],"seed":1.5}"#, "option 'contents' is not known; option 'seed' must be an integer"),
    ])
    func anOptionThatIsNotKnownOrDoesNotFitIsRefusedWithTheValidOnes(options: String, reason: String) throws {
        let failure = try GeminiSample.refusal(of: try request("x", model: "m", options: options))
        #expect(failure.code == .invalidOptions)
        #expect(failure.message.hasPrefix(reason), "\(failure.message)")
        #expect(failure.message.contains("Valid options: code_execution, frequency_penalty, google_search,"))
    }
}
