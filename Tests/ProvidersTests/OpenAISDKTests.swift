import Foundation
import JSON
import Messages
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
        #expect(run.output.hasPrefix("valid: \(requests.count), and a wrong one is refused"), "\(run.output)")
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
