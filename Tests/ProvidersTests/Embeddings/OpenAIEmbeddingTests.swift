import JSON
import Messages
import Testing
import Transport

@Suite struct OpenAIEmbeddingTests {
    private static func answer(_ body: String, to input: [String] = ["a", "b"]) throws -> EmbeddingOutcome {
        try embed(input, .openAI, over: EmbeddingTransport { _, _ in (200, body) })
    }

    @Test func theRequestHoldsTheTextsAndEveryOptionAsItWasWritten() throws {
        let transport = EmbeddingTransport { (200, openAIAnswer(to: $1)) }
        let outcome = try embed(
            ["Grüße \"you\"", ""], .openAI, over: transport, model: "text-embedding-3-small",
            options: #"{"dimensions":256,"user":"ann","z":1.0}"#, key: "sk-1")
        let sent = try #require(transport.requests.first)
        #expect(transport.requests.count == 1)
        #expect(sent.method == "POST")
        #expect(sent.url == "http://upstream/v1/embeddings")
        #expect(sent.headers.contains(HTTPHeader("authorization", "Bearer sk-1")))
        #expect(
            String(decoding: sent.body, as: UTF8.self)
                == #"{"model":"text-embedding-3-small","input":["Grüße \"you\"",""],"dimensions":256,"user":"ann","z":1.0}"#
        )
        #expect(outcome.vectors == ["[13.0]", "[0.0]"])
        #expect(outcome.usage == Usage(input: 2, output: nil))
        #expect(outcome.providerRequestID == "req_0")
        #expect(outcome.progressCount == 0)
        #expect(transport.openCount == 0)
    }

