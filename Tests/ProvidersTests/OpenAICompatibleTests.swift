import JSON
import Messages
import Testing
import Transport

@Suite struct OpenAICompatibleTests {
    static func settings(_ baseURL: String = "http://upstream/v1") -> ProviderSettings {
        ProviderSettings(
            name: "p", kind: .openAICompatible, models: [ModelDescription(id: "m")], baseURL: baseURL,
            connectTimeoutMilliseconds: 5000)
    }

    private static func ask(
        _ transport: FakeTransport, stream: Bool = true, options: String = "{}", key: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        let answer = try outcome(
            of: try request("hi", model: "m", stream: stream, options: options, key: key), Self.settings(),
            over: transport,
            sourceLocation: sourceLocation)
        #expect(transport.isFinished, sourceLocation: sourceLocation)
        return answer
    }

    private static func answer(to body: String, contentType: String = "application/json", stream: Bool = true) throws
        -> Outcome
    {
        try Self.ask(FakeTransport(contentType: contentType, pieces: [Array(body.utf8)]), stream: stream)
    }

    private static func stream(_ data: [String]) -> [UInt8] { Array(data.map { "data: \($0)\n\n" }.joined().utf8) }

    private static func delta(_ delta: String, finish: String = "null") -> String {
        #"{"choices":[{"index":0,"delta":\#(delta),"finish_reason":\#(finish)}]}"#
    }

    // MARK: The request

