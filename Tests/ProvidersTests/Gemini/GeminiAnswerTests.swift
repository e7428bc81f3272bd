import JSON
import Messages
import Testing
import Transport

/// What Gemini says, and what of it goes back.
@Suite struct GeminiAnswerTests {
    private static let search =
        #"{"toolCall":{"id":"s1","toolType":"GOOGLE_SEARCH_WEB","args":{"queries":["x"]}},"thoughtSignature":"S1+/="}"#
    private static let found =
        #"{"toolResponse":{"id":"s1","toolType":"GOOGLE_SEARCH_WEB","response":{"n":["é"]}},"thoughtSignature":"S2"}"#
    private static let code = #"{"executableCode":{"language":"PYTHON","code":"print(1)"}}"#
    private static let output = #"{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"1\n"}}"#

    /// A stream with everything that there is.
    private static let stream = GeminiSample.stream([
        GeminiSample.response(
            #"{"text":"think","thought":true}"#,
            more: #","modelVersion":"models/m-001","usageMetadata":{"promptTokenCount":7}"#),
        GeminiSample.response(#"{"text":"ing","thought":true},{"text":"!","thought":true,"thoughtSignature":"T1"}"#),
        GeminiSample.response("\(Self.search),\(Self.found)"),
        GeminiSample.response(#"{"text":"Grüße "}"#),
        GeminiSample.response(#"{"text":"\ud83d\ude00"}"#),
        GeminiSample.response(#"{"text":"signed","thoughtSignature":"T2"}"#),
        GeminiSample.response(#"{"text":"", "thoughtSignature":"T3"},{"text":"free"}"#),
        GeminiSample.response("\(Self.code),\(Self.output)"),
        GeminiSample.response(
            #"{"functionCall":{"name":"f","args":{"a":1.0,"b":[null]}},"thoughtSignature":"T4"},{"functionCall":{"id":"c2","name":"g"}}"#
        ),
        GeminiSample.response(
            #"{"text":""}"#, finish: "STOP",
            more: #"""
                ,"usageMetadata":{"promptTokenCount":10,"toolUsePromptTokenCount":3,"candidatesTokenCount":20,"thoughtsTokenCount":5,
                "totalTokenCount":38,"cachedContentTokenCount":4,"x":0}
                """#.replacing("\n", with: "")),
    ])

    private static func signed(_ text: String) -> JSONValue {
        .object([.init("gemini", .object([.init("thoughtSignature", .string(text))]))])
    }

    private static func native(_ part: String) throws -> JSONValue {
        .object([.init("gemini", .object([.init("part", try JSONValue(parsing: part))]))])
    }

    @Test(arguments: [true, false])
    func aStreamMayBeCutAtEveryByte(stream: Bool) throws {
        let request = try request("hi", model: "m", stream: stream)
        var expected: AssembledAnswer?
        for cut in 0..<Self.stream.count {
            let pieces =
                cut == 0 ? Self.stream.pieces(of: 1) : [Array(Self.stream[..<cut]), Array(Self.stream[cut...])]
            let answer = try GeminiSample.run(
                request, over: FakeTransport(contentType: "text/event-stream", pieces: pieces))
            guard let expected else {
                expected = answer
                try self.expectEverything(answer)
                #expect(stream ? answer.streamedCount > 15 : answer.streamedCount == 0)
                continue
            }
            try #require(answer.essence == expected.essence, "cut at \(cut)")
        }
    }

    private func expectEverything(_ answer: AssembledAnswer) throws {
        let parts = answer.parts
        try #require(parts.count == 12, "\(answer.message.value.text())")
        #expect(parts[0] == MessagePart(.reasoning("thinking")))
        #expect(parts[1] == MessagePart(.reasoning("!"), providerMetadata: Self.signed("T1")))
        let search = ToolCall(
            id: "s1", name: "google_search", arguments: Array(#"{"queries":["x"]}"#.utf8), isServerExecuted: true)
        #expect(parts[2] == MessagePart(.toolCall(search), providerMetadata: try Self.native(Self.search)))
        let found = ToolResult(
            name: "google_search", output: #"{"n": ["\u00e9"]}"#, toolCallID: "s1", isServerExecuted: true)
        #expect(parts[3] == MessagePart(.toolResult(found), providerMetadata: try Self.native(Self.found)))
        #expect(parts[4] == MessagePart(.text("Grüße \u{1F600}")))
        #expect(parts[5] == MessagePart(.text("signed"), providerMetadata: Self.signed("T2")))
        #expect(parts[6] == MessagePart(.text(""), providerMetadata: Self.signed("T3")))
        #expect(parts[7] == MessagePart(.text("free")))
        #expect(parts[8].providerMetadata == (try Self.native(Self.code)))
        #expect(parts[9].providerMetadata == (try Self.native(Self.output)))
        guard case .toolResult(let output) = parts[9].content else {
            Issue.record("no result")
            return
        }
        #expect(output.output == #"{"outcome": "OUTCOME_OK", "output": "1\n"}"#)
        let calls = answer.calls
        #expect(calls.map(\.name) == ["google_search", "code_execution", "f", "g"])
        #expect(calls[1].id.hasPrefix("tc_") && output.toolCallID == calls[1].id && calls[1].isServerExecuted)
        #expect(String(decoding: calls[1].arguments, as: UTF8.self) == #"{"language":"PYTHON","code":"print(1)"}"#)
        #expect(calls[2].id.hasPrefix("tc_") && calls[3].id == "c2")
        #expect(String(decoding: calls[2].arguments, as: UTF8.self) == #"{"a":1.0,"b":[null]}"#)
        #expect(parts[10].providerMetadata == Self.signed("T4"))
        #expect(parts[11].providerMetadata == nil)
        #expect(answer.done?["finish_reason"]?.string == "STOP")
        #expect(answer.done?["resolved_model"]?.string == "m-001")
        let details =
            #"{"toolUsePromptTokenCount":3,"candidatesTokenCount":20,"thoughtsTokenCount":5,"cachedContentTokenCount":4}"#
        #expect(answer.usage == Usage(input: 13, output: 25, details: Array(details.utf8)))
    }

    @Test func everythingGoesBackAsItCame() throws {
        let answer = try GeminiSample.run(
            try request("hi", model: "m"), over: FakeTransport(contentType: "text/event-stream", pieces: [Self.stream]))
        var next = try request("", model: "m")
        // As a record keeps it, and the supervisor sends it.
        let stored = try JSONValue(parsing: answer.message.value.text())
        next.messages = [ModelMessage(.user, text: "hi"), try ModelMessage(stored)]
        next.toolResults = answer.calls.filter { !$0.isServerExecuted }.reversed().map {
            ToolResult(name: $0.name, output: $0.name.uppercased(), toolCallID: $0.id)
        }
        let body = try GeminiSample.body(of: next)
        #expect(
            body["contents"]?[1]?.text()
                == #"{"role":"model","parts":[{"text":"!","thought":true,"thoughtSignature":"T1"},\#(Self.search),\#(Self.found),"#
                + #"{"text":"Grüße 😀"},{"text":"signed","thoughtSignature":"T2"},{"text":"","thoughtSignature":"T3"},{"text":"free"},"#
                + #"\#(Self.code),\#(Self.output),{"functionCall":{"name":"f","args":{"a":1.0,"b":[null]}},"thoughtSignature":"T4"},"#
                + #"{"functionCall":{"id":"c2","name":"g","args":{}}}]}"#)
        #expect(
            body["contents"]?[2]?.text()
                == #"{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"F"}}},"#
                + #"{"functionResponse":{"id":"c2","name":"g","response":{"output":"G"}}}]}"#)
        #expect(body["toolConfig"]?.text() == #"{"includeServerSideToolInvocations":true}"#)
    }

    @Test func signaturesOfOthersStayBehind() throws {
        var next = try request("x", model: "m")
        next.messages = [
            ModelMessage(
                .assistant,
                [
                    MessagePart(
                        .reasoning("r"), providerMetadata: try JSONValue(parsing: #"{"anthropic":{"signature":"a"}}"#)),
                    MessagePart(.text("t"), providerMetadata: try JSONValue(parsing: #"{"openai":{"id":"i"}}"#)),
                ])
        ]
        #expect(try GeminiSample.body(of: next)["contents"]?[0]?.text() == #"{"role":"model","parts":[{"text":"t"}]}"#)
    }

    @Test func aWholeBodyMayBeCutAtEveryByteAndMayBeAnArrayOfWhatAStreamWouldHold() throws {
        let parts = GeminiSample.response(#"{"text":"a"}"#)
        let end = GeminiSample.response(#"{"text":"b"}"#, finish: "STOP")
        for body in [GeminiSample.response(#"{"text":"a"},{"text":"b"}"#, finish: "STOP"), "[\(parts),\(end)]"] {
            for cut in 1..<body.utf8.count {
                let bytes = Array(body.utf8)
                let transport = FakeTransport(pieces: [Array(bytes[..<cut]), Array(bytes[cut...])])
                let answer = try GeminiSample.run(try request("hi", model: "m", stream: false), over: transport)
                #expect(answer.text == "ab" && answer.done?["finish_reason"]?.string == "STOP")
            }
        }
        #expect(try GeminiSample.answer(to: "[\(parts)]").failure?.code == .providerInvalidResponse)
    }

    @Test func whereTheAnswerComesFromBelongsToTheMessage() throws {
        let candidate =
            #"{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP","groundingMetadata":{"g":1},"urlContextMetadata":{}}"#
        for stream in [true, false] {
            let answer = try GeminiSample.answer(to: #"{"candidates":[\#(candidate)]}"#, stream: stream)
            #expect(answer.metadata?.text() == #"{"gemini":{"groundingMetadata":{"g":1}}}"#)
            #expect(answer.parts == [MessagePart(.text("a"))])
        }
        let long = String(repeating: "x", count: 70_000)
        let answer = try GeminiSample.answer(
            to: #"{"candidates":[{"content":{},"finishReason":"STOP","groundingMetadata":{"g":"\#(long)"}}]}"#)
        #expect(answer.metadata == nil && answer.failure == nil)
    }

    @Test(
        arguments: [
            ("{}", nil),
            (#"{"totalTokenCount":3}"#, nil),
            (#"{"promptTokenCount":4,"totalTokenCount":4}"#, Usage(input: 4, output: 0)),
            (
                #"{"thoughtsTokenCount":2}"#,
                Usage(input: nil, output: 2, details: Array(#"{"thoughtsTokenCount":2}"#.utf8))
            ),
            (
                #"{"promptTokenCount":-1,"candidatesTokenCount":1e3}"#,
                Usage(input: nil, output: nil, details: Array(#"{"candidatesTokenCount":1e3}"#.utf8))
            ),
        ] as [(String, Usage?)])
    func usageIsCountedAsItIsPaid(metadata: String, usage: Usage?) throws {
        let body = GeminiSample.response(#"{"text":"a"}"#, finish: "STOP", more: #","usageMetadata":\#(metadata)"#)
        #expect(try GeminiSample.answer(to: body).usage == usage)
    }

    @Test func hostileArgumentsTravelInAFormThatTheSupervisorAccepts() throws {
        let deep = String(repeating: "[", count: 70) + String(repeating: "]", count: 70)
        let calls = [#"{"a":"\ud83d"}"#, "[1]", #""x""#, "null"].map { #"{"functionCall":{"name":"f","args":\#($0)}}"# }
        let answer = try GeminiSample.answer(to: GeminiSample.response(calls.joined(separator: ","), finish: "STOP"))
        #expect(
            answer.calls.map { String(decoding: $0.arguments, as: UTF8.self) } == [
                "{\"a\":\"\u{FFFD}\"}", #"{"_raw":"[1]"}"#, #"{"_raw":"x"}"#, "{}",
            ])
        let refused = try GeminiSample.answer(
            to: GeminiSample.response(#"{"functionCall":{"name":"f","args":{"a":\#(deep)}}}"#, finish: "STOP"))
        #expect(refused.failure?.code == .providerInvalidResponse)
        let many = Array(repeating: #"{"functionCall":{"name":"f"}}"#, count: 257).joined(separator: ",")
        #expect(try GeminiSample.answer(to: GeminiSample.response(many)).failure?.code == .answerTooLarge)
    }
}