    @Test(arguments: ["model", "input", "encoding_format"])
    func anOptionThatWouldReplaceAFieldIsRefused(name: String) throws {
        let transport = EmbeddingTransport { (200, openAIAnswer(to: $1)) }
        let outcome = try embed(["a"], .openAI, over: transport, options: #"{"\#(name)":"base64"}"#)
        #expect(outcome.failure?.code == .invalidOptions)
        #expect(transport.requests.isEmpty)
    }

    @Test func theDigitsAreTheProvidersAndTheOrderThatOfTheIndex() throws {
        let outcome = try Self.answer(
            #"""
            {"model": "text-1", "data": [
              {"index": 1, "embedding": [
                 -0.0069292834,
                 1E-3
              ]},
              {"embedding": [ 1.50, -0 ], "index": 0}
            ], "usage": {"prompt_tokens": 5, "total_tokens": 5, "details": {"cached": 2, "other": 0}}}
            """#)
        #expect(outcome.vectors == ["[1.50,-0]", "[-0.0069292834,1E-3]"])
        #expect(outcome.resolvedModel == "text-1")
        #expect(outcome.usage == Usage(input: 5, output: nil, details: Array(#"{"details":{"cached":2}}"#.utf8)))
    }

    @Test(arguments: [
        (#"{"data":[{"index":0,"embedding":[1]}]}"#, "1 vectors for 2 texts"),
        (#"{"data":[{"embedding":[1]},{"embedding":[2]},{"embedding":[3]}]}"#, "3 vectors for 2 texts"),
        (#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[2]}]}"#, "one twice"),
        (#"{"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[2]}]}"#, "of no text"),
        (#"{"data":[{"index":0,"embedding":[1]},{"index":-1,"embedding":[2]}]}"#, "of no text"),
        (#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[]}]}"#, "no array of numbers"),
        (#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[null]}]}"#, "no array of numbers"),
        (#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":"AACAPw=="}]}"#, "no array of numbers"),
        (#"{"data":[{"index":0,"embedding":[1]},{"index":1}]}"#, "no array of numbers"),
        (#"{"data":[1,2]}"#, "is no object"), (#"{"data":{}}"#, "no array 'data'"), ("{}", "no array 'data'"),
        ("[]", "not an object"), ("<html>", "It begins: <html>"), ("", "too early"),
    ])
    func anAnswerThatHasNotOneVectorForEachTextIsInvalid(body: String, reason: String) throws {
        let failure = try #require(try Self.answer(body).failure)
        #expect(failure.code == .providerInvalidResponse)
        #expect(failure.message.contains(reason), "\(failure.message)")
        #expect(failure.providerRequestID == "req_0")
    }

    @Test func anErrorInTheAnswersPlaceIsTheProviders() throws {
        let failure = try #require(try Self.answer(#"{"error":{"message":"no such model","code":404}}"#).failure)
        #expect(failure.code == .providerRejected)
        #expect(failure.message.contains("no such model"))
    }

    // MARK: Batches

    @Test func manyTextsAreAskedForInSeveralBatchesAndKeepTheirOrder() throws {
        let input = (0..<5000).map { String(repeating: "x", count: $0 % 7) + "\($0)" }
        let transport = EmbeddingTransport {
            (200, openAIAnswer(to: $1) { "[\($0.utf8.count),\($0.filter(\.isNumber))]" })
        }
        let outcome = try embed(input, .openAI, over: transport, options: #"{"dimensions":2}"#)
        let sizes = transport.bodies.map { $0["input"]?.array?.count ?? 0 }
        #expect(sizes == [2048, 2048, 904])
        #expect(transport.bodies.allSatisfy { $0["dimensions"] == .integer(2) })
        #expect(outcome.vectors == input.map { "[\($0.utf8.count),\($0.filter(\.isNumber))]" })
        #expect(outcome.usage == Usage(input: 5000, output: nil))
        #expect(outcome.progressCount == 2)
        #expect(outcome.providerRequestID == "req_2")
        #expect(transport.openCount == 0)
    }

    /// Its 300,000 tokens are kept by 300,000 bytes, and no text has more tokens than bytes.
    @Test func aBatchHasNoMoreBytesThanTheProvidersLimitHasTokens() throws {
        let long = String(repeating: "ü", count: 70_000)
        let huge = String(repeating: "y", count: 400_000)
        let input = [long, long, long, huge, "a", "b", long]
        let transport = EmbeddingTransport { (200, openAIAnswer(to: $1)) }
        let outcome = try embed(input, .openAI, over: transport, options: #"{"dimensions":1}"#)
        #expect(transport.bodies.map { $0["input"]?.array?.count ?? 0 } == [2, 1, 1, 3])
        #expect(outcome.vectors == input.map { "[\($0.utf8.count).0]" })
    }

    /// Before one was seen a vector may have 4,096 numbers of 32 bytes: the first batch is small, the next as large as it may be.
    @Test func theFirstAnswerSaysHowLongVectorsAre() throws {
        let transport = EmbeddingTransport { (200, openAIAnswer(to: $1)) }
        _ = try embed(Array(repeating: "a", count: 3000), .openAI, over: transport)
        #expect(transport.bodies.map { $0["input"]?.array?.count ?? 0 } == [64, 2048, 888])
    }

    @Test func oneFailingBatchFailsTheRequestAndWhatWasUsedIsKnown() throws {
        let transport = EmbeddingTransport { number, body in
            number < 2 ? (200, openAIAnswer(to: body)) : (429, #"{"error":{"message":"slow down sk-1"}}"#)
        }
        let outcome = try embed(
            Array(repeating: "a", count: 5000), .openAI, over: transport, options: #"{"dimensions":1}"#, key: "sk-1")
        #expect(outcome.failure?.code == .providerRateLimited)
        #expect(outcome.failure?.message == "HTTP 429: slow down [key]")
        #expect(outcome.providerRequestID == "req_2")
        #expect(outcome.usage == Usage(input: 4096, output: nil))
        #expect(outcome.progressCount == 2)
        #expect(transport.requests.count == 3)
    }

    @Test func vectorsThatWillNotFitAnAnswerAreGivenUpAfterTheFirstBatch() throws {
        let vector = "[" + Array(repeating: "-0.0069292834", count: 3072).joined(separator: ",") + "]"
        let transport = EmbeddingTransport { (200, openAIAnswer(to: $1) { _ in vector }) }
        let outcome = try embed(Array(repeating: "a", count: 2048), .openAI, over: transport)
        let failure = try #require(outcome.failure)
        #expect(failure.code == .answerTooLarge)
        #expect(failure.message.contains("about 389"), "\(failure.message)")
        #expect(outcome.usage == Usage(input: 64, output: nil))
        #expect(transport.requests.count == 1)
        let fitting = try embed(Array(repeating: "a", count: 389), .openAI, over: transport)
        #expect(fitting.failure == nil)
        #expect(fitting.vectors.count == 389)
        #expect(fitting.vectors.allSatisfy { $0 == vector })
    }

    /// The vectors of the second batch have more digits than the first one's let expect.
    @Test(arguments: [
        (31, "the vectors of 310 texts are longer", 310), (60, "answer to a batch of 246 texts is longer", 64),
    ])
    func aSecondBatchThatIsTooMuchIsGivenUpToo(digitCount: Int, reason: String, used: Int) throws {
        let transport = EmbeddingTransport { number, body in
            let digits = number == 0 ? "1" : "0." + String(repeating: "1", count: digitCount)
            let vector = "[" + Array(repeating: digits, count: 2000).joined(separator: ",") + "]"
            return (200, openAIAnswer(to: body) { _ in vector })
        }
        let outcome = try embed(Array(repeating: "a", count: 310), .openAI, over: transport)
        #expect(outcome.failure?.code == .answerTooLarge)
        #expect(outcome.failure?.message.contains(reason) == true, "\(outcome.failure?.message ?? "")")
        #expect(outcome.usage == Usage(input: used, output: nil))
    }

    // MARK: Other providers

    @Test(arguments: [
        (ProviderSettings.Kind.mistral, 512), (.ollama, 64), (.openAICompatible, 64), (.openRouter, 64), (.vLLM, 64),
    ])
    func everyProviderHasALimitOfItsOwn(kind: ProviderSettings.Kind, count: Int) throws {
        let transport = EmbeddingTransport { (200, openAIAnswer(to: $1)) }
        let outcome = try embed(
            Array(repeating: "a", count: 600), kind, over: transport, options: #"{"dimensions":1}"#)
        #expect(outcome.vectors.count == 600)
        #expect(transport.bodies.map { $0["input"]?.array?.count ?? 0 }.max() == count)
        #expect(transport.requests.allSatisfy { $0.url == "http://upstream/v1/embeddings" })
    }

    @Test func mistralsBatchesHaveFewBytes() throws {
        let transport = EmbeddingTransport { (200, openAIAnswer(to: $1)) }
        _ = try embed(
            Array(repeating: String(repeating: "a", count: 8000), count: 5), .mistral, over: transport)
        #expect(transport.bodies.map { $0["input"]?.array?.count ?? 0 } == [2, 2, 1])
    }

    @Test(arguments: [ProviderSettings.Kind.anthropic, .groq, .deepSeek, .cerebras, .xAI])
    func aProviderWithoutEmbeddingsSaysSo(kind: ProviderSettings.Kind) throws {
        let transport = EmbeddingTransport { (200, openAIAnswer(to: $1)) }
        let outcome = try embed(["a"], kind, over: transport)
        #expect(outcome.failure?.code == .modelError)
        #expect(outcome.failure?.message.contains("has no embeddings") == true)
        #expect(transport.requests.isEmpty)
    }
}
