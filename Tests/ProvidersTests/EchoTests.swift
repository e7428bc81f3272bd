import Foundation
import JSON
import Messages
import Recordings
import Testing

@Suite struct EchoTests {
    private static let settings = ProviderSettings(name: "echo", kind: .echo)

    private static func echo(
        _ prompt: String, model: String = "echo", stream: Bool = true, system: String? = nil, options: String = "{}",
        key: String? = nil
    ) throws -> Outcome {
        try outcome(
            of: try request(prompt, model: model, stream: stream, system: system, options: options, key: key),
            Self.settings)
    }

    @Test func attachmentsAndToolResultsAreShownAndASchemaIsRefused() throws {
        var request = try request("hi", model: "echo")
        request.attachments = [
            Attachment(mediaType: "image/png", .content("AA==")), Attachment(mediaType: nil, .url("u")),
        ]
        request.toolResults = [ToolResult(name: "f", output: "two words", toolCallID: "c")]
        let answer = try outcome(of: request, Self.settings)
        let value = try JSONValue(parsing: answer.text)
        #expect(
            value["attachments"]?.text()
                == #"[{"type":"image/png","path":null,"url":null},{"type":null,"path":null,"url":"u"}]"#)
        #expect(value["tool_results"]?.text() == #"[{"name":"f","output":"two words","tool_call_id":"c"}]"#)
        #expect(answer.usage?.input == 3)
        request.schema = .object([])
        #expect(try outcome(of: request, Self.settings).failure?.message == "Echo: echo does not support schemas")
    }

    @Test func theAnswerIsThePromptAsIndentedJSON() throws {
        let answer = try Self.echo("hélló \u{1F600}", system: "be brief", options: #"{"example_bool":true}"#)
        #expect(
            answer.text == """
                {
                  "prompt": "h\\u00e9ll\\u00f3 \\ud83d\\ude00",
                  "system": "be brief",
                  "attachments": [],
                  "stream": true,
                  "previous": [],
                  "options": {
                    "example_bool": true
                  }
                }
                """)
        #expect(answer.usage == Usage(input: 4, output: 19))
        #expect(answer.events == ["text", "done"])
    }

    @Test func anAnswerThatIsNotStreamedIsInTheLastFrame() throws {
        let answer = try Self.echo(#"{"raw":"a b","tool_calls":[{"name":"t"}]}"#, stream: false)
        #expect(answer.events == ["done"])
        #expect(answer.text == "a b")
        #expect(answer.toolCalls == [["t", "{}"]])
    }

    @Test func aKeyIsRepeatedByTheModelThatNeedsOne() throws {
        #expect(
            try Self.echo("x", model: "echo-needs-key", key: "K").text.hasSuffix(
                "\"previous\": [],\n  \"key\": \"K\"\n}"))
        #expect(try !Self.echo("x", key: "K").text.contains("key"))
        #expect(try Self.echo("x", model: "echo-needs-key").failure?.code == .modelError)
    }

