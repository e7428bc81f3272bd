import JSON
import Messages
import Testing
import Transport

/// How OpenAI's Responses API is asked.
@Suite struct ResponsesRequestTests {
    @Test func theBodyIsTheConversationAndTheOptions() throws {
        let transport = FakeTransport(pieces: [])
        let request = try request(
            "hi", model: "gpt-5", system: "be kind",
            options:
                #"{"max_tokens":5,"reasoning_effort":"low","reasoning_summary":"auto","verbosity":"high","temperature":1.0,"include":["message.output_text.logprobs"]}"#,
            key: "sk-1")
        _ = try outcome(of: request, ResponsesTests.settings(), over: transport)
        let sent = try #require(transport.requests.first)
        #expect(sent.url == "http://upstream/v1/responses")
        #expect(sent.headers.contains(HTTPHeader("authorization", "Bearer sk-1")))
        #expect(
            String(decoding: sent.body, as: UTF8.self)
                == #"{"model":"gpt-5","input":[{"role":"user","content":"hi"}],"instructions":"be kind","stream":true,"store":false,"#
                + #""include":["message.output_text.logprobs","reasoning.encrypted_content"],"text":{"verbosity":"high"},"#
                + #""reasoning":{"effort":"low","summary":"auto"},"max_output_tokens":5,"temperature":1.0}"#)
    }

    @Test func attachmentsToolsAndSchemaHaveTheAPIsForm() throws {
        var request = try request("look", model: "gpt-4o", options: #"{"tools":[{"type":"web_search"}],"store":true}"#)
        request.attachments = [
            Attachment(mediaType: "image/png", .url("http://x/i")), Attachment(mediaType: nil, .content("JVBERi0=")),
            Attachment(mediaType: nil, .url("http://x/y.PDF#1")), Attachment(mediaType: "text/csv", .content("YSxi")),
        ]
        request.tools = [ToolDefinition(name: "f", description: "d")]
        request.schema = try JSONValue(parsing: #"{"type":"object"}"#)
        let sent = try body(of: request, .openAI)
        #expect(
            sent["input"]?[0]?["content"]?.array?.map { $0.text() } == [
                #"{"type":"input_text","text":"look"}"#,
                #"{"type":"input_image","image_url":"http://x/i","detail":"auto"}"#,
                #"{"type":"input_file","filename":"attachment.pdf","file_data":"data:application/pdf;base64,JVBERi0="}"#,
                #"{"type":"input_file","file_url":"http://x/y.PDF#1"}"#,
                #"{"type":"input_file","filename":"attachment.csv","file_data":"data:text/csv;base64,YSxi"}"#,
            ])
        #expect(
            sent["tools"]?.text()
                == #"[{"type":"function","name":"f","description":"d","parameters":{"type":"object","properties":{}},"strict":false},{"type":"web_search"}]"#
        )
        #expect(
            sent["text"]?.text()
                == #"{"format":{"type":"json_schema","name":"output","schema":{"type":"object"},"strict":false}}"#)
        #expect(sent["store"] == .bool(true))
        #expect(sent["include"] == nil)
    }

    @Test func aSystemPromptThatChangesStandsInItsPlace() throws {
        var request = try request("p", model: "gpt-4o")
        request.messages = [
            ModelMessage(.system, text: "a"), ModelMessage(.user, text: "1"), ModelMessage(.system, text: "a"),
            ModelMessage(.system, text: "b"),
        ]
        let sent = try body(of: request, .openAI)
        #expect(sent["instructions"] == .string("a"))
        #expect(
            sent["input"]?.text()
                == #"[{"role":"user","content":"1"},{"role":"system","content":"b"},{"role":"user","content":"p"}]"#)
        let empty = try body(of: try ProvidersTests.request("", model: "gpt-4o", system: "s"), .openAI)
        #expect(empty["input"]?.text() == #"[{"role":"user","content":""}]"#)
    }

    @Test func llmsOptionAsksTheOlderAPI() throws {
        let transport = FakeTransport(pieces: [Array(#"{"choices":[{"message":{"content":"x"}}]}"#.utf8)])
        var request = try request("hi", model: "gpt-5", options: #"{"chat_completions":true,"seed":1}"#)
        request.attachments = [Attachment(mediaType: "audio/wav", .content("UklG"))]
        let answer = try outcome(of: request, ResponsesTests.settings(), over: transport)
        #expect(answer.text == "x")
        #expect(transport.requests.first?.url == "http://upstream/v1/chat/completions")
        let sent = try JSONValue(parsing: try #require(transport.requests.first).body)
        #expect(sent["seed"]?.integer == 1 && sent["chat_completions"] == nil)
    }

    @Test(arguments: [
        ("model", "cannot be set"), ("instructions", "cannot be set"), ("seed", "chat_completions"),
        ("stop", "chat_completions"), ("tools", "array"),
    ])
    func anOptionThatTheAPIHasNotIsRefused(name: String, advice: String) throws {
        let transport = FakeTransport(pieces: [])
        let answer = try outcome(
            of: try ProvidersTests.request("hi", model: "gpt-5", options: "{\"\(name)\":1}"), ResponsesTests.settings(),
            over: transport)
        #expect(answer.failure?.code == .invalidOptions)
        #expect(answer.failure?.message.contains("'\(name)'") == true)
        #expect(answer.failure?.message.contains(advice) == true)
        #expect(transport.requests.isEmpty)
    }

    @Test(arguments: [
        #"{"max_tokens":1,"max_output_tokens":2}"#, #"{"background":true}"#,
        #"{"text":{"format":{}},"json_object":true}"#,
    ])
    func optionsThatContradictAreRefused(options: String) throws {
        let request = try ProvidersTests.request("hi", model: "gpt-5", stream: false, options: options)
        #expect(try outcome(of: request, ResponsesTests.settings()).failure?.code == .invalidOptions)
    }

    @Test(arguments: [
        ("o1", true), ("o3-mini", true), ("ft:o4-mini:org", true), ("gpt-5", true), ("gpt-5.6-luna", true),
        ("gpt-6", true), ("codex-mini-latest", true), ("gpt-oss-120b", true), ("gpt-4o", false), ("gpt-4.1", false),
        ("gpt-5-chat-latest", false), ("omni", false), ("chatgpt-4o-latest", false),
    ])
    func onlyModelsThatReasonAreAskedForEncryptedReasoning(model: String, isReasoning: Bool) throws {
        let sent = try body(of: try ProvidersTests.request("hi", model: model), .openAI)
        #expect((sent["include"] != nil) == isReasoning)
    }

    @Test(arguments: [
        (
            #"{"role":"user","parts":[{"type":"attachment","attachment":{"type":"audio/wav","content":"UklG"}}]}"#,
            "takes no sounds"
        ),
        (
            #"{"role":"assistant","parts":[{"type":"tool_call","name":"s","arguments":{},"server_executed":true}]}"#,
            "'tool_call' that a provider ran itself"
        ),
        (#"{"role":"tool","parts":[{"type":"text","text":"x"}]}"#, "'text'"),
    ])
    func aPartThatCannotBeSentFailsTheRequestAndIsNamed(message: String, reason: String) throws {
        var request = try ProvidersTests.request("hi", model: "gpt-5")
        request.messages = [try ModelMessage(try JSONValue(parsing: message))]
        let answer = try outcome(of: request, ResponsesTests.settings())
        #expect(answer.failure?.code == .modelError)
        #expect(answer.failure?.message.contains(reason) == true, "\(answer.failure?.message ?? "")")
    }
}
