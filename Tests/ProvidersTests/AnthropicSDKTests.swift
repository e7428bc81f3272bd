import Foundation
import JSON
import Messages
import Testing

/// A second opinion on what is sent: the request types of Anthropic's own SDK for Python.
///
/// `BULKHEAD_SDK_PYTHON` names a Python that has the package `anthropic`; without one the test is skipped.
@Suite struct AnthropicSDKTests {
    private static let python = ProcessInfo.processInfo.environment["BULKHEAD_SDK_PYTHON"]

    @Test(.enabled(if: Self.python != nil, "BULKHEAD_SDK_PYTHON names no Python with the package 'anthropic'"))
    func theSDKsTypesAcceptEveryKindOfRequestAndNoOther() throws {
        let bodies = try Self.bodies()
        let wrong = [
            #"{"model":"m","max_tokens":1,"stream":true,"messages":[{"role":"user","content":[{"type":"text","x":1}]}]}"#
        ]
        let verdicts = try Self.verdicts(on: bodies.map { $0.1.text() } + wrong)
        try #require(verdicts.count == bodies.count + 1)
        for (body, verdict) in zip(bodies, verdicts) { #expect(verdict == "valid", "\(body.0)") }
        #expect(verdicts.last != "valid")
    }

    /// Requests with everything that one can hold.
    private static func bodies() throws -> [(String, JSONValue)] {
        var text = try AnthropicExchange.request(
            options:
                #"{"thinking":{"type":"adaptive","display":"summarized"},"metadata":{"user_id":"u"}}"#
        )
        text.system = "be kind"
        var shown = try AnthropicExchange.request("what is it?")
        shown.attachments = [
            Attachment(mediaType: "image/png", .content("iVBORw0KGgo=")),
            Attachment(mediaType: nil, .url("https://a.example/x")),
            Attachment(mediaType: "application/pdf", .content("JVBERi0=")),
            Attachment(mediaType: nil, .url("https://a.example/x.pdf")),
            Attachment(mediaType: "text/plain", .content("eA==")),
        ]
        var structured = try AnthropicExchange.request(options: #"{"output_config":{"effort":"low"},"max_tokens":99}"#)
        structured.schema = try SchemaText.schema("name, age int: in years")
        let events = FakeTransport(pieces: [Array(AnthropicAnswerTests.message(AnthropicAnswerTests.content).utf8)])
        let (_, parts) = try AnthropicExchange.answer(events, to: text)
        var continued = try AnthropicExchange.request(
            "and now?",
            options:
                #"{"tools":[{"type":"web_search_20250305","name":"web_search","max_uses":2}],"tool_choice":{"type":"auto"},"mcp_servers":[{"type":"url","url":"https://a.example","name":"wiki"}],"betas":["mcp-client-2025-11-20"]}"#
        )
        continued.tools = [ToolDefinition(name: "look", description: "Looks."), ToolDefinition(name: "now")]
        continued.messages = [
            ModelMessage(.system, text: "s"), ModelMessage(.user, text: "a"), ModelMessage(.assistant, parts),
            ModelMessage(.system, text: "t"),
        ]
        continued.toolResults = [
            ToolResult(name: "now", output: "12", toolCallID: "toolu_1", exception: "E: x"),
            ToolResult(
                name: "look", output: "seen", toolCallID: "toolu_2",
                attachments: [Attachment(mediaType: "image/png", .content("iVBORw0KGgo="))]),
        ]
        return try [("text", text), ("shown", shown), ("structured", structured), ("continued", continued)].map {
            ($0.0, try AnthropicExchange.body($0.1))
        }
    }

    private static func verdicts(on bodies: [String]) throws -> [String] {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bulkhead-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let input = folder.appendingPathComponent("bodies")
        try Data(bodies.map { "\($0)\n" }.joined().utf8).write(to: input)
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: try #require(Self.python))
        process.arguments = ["-c", Self.script]
        process.standardInput = try FileHandle(forReadingFrom: input)
        process.standardOutput = output
        try process.run()
        let verdicts = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return verdicts.split(separator: "\n").map(String.init)
    }

    /// Reads a body a line, and says of each what its types would not allow.
    private static let script = #"""
        import collections.abc, json, sys, typing
        from typing_extensions import NotRequired, Required, get_args, get_origin, get_type_hints, is_typeddict
        from anthropic.types.beta.message_create_params import MessageCreateParamsStreaming


        def unwrapped(kind):
            while get_origin(kind) in (Required, NotRequired, typing.Annotated):
                kind = get_args(kind)[0]
            return kind


        def object_problem(value, kind, path):
            if not isinstance(value, dict):
                return f"{path}: no object"
            hints = get_type_hints(kind, include_extras=True)
            is_open = getattr(kind, "__pydantic_config__", {}).get("extra") == "allow"
            for name, hint in hints.items():
                if name not in value and get_origin(hint) is Required:
                    return f"{path}: no {name}"
            for name, member in value.items():
                if name not in hints and not is_open:
                    return f"{path}: {name} is unknown to {kind.__name__}"
                if name in hints and (found := problem(member, hints[name], f"{path}.{name}")):
                    return found
            return None


        def union_problem(value, kinds, path):
            found = [problem(value, kind, path) for kind in kinds]
            if None in found:
                return None
            if isinstance(value, dict):
                for kind, reason in zip(kinds, found):
                    if is_typeddict(kind) and value.get("type") in get_args(unwrapped(get_type_hints(kind).get("type"))):
                        return reason
            return max(found, key=lambda reason: len(reason.split(": ")[0]))


        def problem(value, kind, path):
            """What is wrong with a value as a type of the SDK's; nothing is allowed that its type does not name."""
            kind = unwrapped(kind)
            origin, arguments = get_origin(kind), get_args(kind)
            if kind in (typing.Any, object):
                return None
            if is_typeddict(kind):
                return object_problem(value, kind, path)
            if origin is typing.Union:
                return union_problem(value, arguments, path)
            if origin is typing.Literal:
                return None if value in arguments else f"{path}: {value!r} is none of {arguments}"
            if origin is dict:
                return None if isinstance(value, dict) else f"{path}: no object"
            if origin in (list, collections.abc.Iterable) or getattr(origin, "__name__", "") == "SequenceNotStr":
                if not isinstance(value, list):
                    return f"{path}: no array"
                found = (problem(element, arguments[0], f"{path}[{index}]") for index, element in enumerate(value))
                return next((reason for reason in found if reason), None)
            if kind is float and isinstance(value, int) and not isinstance(value, bool):
                return None
            if kind in (str, int, float, bool, type(None)) and type(value) is kind:
                return None
            return f"{path}: no {kind}"


        for line in sys.stdin:
            print(problem(json.loads(line), MessageCreateParamsStreaming, "body") or "valid")
        """#
}
