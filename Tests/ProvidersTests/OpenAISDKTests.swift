import Foundation
import JSON
import Messages
import Recordings
import Testing

/// What we send, held against the request types of OpenAI's own Python library, where that is at hand: the program that
/// `BULKHEAD_PYTHON` names, or python3, can import it.
@Suite struct OpenAISDKTests {
    private static let python = ProcessInfo.processInfo.environment["BULKHEAD_PYTHON"] ?? "python3"

    private static let isThere = (try? Self.run(["-c", "import openai, pydantic"], input: Data()))?.status == 0

    @Test(.enabled(if: Self.isThere, "OpenAI's Python library is not here"))
    func everyRequestIsOneOfTheLibrarysTypes() throws {
        var requests: [JSONValue] = []
        for (kind, model) in [
            (ProviderSettings.Kind.openAI, "gpt-5"), (.openAI, "gpt-4o"), (.openAICompatible, "gpt-4o"),
        ] {
            for request in try Self.requests(model: model, isResponses: kind == .openAI) {
                requests.append(
                    .object([
                        .init("api", .string(kind == .openAI ? "responses" : "chat")),
                        .init("body", try body(of: request, kind)),
                    ]))
            }
        }
        let run = try Self.run(["-c", Self.program], input: Data(JSONValue.array(requests).serialized()))
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("valid: \(requests.count), and a wrong one is refused"), "\(run.output)")
    }

    /// Every recorded answer, served again and read by the library and by us.
    @Test(
        .enabled(
            if: Self.isThere && SharedFolder.holds("tools/replay-upstream"),
            "OpenAI's Python library or the shared folder is not here"),
        arguments: [("responses", 71), ("chat-completions", 72)])
    func theLibraryReadsEveryRecordedAnswerAsWeDo(api: String, count: Int) throws {
        let upstream = try ReplayUpstream(chunk: 0)
        var answers: [[String: Any]] = []
        for recording in try Recording.all(in: api) {
            let url = "\(upstream.url)/r/\(recording.id)"
            let isStream = recording.isStreamed
            let settings = api == "responses" ? ResponsesTests.settings("m", url) : OpenAICompatibleTests.settings(url)
            let peer = SlotPeer(settings)
            try peer.prompt(1, stream: isStream)
            let answer = try peer.outcome()
            #expect(peer.close())
            let calls = zip(answer.toolCalls, answer.toolCallIDs).map { [$0[0], $1] }
            answers.append([
                "name": recording.name, "url": url, "stream": isStream, "text": answer.text, "calls": calls,
                "input": answer.usage?.input ?? -1, "output": answer.usage?.output ?? -1,
                "error": answer.failure?.code.rawValue ?? "",
            ])
        }
        let run = try Self.run(["-c", Self.reader, api], input: try JSONSerialization.data(withJSONObject: answers))
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("the same: \(count) of \(count)"), "\(run.output)")
    }

    /// Text, images, PDF, tools, tool results, schema, reasoning and turns.
    private static func requests(model: String, isResponses: Bool) throws -> [ModelRequest] {
        let text = try request("hi", model: model, system: "be kind", options: #"{"temperature":1}"#)
        var shown = try request("look", model: model, options: #"{"image_detail":"low"}"#)
        shown.attachments = [
            Attachment(mediaType: "image/png", .content("iVBORw0KGgo=")),
            Attachment(mediaType: nil, .url("http://x/i")),
            Attachment(mediaType: nil, .content("JVBERi0xLjQ=")),
        ]
        var tools = try request("hi", model: model, stream: false, options: #"{"tool_choice":"auto"}"#)
        tools.tools = [
            ToolDefinition(name: "f", description: "d", inputSchema: try JSONValue(parsing: #"{"type":"object"}"#)),
            ToolDefinition(name: "g"),
        ]
        tools.schema = try JSONValue(parsing: #"{"type":"object","properties":{}}"#)
        var turns = try request("", model: model, system: "be kind")
        func metadata(_ text: String) throws -> JSONValue { .object([.init("openai", try JSONValue(parsing: text))]) }
        turns.messages = [
            ModelMessage(.system, text: "be kind"), ModelMessage(.user, text: "hi"),
            ModelMessage(
                .assistant,
                [
                    MessagePart(
                        .reasoning("r"),
                        providerMetadata: try metadata(
                            #"{"id":"rs_1","encrypted_content":"g","summary":[{"type":"summary_text","text":"r"}]}"#)),
                    MessagePart(.text("t"), providerMetadata: try metadata(#"{"phase":"commentary"}"#)),
                    MessagePart(.toolCall(ToolCall(id: "call_1", name: "f", arguments: Array("{}".utf8)))),
                ]),
        ]
        if isResponses {
            let items = [
                #"{"id":"ws_1","type":"web_search_call","status":"completed","action":{"type":"search","query":"q"}}"#,
                #"{"id":"c","type":"mcp_call","name":"n","arguments":"{}","output":"o","server_label":"s"}"#,
            ]
            turns.messages[2].parts.insert(
                contentsOf: try items.map { item in
                    MessagePart(
                        .toolCall(ToolCall(id: "x", name: "x", arguments: Array("{}".utf8), isServerExecuted: true)),
                        providerMetadata: try metadata(#"{"item":\#(item)}"#))
                }, at: 1)
        }
        turns.toolResults = [
            ToolResult(
                name: "f", output: "o", toolCallID: "call_1",
                attachments: [Attachment(mediaType: "image/png", .content("iVBO"))])
        ]
        return [text, shown, tools, turns]
    }

    /// Holds each request against the type of a request; what a type has no place for is refused.
    private static let program = """
        import json, sys, typing, typing_extensions
        from openai.types import responses, chat
        from openai.types.responses import response_create_params as r
        from openai.types.chat import completion_create_params as c
        from pydantic import TypeAdapter, ValidationError
        for name, module in list(sys.modules.items()):
            if name.startswith("openai.types"):
                for value in vars(module).values():
                    if typing_extensions.is_typeddict(value):
                        value.__pydantic_config__ = {"extra": "forbid"}
        def adapter(module, name):
            return TypeAdapter(typing.Union[getattr(module, name + "NonStreaming"), getattr(module, name + "Streaming")])
        types = {"responses": adapter(r, "ResponseCreateParams"), "chat": adapter(c, "CompletionCreateParams")}
        def walk(value):
            # Some lists are checked only when they are read.
            if isinstance(value, dict):
                for element in value.values(): walk(element)
            elif not isinstance(value, (str, bytes, int, float, type(None))):
                for element in value: walk(element)
        requests = json.load(sys.stdin)
        for request in requests:
            walk(types[request["api"]].validate_python(request["body"]))
        wrong = 0
        for request in requests:
            for change in ({"nonsense": 1}, {"messages" if request["api"] == "chat" else "input": [{"type": "nonsense"}]}):
                try: walk(types[request["api"]].validate_python({**request["body"], **change}))
                except ValidationError: wrong += 1
        print(f"valid: {len(requests)}, and a wrong one is " + ("refused" if wrong == 2 * len(requests) else "not"))
        """

    /// Asks the library for every answer, and says where it reads another than the one that it is told.
    private static let reader = """
        import json, sys, openai
        api, same, answers = sys.argv[1], 0, json.load(sys.stdin)
        def response(client, stream):
            answer = client.responses.create(model="m", input="x", stream=stream)
            if stream:
                for event in answer:
                    if event.type == "response.completed": final = event.response
                answer = final
            if answer.status == "queued": return "provider_invalid_response"
            usage = answer.usage
            calls = [[i.name, i.call_id] for i in answer.output if i.type == "function_call"]
            return answer.output_text, calls, usage.input_tokens, usage.output_tokens
        def completion(client, stream):
            answer = client.chat.completions.create(model="m", messages=[], stream=stream)
            if not stream:
                if not answer.choices: return "provider_invalid_response"
                message, usage = answer.choices[0].message, answer.usage
                calls = [[c.function.name, c.id] for c in message.tool_calls or []]
                text = message.content
            else:
                text, calls, usage = "", {}, None
                for chunk in answer:
                    usage = chunk.usage or getattr(chunk, "x_groq", None) and (chunk.x_groq or {}).get("usage") or usage
                    for choice in chunk.choices:
                        text += choice.delta.content or ""
                        for call in choice.delta.tool_calls or []:
                            calls.setdefault(call.index, [call.function.name, call.id])
                calls = list(calls.values())
                if isinstance(usage, dict): usage = type("Usage", (), usage)
            if isinstance(text, list): text = "".join(p.get("text", "") for p in text if p.get("type") == "text")
            counts = (usage.prompt_tokens, usage.completion_tokens) if usage else (-1, -1)
            return text or "", calls, *counts
        for told in answers:
            client = openai.OpenAI(base_url=told["url"], api_key="sk-1", max_retries=0)
            try: read = (response if api == "responses" else completion)(client, told["stream"])
            except openai.RateLimitError: read = "provider_rate_limited"
            except openai.APIStatusError: read = "provider_rejected"
            except openai.APIError as error: read = "error"
            if told["error"]: ours = told["error"]
            else:
                calls = [c for c in told["calls"] if api != "responses" or c[1].startswith("call_")]
                ours = told["text"], calls, told["input"], told["output"]
            if read == ours or read == "error" and told["error"]: same += 1
            else: print(told["name"], "the library:", read, "we:", ours)
        print(f"the same: {same} of {len(answers)}", flush=True)
        """

    private static func run(_ arguments: [String], input: Data) throws -> (status: Int32, output: String) {
        let process = Process()
        let (standardInput, output) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [Self.python] + arguments
        process.standardInput = standardInput
        process.standardOutput = output
        process.standardError = output
        try process.run()
        try standardInput.fileHandleForWriting.write(contentsOf: input)
        try standardInput.fileHandleForWriting.close()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }
}