    @Test func theBodyHoldsTheMessagesAndEveryOptionAsItWasWritten() throws {
        let transport = FakeTransport(pieces: [])
        _ = try outcome(
            of: try request(
                "hi \"you\"", model: "m", system: "be kind",
                options: #"{"temperature":0.10,"seed":9007199254740993,"z":null}"#,
                key: "sk-1"),
            Self.settings(), over: transport)
        let sent = try #require(transport.requests.first)
        #expect(sent.method == "POST")
        #expect(sent.url == "http://upstream/v1/chat/completions")
        #expect(sent.headers.contains(HTTPHeader("authorization", "Bearer sk-1")))
        #expect(sent.headers.contains(HTTPHeader("user-agent", "bulkhead/\(SoftwareVersion.current)")))
        #expect(
            String(decoding: sent.body, as: UTF8.self)
                == #"{"model":"m","messages":[{"role":"system","content":"be kind"},{"role":"user","content":"hi \"you\""}],"#
                + #""stream":true,"stream_options":{"include_usage":true},"temperature":0.10,"seed":9007199254740993,"z":null}"#
        )
    }

    @Test func withoutStreamingUsageIsNotAskedForAndWithoutAKeyNoneIsSent() throws {
        let transport = FakeTransport(pieces: [])
        _ = try outcome(of: try request("hi", model: "m", stream: false), Self.settings(), over: transport)
        let sent = try #require(transport.requests.first)
        #expect(
            String(decoding: sent.body, as: UTF8.self)
                == #"{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":false}"#)
        #expect(!sent.headers.contains { $0.name == "authorization" })
    }

    @Test(arguments: ["model", "messages", "stream", "stream_options"])
    func anOptionThatWouldReplaceAFieldIsRefused(name: String) throws {
        let transport = FakeTransport(pieces: [])
        let answer = try Self.ask(transport, options: "{\"\(name)\":1}")
        #expect(answer.failure?.code == .invalidOptions)
        #expect(answer.failure?.message.contains("'\(name)'") == true)
        #expect(transport.requests.isEmpty)
    }

    @Test func aKeyThatWouldBreakTheHeaderIsNeverSent() throws {
        let transport = FakeTransport(pieces: [])
        let answer = try Self.ask(transport, key: "sk\r\nx-evil: 1")
        #expect(answer.failure?.code == .providerAuthentication)
        #expect(transport.requests.isEmpty)
    }

    // MARK: Answers

    @Test func aStreamMayBeCutAtEveryByte() throws {
        let stream = Self.stream([
            Self.delta(#"{"role":"assistant","content":""}"#),
            Self.delta(#"{"reasoning":"thi"}"#),
            Self.delta(#"{"reasoning_content":"nk"}"#),
            Self.delta(#"{"content":"Grüße "}"#),
            Self.delta(
                #"{"content":"\ud83d\ude00","tool_calls":[{"index":0,"id":"c1","function":{"name":"f","arguments":""}}]}"#
            ),
            Self.delta(
                #"{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}},{"index":1,"id":"c2","function":{"name":"g"}}]}"#
            ),
            Self.delta(
                #"{"tool_calls":[{"index":0,"function":{"arguments":"1.0}"}},{"index":1,"function":{"arguments":"nope"}}]}"#
            ),
            Self.delta("{}", finish: #""tool_calls""#),
            #"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12,"x":{"y":0,"z":3},"w":null}}"#,
            "[DONE]",
        ])
        var expected: Outcome?
        for cut in 0..<stream.count {
            let pieces = cut == 0 ? stream.pieces(of: 1) : [Array(stream[..<cut]), Array(stream[cut...])]
            let answer = try Self.ask(FakeTransport(contentType: "text/event-stream; charset=utf-8", pieces: pieces))
            if expected == nil {
                #expect(answer.text == "Grüße \u{1F600}")
                #expect(answer.reasoning == "think")
                #expect(answer.toolCalls == [["f", #"{"a":1.0}"#], ["g", #"{"_raw":"nope"}"#]])
                #expect(answer.toolCallIDs == ["c1", "c2"])
                #expect(answer.finishReason == "tool_calls")
                #expect(answer.usage == Usage(input: 5, output: 7, details: Array(#"{"x":{"z":3}}"#.utf8)))
                expected = answer
            }
            #expect(answer == expected, "cut at \(cut)")
        }
    }

    @Test func aWholeBodyIsReadInPiecesTooAndCollectedWhereItWasNotToBeStreamed() throws {
        let body = #"""
            {"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","reasoning":"r","content":[
            {"type":"thinking","thinking":[{"type":"text","text":"mm"}]},{"type":"text","text":"T"},{"type":"reference"}],
            "tool_calls":[{"function":{"name":"f","arguments":{"x":1}}},{"id":"i","function":{"name":"g"}}]}}],
            "x_groq":{"usage":{"prompt_tokens":1,"completion_tokens":2}}}
            """#
        for stream in [true, false] {
            let answer = try Self.ask(FakeTransport(pieces: Array(body.utf8).pieces(of: 7)), stream: stream)
            #expect(answer.text == "T")
            #expect(answer.reasoning == "rmm")
            #expect(answer.toolCalls == [["f", #"{"x":1}"#], ["g", "{}"]])
            #expect(answer.toolCallIDs[0].hasPrefix("tc_"))
            #expect(answer.toolCallIDs[1] == "i")
            #expect(answer.usage == Usage(input: 1, output: 2))
            #expect(stream || answer.events == ["done"])
        }
    }

    @Test func aStreamThatWasNotAskedForIsCollected() throws {
        let stream = Self.stream([Self.delta(#"{"content":"a"}"#), Self.delta(#"{"content":"b"}"#, finish: #""stop""#)])
        let answer = try Self.ask(FakeTransport(contentType: "text/event-stream", pieces: [stream]), stream: false)
        #expect(answer.events == ["done"])
        #expect(answer.text == "ab")
        #expect(answer.usage == nil)
    }

    @Test func wholeToolCallsThatShareAnIndexStayApart() throws {
        let stream = Self.stream([
            Self.delta(#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}"#),
            Self.delta(
                #"{"tool_calls":[{"index":0,"id":"b","function":{"name":"g","arguments":"{\"x\":"}}]}"#),
            Self.delta(
                #"{"tool_calls":[{"index":0,"id":"b","function":{"arguments":"2}"}}]}"#, finish: #""tool_calls""#),
        ])
        let answer = try Self.ask(FakeTransport(contentType: "text/event-stream", pieces: [stream]))
        #expect(answer.toolCalls == [["f", "{}"], ["g", #"{"x":2}"#]])
    }

    @Test func hostileArgumentsTravelInAFormThatTheSupervisorAccepts() throws {
        let deep = String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
        let arguments = [#"{\"a\":\"\\ud83d\"}"#, "{\\\"a\\\":\(deep)}", #"{\"a\":1,\"a\":2}"#, #"[1]"#, "  "]
        let calls = arguments.map { #"{"function":{"name":"f","arguments":"\#($0)"}}"# }.joined(separator: ",")
        let body = #"{"choices":[{"message":{"content":null,"tool_calls":[\#(calls)]}}]}"#
        let answer = try Self.answer(to: body, stream: false)
        #expect(
            answer.toolCalls.map { $0[1].prefix(9) } == [
                #"{"a":"�"}"#, #"{"_raw":""#, #"{"_raw":""#, #"{"_raw":""#, "{}",
            ])
    }

    @Test func theProvidersNameForTheRequestIsKept() throws {
        let body = Array(#"{"choices":[{"message":{"content":"x"}}]}"#.utf8)
        for name in ["X-Request-Id", "request-id"] {
            let answer = try Self.ask(FakeTransport(headers: [HTTPHeader(name, "req_1")], pieces: [body]))
            #expect(answer.providerRequestID == "req_1")
        }
    }

    @Test func usageDetailsThatAreTooLongAreLeftOut() throws {
        let details = #"{"a":"\#(String(repeating: "x", count: 5000))"}"#
        let answer = try Self.answer(
            to:
                #"{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":-1,"completion_tokens":2,"d":\#(details)}}"#
        )
        #expect(answer.usage == Usage(input: nil, output: 2))
    }

    // MARK: Errors

    @Test(arguments: [
        (400, ErrorCode.providerRejected), (401, .providerAuthentication), (403, .providerAuthentication),
        (404, .providerRejected), (302, .providerRejected), (429, .providerRateLimited), (500, .providerError),
        (503, .providerError),
    ])
    func aStatusBecomesACode(status: Int, code: ErrorCode) throws {
        let transport = FakeTransport(
            status: status, headers: [HTTPHeader("x-request-id", "r9")], retryAfterMilliseconds: 2000,
            pieces: [Array(#"{"error":{"message":"so it is"}}"#.utf8)])
        let failure = try #require(try Self.ask(transport).failure)
        #expect(failure.code == code)
        #expect(failure.message.hasPrefix("HTTP \(status): "))
        #expect(status == 302 || failure.message.hasSuffix("so it is"))
        #expect(failure.retryAfterMilliseconds == 2000)
        #expect(failure.providerRequestID == "r9")
    }

    @Test(arguments: [
        (#"{"error":"plain"}"#, "HTTP 400: plain"),
        (#"{"message":"top"}"#, "HTTP 400: top"),
        (#"{"detail":"why"}"#, "HTTP 400: why"),
        (#"{"detail":[{"loc":["body"]}]}"#, #"HTTP 400: [{"loc":["body"]}]"#),
        (#"[{"error":{"message":"wrapped"}}]"#, "HTTP 400: wrapped"),
        (#"{"error":{"message":"outer","metadata":{"raw":"inner"}}}"#, "HTTP 400: outer: inner"),
        ("<html>no</html>", "HTTP 400: <html>no</html>"),
        ("", "HTTP 400: no message"),
    ])
    func theProvidersOwnMessageIsFound(body: String, message: String) throws {
        let transport = FakeTransport(status: 400, pieces: body.isEmpty ? [] : [Array(body.utf8)])
        #expect(try Self.ask(transport).failure?.message == message)
    }

    @Test func aKeyThatAProviderRepeatsIsTakenOut() throws {
        let key = "sk-" + String(repeating: "k", count: 60)
        let bodies = [
            #"{"error":{"message":"Incorrect API key: \#(key)."}}"#,
            String(repeating: "x", count: 180) + key,
            #"{"error":{"message":"\#(String(repeating: "y", count: 990))\#(key)"}}"#,
        ]
        for body in bodies {
            let transport = FakeTransport(
                status: 401, headers: [HTTPHeader("x-request-id", key)], pieces: [Array(body.utf8)])
            let failure = try #require(try Self.ask(transport, key: key).failure)
            #expect(!failure.message.contains("kkk"))
            #expect(failure.message.contains("[key]"))
            #expect(failure.providerRequestID == "[key]")
        }
        let broken = FakeTransport(pieces: [Array("not JSON \(key)".utf8)])
        #expect(try Self.ask(broken, key: key).failure?.message.contains("kkk") == false)
    }

    @Test(arguments: [
        (#"event: error\#ndata: {"error":{"message":"bad","status_code":400}}\#n\#n"#, ErrorCode.providerRejected),
        (#"data: {"error":{"message":"bad","code":429}}\#n\#n"#, .providerRateLimited),
        (#"data: {"error":{"message":"bad","code":"invalid_thing"}}\#n\#n"#, .providerError),
        (#"data: {"error":"bad"}\#n\#n"#, .providerError),
        (#"event: error\#ndata: {"message":"bad","code":"401"}\#n\#n"#, .providerAuthentication),
    ])
    func anErrorAfterTextIsAnErrorWithTheUsageSoFar(event: String, code: ErrorCode) throws {
        let stream = Self.stream([
            Self.delta(#"{"content":"some"}"#),
            #"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#,
        ])
        let answer = try Self.ask(FakeTransport(contentType: "text/event-stream", pieces: [stream, Array(event.utf8)]))
        #expect(answer.events == ["text", "error"])
        #expect(answer.failure?.code == code)
        #expect(answer.failure?.message.hasSuffix("bad") == true)
        #expect(answer.usage == Usage(input: 3, output: 1))
    }

    @Test func anErrorInsideAWholeAnswerIsAnError() throws {
        let answer = try Self.answer(to: #"{"error":{"message":"slow down","code":429}}"#)
        #expect(answer.failure?.code == .providerRateLimited)
    }

    @Test(arguments: [
        (#"{"pathname":"/x"}"#, "application/json", "no choices"),
        (#"{"choices":[]}"#, "application/json", "no choices"),
        ("", "application/json", "ends too early"),
        ("<html>", "text/html", "<html>"),
        (#"{"choices":[{"message":{"content":"a"}}],}"#, "application/json", "comma"),
        ("{\"choices\":\"\u{1}\"}", "application/json", "control character"),
        ("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n", "text/event-stream", "ended before"),
        ("data: {\"choices\":[{\"delta\":{\"con", "text/event-stream", "JSON"),
        ("data: [1]\n\n", "text/event-stream", "no JSON object"),
        ("data: [DONE]\n\n", "text/event-stream", "no choices"),
        ("", "text/event-stream", "no choices"),
    ])
    func whatIsNoAnswerIsAnInvalidResponse(body: String, contentType: String, reason: String) throws {
        let transport = FakeTransport(contentType: contentType, pieces: body.isEmpty ? [] : [Array(body.utf8)])
        let failure = try #require(try Self.ask(transport).failure)
        #expect(failure.code == .providerInvalidResponse)
        #expect(failure.message.contains(reason), "\(failure.message)")
    }

    @Test func invalidUTF8AndEndlessBodiesAreInvalidResponses() throws {
        let bytes = Array(#"{"choices":[{"message":{"content":""#.utf8) + [0xFF] + Array(#""}}]}"#.utf8)
        #expect(try Self.ask(FakeTransport(pieces: [bytes])).failure?.code == .providerInvalidResponse)
        let long = [[UInt8]](repeating: [UInt8](repeating: 0x20, count: 1 << 20), count: 17)
        #expect(try Self.ask(FakeTransport(pieces: long)).failure?.code == .providerInvalidResponse)
        let line = [Array("data: ".utf8)] + [[UInt8]](repeating: [UInt8](repeating: 0x20, count: 1 << 20), count: 5)
        let failure = try Self.ask(FakeTransport(contentType: "text/event-stream", pieces: line)).failure
        #expect(failure?.code == .providerInvalidResponse)
        #expect(failure?.message.contains("longer than") == true)
    }

    @Test(arguments: [
        (TransportError.Kind.interrupted, ErrorCode.cancelled), (.unresolved, .providerUnreachable),
        (.unconnected, .providerUnreachable), (.insecure, .providerUnreachable), (.broken, .providerInvalidResponse),
        (.malformed, .providerInvalidResponse), (.unusable, .providerRejected),
    ])
    func aBrokenExchangeBecomesACode(kind: TransportError.Kind, code: ErrorCode) throws {
        let text = Self.stream([Self.delta(#"{"content":"some"}"#)])
        let transport = FakeTransport(
            contentType: "text/event-stream", pieces: [text], failure: TransportError(kind, "as it happened"))
        let answer = try Self.ask(transport)
        #expect(answer.events == ["text", "error"])
        #expect(answer.failure?.code == code)
        #expect(code == .cancelled || answer.failure?.message.contains("as it happened") == true)
    }

    @Test func toolCallsAreBoundedInNumberAndLength() throws {
        let call = #"{"function":{"name":"f","arguments":"{}"}}"#
        let many = [String](repeating: call, count: 257).joined(separator: ",")
        #expect(
            try Self.answer(to: #"{"choices":[{"message":{"tool_calls":[\#(many)]}}]}"#).failure?.code
                == .answerTooLarge)
        let piece = Self.stream([
            Self.delta(
                #"{"tool_calls":[{"index":0,"function":{"arguments":"\#(String(repeating: "x", count: 1 << 20))"}}]}"#)
        ])
        let transport = FakeTransport(contentType: "text/event-stream", pieces: [[UInt8]](repeating: piece, count: 20))
        #expect(try Self.ask(transport).failure?.code == .answerTooLarge)
    }
}
