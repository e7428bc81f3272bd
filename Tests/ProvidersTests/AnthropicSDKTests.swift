import Foundation
import JSON
import Messages
import Recordings
import Testing

/// A second opinion: Anthropic's own Python library on what we send and on what we read.
@Suite struct AnthropicSDKTests {
    // MARK: Requests

    @Test(.enabled(if: SDKs.isThere, SDKs.isMissing))
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
        let output = try SDKs.run(Self.script, input: bodies.map { "\($0)\n" }.joined())
        return output.split(separator: "\n").map(String.init)
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

    // MARK: Answers

    /// Every recorded message, served again and read by the library and by us.
    @Test(.enabled(if: SDKs.canReplay, "the libraries (scripts/sdks) or the shared folder are not here"))
    func theSDKReadsTheSameFromEveryRecording() throws {
        let upstream = try ReplayUpstream(chunk: 0)
        let recordings = try Recording.all(in: "messages")
        let names = recordings.map { "\($0.isStreamed ? "stream" : "whole") \($0.id)\n" }.joined()
        let lines = try SDKs.run(Self.reading, [upstream.url], input: names).split(separator: "\n").map(String.init)
        try #require(lines.count == 56 && recordings.count == 56, "\(lines)")
        for (line, recording) in zip(lines, recordings) {
            let peer = SlotPeer(AnthropicExchange.settings("\(upstream.url)/r/\(recording.id)", model: "m"))
            try peer.prompt(1, stream: recording.isStreamed)
            let answer = try peer.outcome()
            #expect(peer.close())
            #expect(try comparable(line) == comparable(try Self.opinion(answer).text()), "\(recording.name)")
        }
    }

    /// What we have read, in the form that the script prints.
    private static func opinion(_ answer: Outcome) throws -> JSONValue {
        if let failure = answer.failure {
            return .array([.string(failure.code.rawValue), .string(failure.message)])
        }
        let calls = try zip(answer.toolCalls, answer.toolCallIDs).map { call, id in
            JSONValue.array([.string(call[0]), .string(id), try JSONValue(parsing: call[1])])
        }
        let details = try answer.usage?.details.map { try JSONValue(parsing: $0) } ?? .object([])
        let counts = [
            answer.usage?.input, answer.usage?.output, details["cache_read_input_tokens"]?.integer ?? 0,
            details["cache_creation_input_tokens"]?.integer ?? 0,
        ]
        return .array([
            .string(answer.text), .string(answer.reasoning), .array(calls),
            answer.finishReason.map(JSONValue.string) ?? .null, .array(counts.map { .integer($0 ?? -1) }),
        ])
    }

    /// Prints what the library reads from each recording, in a line: text, thinking, calls, why it ended, tokens.
    private static let reading = #"""
        import json, sys
        import anthropic

        for line in sys.stdin:
            kind, name = line.split()
            client = anthropic.Anthropic(base_url=f"{sys.argv[1]}/r/{name}", api_key="k", max_retries=0)
            asked = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]}
            try:
                if kind == "stream":
                    with client.beta.messages.stream(**asked) as events:
                        message = events.get_final_message()
                else:
                    message = client.beta.messages.create(**asked)
            except anthropic.BadRequestError as error:
                print(json.dumps(["provider_rejected", f"HTTP 400: {error.body['error']['message']}"]))
                continue
            text, thinking, calls = "", "", []
            for block in message.content:
                if block.type == "text":
                    text += block.text
                elif block.type == "thinking":
                    thinking += block.thinking
                elif block.type.endswith("tool_use"):
                    calls.append([block.name, block.id, block.input])
            usage = message.usage
            counts = [
                usage.input_tokens, usage.output_tokens, usage.cache_read_input_tokens or 0,
                usage.cache_creation_input_tokens or 0,
            ]
            print(json.dumps([text, thinking, calls, message.stop_reason, counts]))
        """#
}