    @Test func numbersKeepTheirTextAndMembersTheirOrder() throws {
        let answer = try Self.echo(#"{"prompt":{"z":1.0,"a":-0,"n":123456789012345678901234567890}}"#)
        #expect(answer.text.contains("\"z\": 1.0,\n    \"a\": -0,\n    \"n\": 123456789012345678901234567890"))
    }

    @Test func anObjectInTheRawMemberIsTakenForTheAnswersOwn() throws {
        #expect(try Self.echo(#"{"raw":{"a":[]}}"#).text == "{\n  \"a\": []\n}")
        #expect(
            try Self.echo(#"{"raw":{}}"#, model: "echo-needs-key", key: "K").text == "{\n  \"key\": \"K\"\n}")
    }

    @Test(arguments: [
        (#"{"raw":1.5}"#, "'float' object has no attribute 'split'"),
        (#"{"raw":[]}"#, "'list' object has no attribute 'split'"),
        (#"{"raw":false}"#, "'bool' object has no attribute 'split'"),
        (#"{"tool_calls":[{"arguments":{}}]}"#, "'name'"),
        (#"{"tool_calls":["x"]}"#, "string indices must be integers, not 'str'"),
        (#"{"tool_calls":[null]}"#, "'NoneType' object is not subscriptable"),
        (#"{"tool_calls":7}"#, "'int' object is not iterable"),
    ])
    func whatBreaksThePythonOriginalIsAnError(prompt: String, message: String) throws {
        let answer = try Self.echo(prompt)
        #expect(answer.failure?.code == .modelError)
        #expect(answer.failure?.message.contains(message) == true)
        #expect(answer.events == ["error"])
    }

    @Test func toolCallsGetIdsAndObjectsForArguments() throws {
        let answer = try Self.echo(
            #"{"tool_calls":[{"name":"a","arguments":{"x":[1,"y"]}},{"name":"b","arguments":[2]},{"name":"c","arguments":"d"}]}"#
        )
        #expect(answer.toolCalls == [["a", #"{"x":[1,"y"]}"#], ["b", #"{"_raw":"[2]"}"#], ["c", #"{"_raw":"d"}"#]])
        #expect(Set(answer.toolCallIDs).count == 3)
        for id in answer.toolCallIDs {
            #expect(id.hasPrefix("tc_"))
            #expect(ULID(String(id.dropFirst(3))) != nil)
        }
    }

    @Test(arguments: [
        ("true", true), ("\"Yes\"", true), ("1", true), ("1.0", true), ("\"on\"", true), ("\"T\"", true),
        ("false", false), ("\"n\"", false), ("0", false), ("\"OFF\"", false), ("\"0\"", false),
    ])
    func whatPydanticTakesForABooleanIsOne(text: String, value: Bool) throws {
        let answer = try Self.echo("x", options: "{\"example_bool\":\(text)}")
        #expect(answer.text.contains("\"example_bool\": \(value)"))
    }

    @Test func optionsThatAreNullAreAbsent() throws {
        let answer = try Self.echo("x", options: #"{"example_bool":null,"thinking":null}"#)
        #expect(!answer.text.contains("options"))
        #expect(answer.reasoning.isEmpty)
    }

    @Test func aWrongOptionIsNamedTogetherWithTheValidOnes() throws {
        let failure = try #require(try Self.echo("x", options: #"{"temperature":1,"thinking":"maybe"}"#).failure)
        #expect(failure.code == .invalidOptions)
        #expect(
            failure.message.hasPrefix("2 validation errors for Options: temperature: Extra inputs are not permitted"))
        #expect(failure.message.contains("thinking: Input should be a valid boolean, unable to interpret input"))
        #expect(failure.message.hasSuffix("Valid options: example_bool, thinking"))
    }

    @Test func wordsAreCountedAsPythonCountsThem() throws {
        #expect(try Self.echo("a\u{1C}b\u{85}c\u{A0}d\u{3000}e \u{200B} f\t\n").usage?.input == 7)
    }

    @Test func aModelThatIsNotListedIsRefused() throws {
        #expect(try Self.echo("x", model: "other").failure?.code == .modelError)
    }

    @Test(.enabled(if: SharedFolder.holds("reference/vectors/echo.json"), "the shared folder is not here"))
    func everyRecordedAnswerOfThePythonOriginalIsGiven() throws {
        let file = SharedFolder.url!.appendingPathComponent("reference/vectors/echo.json")
        let cases = try JSONValue(parsing: Array(try Data(contentsOf: file))).array ?? []
        var count = 0
        for vector in cases {
            let input = vector["in"]!
            let known = ["prompt", "system", "options", "stream"]
            guard input.members!.allSatisfy({ known.contains($0.name) }) else { continue }
            count += 1
            let model = vector["model"]!.string!
            let answer = try Self.echo(
                input["prompt"]?.string ?? "", model: model, stream: input["stream"]?.bool ?? true,
                system: input["system"]?.string, options: input["options"]?.text() ?? "{}",
                key: model == "echo-needs-key" ? "K" : nil)
            if let message = vector["message"]?.string {
                #expect(
                    answer.failure?.code
                        == (vector["error"]?.string == "ValidationError" ? .invalidOptions : .modelError))
                #expect(answer.failure?.message.contains(message) == true, "\(input)")
                continue
            }
            #expect(answer.failure == nil, "\(input)")
            #expect(answer.text == vector["text"]?.string, "\(input)")
            #expect(answer.usage?.input == vector["usage"]?[0]?.integer, "\(input)")
            #expect(answer.usage?.output == vector["usage"]?[1]?.integer, "\(input)")
            #expect(answer.reasoning == (vector["reasoning"]?.array ?? []).compactMap(\.string).joined(), "\(input)")
            #expect(
                answer.toolCalls == (vector["tool_calls"]?.array ?? []).map { [$0[0]!.string!, $0[1]!.text()] },
                "\(input)")
            guard input["stream"]?.bool != false else { continue }
            let events = (vector["events"]?.array ?? []).map { $0[0]!.string! }
            #expect(answer.events.filter { $0 != "tool_call" } == events + ["done"], "\(input)")
        }
        #expect(count == 36)
    }
}
