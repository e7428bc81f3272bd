import Foundation
import JSON
import Messages
import Recordings
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
            #"{"role":"user","parts":[{"type":"attachment","attachment":{"type":"video/mp4","content":"AAAA"}}]}"#,
            "'attachment' (video/mp4)"
        ),
        (
            #"{"role":"user","parts":[{"type":"attachment","attachment":{"type":"image/png","path":"/x"}}]}"#,
            "'attachment' (image/png), which cannot be sent to this provider: it is a path"
        ),
        (
            #"{"role":"user","parts":[{"type":"attachment","attachment":{"url":"http://x/y.pdf"}}]}"#,
            "'attachment', which cannot be sent to this provider: chat completions take a document by its bytes only"
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

    /// Recorded requests, turned into a history and back: messages with their attachments and tool calls, tools, schemas.
    @Test(.enabled(if: SharedFolder.holds("recordings/chat-completions"), "the shared folder is not here"))
    func recordedRequestsAreSentAsTheyWereRecorded() throws {
        let folder = SharedFolder.url!.appendingPathComponent("recordings/chat-completions")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
        var counts: [String: Int] = [:]
        for file in files.sorted() {
            let recording = try JSONValue(
                parsing: Array(try Data(contentsOf: folder.appendingPathComponent(file))), bounds: .lenient)
            let recorded = try #require(recording["request"])
            let host = recording["host"]?.string ?? ""
            let kind = ProviderPreset.all.first { host.contains($0.kind.rawValue) && $0.kind != .openAI }?.kind
            let request = try RecordedChatRequest(recorded).request
            let sent = try body(of: request, kind ?? .openAICompatible)
            #expect(RecordedChatRequest.essence(sent) == RecordedChatRequest.essence(recorded), "\(file)")
            counts["all", default: 0] += 1
            if (recorded["messages"]?.array?.count ?? 0) > 1 { counts["conversations", default: 0] += 1 }
            for name in ["tools", "response_format"] where recorded[name] != nil { counts[name, default: 0] += 1 }
            for word in ["image_url", "file_data", "tool_call_id"] where recorded.text().contains("\"\(word)\"") {
                counts[word, default: 0] += 1
            }
        }
        #expect(counts["all"] == 72)
        let least = [
            "conversations": 10, "tools": 30, "response_format": 4, "image_url": 1, "file_data": 2, "tool_call_id": 4,
        ]
        for (kind, count) in least { #expect(counts[kind, default: 0] >= count, "\(kind): \(counts)") }
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
