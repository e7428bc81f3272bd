import JSON
import Messages
import Testing
import Transport

/// How a request to Gemini ends that does not succeed.
@Suite struct GeminiErrorTests {
    private static func error(_ code: Int, _ status: String, details: String = "[]") -> String {
        #"{"error":{"code":\#(code),"message":"words of \#(status)","status":"\#(status)","details":\#(details)}}"#
    }

    private static let retryInfo =
        #"[{"@type":"type.googleapis.com/google.rpc.Help"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.0748s"}]"#
    private static let invalidKey =
        #"[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]"#

    @Test(
        arguments: [
            (400, "INVALID_ARGUMENT", "[]", ErrorCode.providerRejected, nil),
            (400, "INVALID_ARGUMENT", Self.invalidKey, .providerAuthentication, nil),
            (403, "PERMISSION_DENIED", "[]", .providerAuthentication, nil),
            (404, "NOT_FOUND", "[]", .providerRejected, nil),
            (429, "RESOURCE_EXHAUSTED", Self.retryInfo, .providerRateLimited, 34_075),
            (500, "INTERNAL", "[]", .providerError, nil),
            (503, "UNAVAILABLE", Self.retryInfo, .providerError, 34_075),
        ] as [(Int, String, String, ErrorCode, Int?)])
    func anErrorKeepsItsCodeItsWordsAndHowLongToWait(
        status: Int, name: String, details: String, code: ErrorCode, retryAfterMilliseconds: Int?
    ) throws {
        let error = Self.error(status, name, details: details)
        for body in [error, "[\(error)]"] {
            let failure = try #require(try GeminiSample.answer(to: body, status: status).failure)
            #expect(failure.code == code)
            #expect(failure.message == "HTTP \(status): words of \(name)")
            #expect(failure.retryAfterMilliseconds == retryAfterMilliseconds)
        }
        // In the place of an answer, and in the middle of one.
        for answer in [
            try GeminiSample.answer(to: error),
            try GeminiSample.answer(to: "[\(GeminiSample.response(#"{"text":"a"}"#)),\(error)]"),
            try GeminiSample.streamed([GeminiSample.response(#"{"text":"a"}"#), error]),
        ] {
            #expect(answer.failure?.code == code)
            #expect(answer.failure?.message == "the provider answered with an error: words of \(name)")
            #expect(answer.failure?.retryAfterMilliseconds == retryAfterMilliseconds)
        }
    }

    @Test(
        arguments: [
            (#""34s""#, 34_000), (#""0s""#, 0), (#""0.0001s""#, 1),
            (#""1e99s""#, Failure.maximumRetryAfterMilliseconds),
            (#""-1s""#, nil), (#""nans""#, nil), (#""5""#, nil), ("5", nil), (#""s""#, nil),
        ] as [(String, Int?)])
    func aDelayThatIsNoneIsNotWaitedFor(delay: String, milliseconds: Int?) throws {
        let details = #"[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":\#(delay)}]"#
        let answer = try GeminiSample.answer(to: Self.error(429, "X", details: details), status: 429)
        #expect(answer.failure?.retryAfterMilliseconds == milliseconds)
    }

    @Test func aHeaderSaysHowLongToWaitBeforeTheBodyDoes() throws {
        let transport = FakeTransport(
            status: 429, retryAfterMilliseconds: 2000,
            pieces: [Array(Self.error(429, "X", details: Self.retryInfo).utf8)])
        let answer = try GeminiSample.run(try request("hi", model: "m"), over: transport)
        #expect(answer.failure?.retryAfterMilliseconds == 2000)
    }

    @Test func theKeyIsInNoMessage() throws {
        let body = #"{"error":{"code":400,"message":"API key AIza-secret not valid"}}"#
        for status in [200, 400] {
            let transport = FakeTransport(status: status, pieces: [Array(body.utf8)])
            let answer = try GeminiSample.run(try request("hi", model: "m", key: "AIza-secret"), over: transport)
            #expect(answer.failure?.message.contains("API key [key] not valid") == true)
        }
    }

    @Test func aBlockedPromptIsRejectedWithItsReason() throws {
        let body = #"""
            {"promptFeedback":{"blockReason":"SAFETY","safetyRatings":[{"category":"HARM_CATEGORY_HARASSMENT","probability":"HIGH","blocked":true},
            {"category":"HARM_CATEGORY_HATE_SPEECH","probability":"LOW"}]},"usageMetadata":{"promptTokenCount":4}}
            """#.replacing("\n", with: "")
        for answer in [try GeminiSample.answer(to: body), try GeminiSample.streamed([body])] {
            #expect(answer.failure?.code == .providerRejected)
            #expect(
                answer.failure?.message
                    == "the provider refused to answer the prompt: SAFETY (HARM_CATEGORY_HARASSMENT)")
            #expect(answer.usage == Usage(input: 4, output: 0))
        }
    }

    @Test(arguments: [
        ("SAFETY", ErrorCode.providerRejected), ("RECITATION", .providerRejected),
        ("PROHIBITED_CONTENT", .providerRejected),
        ("MALFORMED_FUNCTION_CALL", .modelError), ("OTHER", .modelError), ("SOMETHING_NEW", .modelError),
    ])
    func anAnswerThatWasStoppedIsNoSuccess(reason: String, code: ErrorCode) throws {
        let end =
            #"{"candidates":[{"finishReason":"\#(reason)","finishMessage":"said so"}],"usageMetadata":{"promptTokenCount":4}}"#
        let answer = try GeminiSample.streamed([GeminiSample.response(#"{"text":"a"}"#), end])
        #expect(answer.text == "a")
        #expect(answer.failure?.code == code)
        #expect(answer.failure?.message.hasSuffix("\(reason): said so") == true)
        #expect(answer.usage?.input == 4)
    }

    @Test func anAnswerThatIsCutShortIsOneOnlyWithoutASchema() throws {
        let body = GeminiSample.response(#"{"text":"{\"a\":"}"#, finish: "MAX_TOKENS")
        for stream in [true, false] {
            let text = try GeminiSample.answer(to: body, stream: stream)
            #expect(text.failure == nil && text.done?["finish_reason"]?.string == "MAX_TOKENS")
            let json = try GeminiSample.answer(to: body, stream: stream, schema: #"{"type":"object"}"#)
            #expect(json.failure?.code == .modelError)
            #expect(json.failure?.message.contains("max_output_tokens") == true)
        }
    }

    @Test(arguments: [
        #"{}"#, #"{"candidates":[]}"#, "[]", "7", #"{"candidates":[{"content":{"parts":[{"functionCall":{}}]}}]}"#, "{",
    ])
    func aBodyThatIsNoAnswerIsAnInvalidResponse(body: String) throws {
        #expect(try GeminiSample.answer(to: body).failure?.code == .providerInvalidResponse)
        #expect(try GeminiSample.streamed([body]).failure?.code == .providerInvalidResponse)
    }

    @Test func aStreamThatEndsEarlyIsAnInvalidResponse() throws {
        let answer = try GeminiSample.streamed([GeminiSample.response(#"{"text":"a"}"#)])
        #expect(answer.failure?.message.contains("ended before the answer did") == true)
        #expect(try GeminiSample.streamed([]).failure?.code == .providerInvalidResponse)
    }

    @Test(arguments: [
        (#"{"inlineData":{"mimeType":"image/png","data":"AA=="}}"#, "data of type image/png"),
        (#"{"somethingNew":{"a":1},"thought":true}"#, "unknown kind (somethingNew, thought)"),
    ])
    func aPartThatCannotBePassedOnFailsTheRequest(part: String, words: String) throws {
        let answer = try GeminiSample.answer(to: GeminiSample.response(part, finish: "STOP"))
        #expect(answer.failure?.code == .modelError)
        #expect(answer.failure?.message.contains(words) == true)
    }
}
