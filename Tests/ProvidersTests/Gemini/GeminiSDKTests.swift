import Foundation
import JSON
import Messages
import Recordings
import Testing

/// A second opinion: the official Python SDK, google-genai, on what we send and on what we read.
///
/// `BULKHEAD_GOOGLE_GENAI` names a Python in which it is installed; without one these tests are skipped.
@Suite struct GeminiSDKTests {
    private static let python = ProcessInfo.processInfo.environment["BULKHEAD_GOOGLE_GENAI"]
    private static let isMissing: Comment =
        "there is no google-genai: name a Python that has it in BULKHEAD_GOOGLE_GENAI"

    private struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs a script with `input` to read, and returns the lines that it prints.
    private static func run(_ script: String, _ arguments: [String] = [], input: String = "") throws -> [String] {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bulkhead-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("input")
        try Data(input.utf8).write(to: file)
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: try #require(Self.python))
        process.arguments = ["-c", script] + arguments
        process.standardInput = try FileHandle(forReadingFrom: file)
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(description: text) }
        return text.split(separator: "\n").map(String.init)
    }

    // MARK: Requests

    /// The SDK's types know every member of the API and refuse any other.
    private static let validation = """
        import json, sys
        from typing import Optional
        from google.genai import types
        from pydantic import BaseModel, ConfigDict

        class Request(BaseModel):
            model_config = ConfigDict(extra="forbid")
            contents: list[types.Content]
            systemInstruction: Optional[types.Content] = None
            tools: list[types.Tool] = []
            toolConfig: Optional[types.ToolConfig] = None
            generationConfig: Optional[types.GenerationConfig] = None

        for line in sys.stdin:
            request = Request.model_validate_json(line)
            for content in request.contents:
                assert content.role in ("user", "model") and content.parts, line
                for part in content.parts:
                    kinds = ("text", "inline_data", "file_data", "function_call", "function_response", "tool_call",
                             "tool_response", "executable_code", "code_execution_result")
                    assert sum(getattr(part, kind) is not None for kind in kinds) == 1, line
            print("valid")
        """

    private static func requests() throws -> [ModelRequest] {
        var plain = try request("hi", model: "m", system: "be kind", options: #"{"temperature":0.1,"top_k":3}"#)
        plain.attachments = [
            Attachment(mediaType: "image/png", .content("iVBORw==")),
            Attachment(mediaType: "application/pdf", .content("JVBERg==")),
            Attachment(mediaType: "application/pdf", .url("https://a.example/b.pdf")),
            Attachment(mediaType: nil, .url("https://youtu.be/x")),
        ]
        var typed = try request(
            "x", model: "m",
            options: #"""
                {"max_output_tokens":5,"top_p":0.5,"seed":1,"stop_sequences":["a"],"presence_penalty":1,"frequency_penalty":1,
                "media_resolution":"high","thinking_level":"low","json_object":true,"google_search":true,"url_context":true,
                "code_execution":true}
                """#)
        typed.schema = try JSONValue(parsing: #"{"type":"object","properties":{"a":{"type":"integer"}}}"#)
        typed.tools = [
            ToolDefinition(name: "f", description: "d", inputSchema: try JSONValue(parsing: #"{"type":"object"}"#)),
            ToolDefinition(name: "g"),
        ]
        var thinking = try request("x", model: "m", options: #"{"thinking_budget":-1}"#)
        let answer = try GeminiSample.streamed([
            GeminiSample.response(
                #"{"text":"a","thought":true,"thoughtSignature":"YWJj"},{"text":"b","thoughtSignature":"YWJj"}"#),
            GeminiSample.response(
                #"{"toolCall":{"id":"s","toolType":"URL_CONTEXT","args":{}},"thoughtSignature":"YWJj"}"#),
            GeminiSample.response(#"{"toolResponse":{"id":"s","toolType":"URL_CONTEXT","response":{}}}"#),
            GeminiSample.response(
                #"{"executableCode":{"language":"PYTHON","code":"1"}},{"codeExecutionResult":{"outcome":"OUTCOME_OK"}}"#
            ),
            GeminiSample.response(
                #"{"functionCall":{"name":"f"},"thoughtSignature":"YWJj"},{"functionCall":{"id":"c","name":"g","args":{"x":1}}}"#,
                finish: "STOP"),
        ])
        thinking.messages = [ModelMessage(.user, text: "?"), answer.message]
        thinking.toolResults = answer.calls.filter { !$0.isServerExecuted }.map {
            ToolResult(
                name: $0.name, output: "o", toolCallID: $0.id, exception: $0.name == "g" ? "E: o" : nil,
                attachments: [Attachment(mediaType: "image/png", .content("iVBORw=="))])
        }
        return [plain, typed, thinking]
    }

    @Test(.enabled(if: Self.python != nil, Self.isMissing))
    func theSDKAcceptsEveryRequest() throws {
        let bodies = try Self.requests().map { try GeminiSample.body(of: $0).text() }
        let lines = try Self.run(Self.validation, input: bodies.joined(separator: "\n") + "\n")
        #expect(lines == bodies.map { _ in "valid" })
        // It would notice.
        let wrong = bodies[0].replacing("mimeType", with: "media_kind") + "\n"
        #expect(throws: Failure.self) { try Self.run(Self.validation, input: wrong) }
    }

    // MARK: Answers

    /// Prints what the SDK reads from each recording, in a line: text, thoughts, names and arguments of calls, why it ended.
    private static let reading = """
        import json, sys
        from google import genai
        from google.genai import types

        for line in sys.stdin:
            name = line.strip()
            options = types.HttpOptions(base_url=f"{sys.argv[1]}/r/{name}")
            client = genai.Client(api_key="k", http_options=options, vertexai=False)
            models = client.models
            stream = name.startswith("stream")
            if stream:
                responses = list(models.generate_content_stream(model="m", contents="hi"))
            else:
                responses = [models.generate_content(model="m", contents="hi")]
            text, thoughts, calls, finish = "", "", [], None
            for response in responses:
                candidate = response.candidates[0]
                finish = candidate.finish_reason.value if candidate.finish_reason else finish
                for part in (candidate.content and candidate.content.parts) or []:
                    if part.text and part.thought:
                        thoughts += part.text
                    elif part.text:
                        text += part.text
                    if part.function_call:
                        calls.append([part.function_call.name, part.function_call.args or {}])
            usage = responses[-1].usage_metadata
            tokens = [
                (usage.prompt_token_count or 0) + (usage.tool_use_prompt_token_count or 0),
                (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0),
            ]
            print(json.dumps([name, text, thoughts, calls, finish, tokens]))
        """

    @Test(
        .enabled(if: Self.python != nil, Self.isMissing),
        .enabled(if: SharedFolder.holds("tools/replay-upstream"), "the shared folder is not here"))
    func theSDKReadsTheSameFromEveryRecording() throws {
        let recordings = try GeminiRecordingTests.recordings()
        let upstream = try ReplayUpstream(chunk: 0)
        let names = recordings.map(\.id).joined(separator: "\n") + "\n"
        let lines = try Self.run(Self.reading, [upstream.url], input: names)
        try #require(lines.count == recordings.count, "\(lines)")
        for (line, (id, recording)) in zip(lines, recordings) {
            let transport = FakeTransport(contentType: recording.contentType, pieces: [recording.body])
            let answer = try GeminiSample.run(try request("hi", model: "m"), over: transport)
            let opinion = try JSONValue(parsing: line)
            let calls = try answer.calls.filter { !$0.isServerExecuted }.map { call in
                JSONValue.array([.string(call.name), try JSONValue(parsing: call.arguments)])
            }
            let finish = answer.done?["finish_reason"] ?? .string(recording.failure ?? "")
            let usage = try #require(answer.usage)
            let ours = JSONValue.array([
                .string(id), .string(answer.text), .string(answer.reasoning), .array(calls), finish,
                .array([.integer(usage.input ?? 0), .integer(usage.output ?? 0)]),
            ])
            #expect(try Self.comparable(opinion) == Self.comparable(ours), "\(id)")
        }
    }

    /// The value in an order of members that does not depend on who wrote it.
    private static func comparable(_ value: JSONValue) throws -> NSArray? {
        try JSONSerialization.jsonObject(with: Data(value.serialized())) as? NSArray
    }
}
