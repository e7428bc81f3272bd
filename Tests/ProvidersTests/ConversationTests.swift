import Foundation
import JSON
import Messages
import Testing
import Transport

/// What providers make of what was said before.
@Suite struct ConversationTests {
    /// The messages of the chat completion that a request becomes.
    private static func chatMessages(
        history: String, prompt: String, system: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> JSONValue {
        let transport = FakeTransport(pieces: [])
        var request = try request(prompt, model: "m", system: system)
        request.messages = try Self.messages(history)
        _ = try outcome(of: request, OpenAICompatibleTests.settings(), over: transport)
        let body = try #require(transport.requests.first, sourceLocation: sourceLocation).body
        return try #require(try JSONValue(parsing: body)["messages"], sourceLocation: sourceLocation)
    }

    /// Messages as the supervisor sends them.
    private static func messages(_ text: String) throws -> [ModelMessage] {
        let id = ULID("01arz3ndektsv4rrffq69g5fav")!
        let frame = SlotRequest.encodePrompt(
            PromptRequest(), request: id, model: "m", messages: Array(text.utf8), key: nil)
        guard case .prompt(let request) = try SlotRequest(decoding: frame) else { return [] }
        return request.messages
    }

    // MARK: Chat completions

    /// Expectations made by llm's own OpenAI plugin.
    @Test(arguments: [
        (
            #"[{"role":"system","parts":[{"type":"text","text":"s"}]},{"role":"user","parts":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},{"role":"assistant","parts":[{"type":"reasoning","text":"r"},{"type":"text","text":"c"}]}]"#,
            "d",
            #"[{"role":"system","content":"s"},{"role":"user","content":"ab"},{"role":"assistant","content":"c"},{"role":"user","content":"d"}]"#
        ),
        (
            #"[{"role":"user","parts":[{"type":"text","text":"w?"}]},{"role":"assistant","parts":[{"type":"tool_call","name":"f","arguments":{"a":1,"é":[true,null]},"tool_call_id":"t1"},{"type":"tool_call","name":"g","arguments":{},"tool_call_id":"t2"}]},{"role":"tool","parts":[{"type":"tool_result","name":"f","output":"1","tool_call_id":"t1"},{"type":"tool_result","name":"g","output":"","tool_call_id":"t2"}]}]"#,
            "",
            #"[{"role":"user","content":"w?"},{"role":"assistant","content":null,"tool_calls":[{"type":"function","id":"t1","function":{"name":"f","arguments":"{\"a\": 1, \"\\u00e9\": [true, null]}"}},{"type":"function","id":"t2","function":{"name":"g","arguments":"{}"}}]},{"role":"tool","tool_call_id":"t1","content":"1"},{"role":"tool","tool_call_id":"t2","content":""}]"#
        ),
        (
            #"[{"role":"user","parts":[{"type":"text","text":"w?"}]},{"role":"assistant","parts":[{"type":"text","text":"x"},{"type":"tool_call","name":"f","arguments":{"_raw":"nope"}}]},{"role":"tool","parts":[{"type":"tool_result","name":"f","output":"1"}]}]"#,
            "p",
            #"[{"role":"user","content":"w?"},{"role":"assistant","content":"x","tool_calls":[{"type":"function","id":null,"function":{"name":"f","arguments":"{\"_raw\": \"nope\"}"}}]},{"role":"tool","tool_call_id":null,"content":"1"},{"role":"user","content":"p"}]"#
        ),
        (
            #"[{"role":"user","parts":[]},{"role":"user","parts":[{"type":"text","text":""}]},{"role":"user","parts":[{"type":"text","text":"u"}]},{"role":"assistant","parts":[]},{"role":"assistant","parts":[{"type":"text","text":""}]},{"role":"assistant","parts":[{"type":"reasoning","text":"","redacted":true}]}]"#,
            "p",
            #"[{"role":"user","content":""},{"role":"user","content":"u"},{"role":"assistant","content":null},{"role":"assistant","content":""},{"role":"assistant","content":null},{"role":"user","content":"p"}]"#
        ),
        (
            #"[{"role":"system","parts":[{"type":"text","text":"a"}]},{"role":"user","parts":[{"type":"text","text":"1"}]},{"role":"system","parts":[{"type":"text","text":"a"}]},{"role":"system","parts":[{"type":"text","text":"b"}]},{"role":"system","parts":[]},{"role":"system","parts":[{"type":"text","text":"a"}]}]"#,
            "p",
            #"[{"role":"system","content":"a"},{"role":"user","content":"1"},{"role":"system","content":"b"},{"role":"system","content":"a"},{"role":"user","content":"p"}]"#
        ),
    ])
    func aHistoryBecomesTheMessagesThatLLMSends(history: String, prompt: String, expected: String) throws {
        #expect(try Self.chatMessages(history: history, prompt: prompt).text() == expected)
    }

    @Test func anEmptyPromptIsAMessageOnlyWhereThereIsNoOther() throws {
        #expect(try Self.chatMessages(history: "[]", prompt: "").text() == #"[{"role":"user","content":""}]"#)
        #expect(
            try Self.chatMessages(history: "[]", prompt: "", system: "s").text()
                == #"[{"role":"system","content":"s"}]"#)
    }

    @Test(arguments: [
        (
            #"{"role":"user","parts":[{"type":"attachment","attachment":{"type":"image/png","url":"u"}}]}"#,
            "'attachment' (image/png)"
        ),
        (
            #"{"role":"assistant","parts":[{"type":"tool_call","name":"s","arguments":{},"server_executed":true}]}"#,
            "'tool_call' that a provider ran itself"
        ),
        (#"{"role":"assistant","parts":[{"type":"tool_result","name":"s","output":"x"}]}"#, "'tool_result'"),
        (#"{"role":"tool","parts":[{"type":"text","text":"x"}]}"#, "'text'"),
    ])
    func aPartThatCannotBeSentFailsTheRequestAndIsNamed(message: String, kind: String) throws {
        let transport = FakeTransport(pieces: [])
        var request = try request("hi", model: "m")
        request.messages = try Self.messages(#"[{"role":"user","parts":[{"type":"text","text":"a"}]},\#(message)]"#)
        let answer = try outcome(of: request, OpenAICompatibleTests.settings(), over: transport)
        #expect(answer.events == ["error"])
        #expect(answer.failure?.code == .modelError)
        #expect(answer.failure?.message.contains("message 2 of the conversation") == true)
        #expect(answer.failure?.message.contains("a part \(kind)") == true, "\(answer.failure?.message ?? "")")
        #expect(transport.requests.isEmpty)
    }

    /// Recorded requests of several messages, turned into a history and back.
    @Test(.enabled(if: SharedFolder.holds("recordings/chat-completions"), "the shared folder is not here"))
    func recordedConversationsAreSentAsTheyWereRecorded() throws {
        let folder = SharedFolder.url!.appendingPathComponent("recordings/chat-completions")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
        var (conversations, withTools) = (0, 0)
        for file in files.sorted() {
            let recording = try JSONValue(
                parsing: Array(try Data(contentsOf: folder.appendingPathComponent(file))), bounds: .lenient)
            let recorded = recording["request"]?["messages"]?.array ?? []
            guard recorded.count > 1, let parts = try Self.history(recorded) else { continue }
            let last = recorded.last!
            let isPrompt = last["role"]?.string == "user"
            let history = JSONValue.array(isPrompt ? parts.dropLast() : parts).text()
            let prompt = isPrompt ? last["content"]!.string! : ""
            let sent = try Self.chatMessages(history: history, prompt: prompt).array ?? []
            #expect(sent.map(Self.essence) == recorded.map(Self.essence), "\(file)")
            conversations += 1
            withTools += recorded.contains { $0["tool_calls"] != nil } ? 1 : 0
        }
        #expect(conversations >= 10)
        #expect(withTools >= 4)
    }

    /// Chat messages as llm's; `nil` where one has content that is no text.
    private static func history(_ messages: [JSONValue]) throws -> [JSONValue]? {
        var history: [JSONValue] = []
        for message in messages {
            let role = message["role"]!.string!
            guard let content = message["content"], !content.isNull else {
                guard message["tool_calls"] != nil else { return nil }
                history.append(Self.message(role, try Self.callParts(message)))
                continue
            }
            guard let text = content.string else { return nil }
            if role == "tool" {
                let members: [JSONValue.Member] = [
                    .init("type", .string("tool_result")), .init("name", .string("")), .init("output", .string(text)),
                    .init("tool_call_id", message["tool_call_id"]!),
                ]
                history.append(Self.message(role, [.object(members)]))
            } else {
                let part = JSONValue.object([.init("type", .string("text")), .init("text", .string(text))])
                history.append(Self.message(role, try [part] + Self.callParts(message)))
            }
        }
        return history
    }

    private static func message(_ role: String, _ parts: [JSONValue]) -> JSONValue {
        .object([.init("role", .string(role)), .init("parts", .array(parts))])
    }

    private static func callParts(_ message: JSONValue) throws -> [JSONValue] {
        try (message["tool_calls"]?.array ?? []).map { call in
            .object([
                .init("type", .string("tool_call")),
                .init("name", call["function"]!["name"]!),
                .init("arguments", try JSONValue(parsing: call["function"]!["arguments"]!.string!)),
                .init("tool_call_id", call["id"]!),
            ])
        }
    }

    /// What a chat message says, whatever the order of its members.
    private static func essence(_ message: JSONValue) -> [String] {
        let calls = (message["tool_calls"]?.array ?? []).flatMap { call in
            let function = call["function"]
            let arguments = function?["arguments"]?.string.flatMap { try? JSONValue(parsing: $0) }
            return [call["id"]?.string ?? "", function?["name"]?.string ?? "", arguments?.text() ?? ""]
        }
        return [message["role"]?.string, message["content"]?.string, message["tool_call_id"]?.string]
            .map { $0 ?? "" } + calls
    }

    // MARK: Echo

    @Test func echoNamesThePromptsBeforeAsTheyWereAsked() throws {
        var request = try request("now", model: "echo")
        request.messages = [
            ModelMessage(.system, text: "be brief"),
            ModelMessage(.user, text: #"{"prompt":"é"}"#),
            ModelMessage(.assistant, text: "x"),
            ModelMessage(.user, []),
        ]
        let answer = try outcome(of: request, ProviderSettings(name: "echo", kind: .echo))
        #expect(
            answer.text == """
                {
                  "prompt": "now",
                  "system": "",
                  "attachments": [],
                  "stream": true,
                  "previous": [
                    {
                      "prompt": "{\\"prompt\\":\\"\\u00e9\\"}"
                    },
                    {
                      "prompt": ""
                    }
                  ]
                }
                """)
        #expect(answer.usage?.input == 1, "only what is new is counted")
    }
}
