import JSON
import Messages
import Testing
import Transport

@Suite struct GeminiEmbeddingTests {
    private static func answer(to body: JSONValue) -> String {
        let texts = body["requests"]?.array?.map { $0["content"]?["parts"]?[0]?["text"]?.string ?? "" } ?? []
        let vectors = texts.map { #"{"values":[\#($0.utf8.count),0.50]}"# }
        return
            #"{"embeddings":[\#(vectors.joined(separator: ","))],"usageMetadata":{"promptTokenCount":\#(texts.count)}}"#
    }

    @Test func eachTextIsARequestWithTheOptionsInTheAPIsNames() throws {
        let transport = EmbeddingTransport { (200, Self.answer(to: $1)) }
        let outcome = try embed(
            ["one", ""], .gemini, over: transport, model: "gemini-embedding-001",
            options: #"{"dimensions":768,"task_type":"retrieval_document","title":null}"#, key: "k")
        let sent = try #require(transport.requests.first)
        #expect(sent.url == "http://upstream/v1/models/gemini-embedding-001:batchEmbedContents")
        #expect(sent.headers.contains(HTTPHeader("x-goog-api-key", "k")))
        let options = #""taskType":"RETRIEVAL_DOCUMENT""#
        let request = { (text: String) in
            #"{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"\#(text)"}]},"#
                + #""outputDimensionality":768,\#(options)}"#
        }
        #expect(
            String(decoding: sent.body, as: UTF8.self) == #"{"requests":[\#(request("one")),\#(request(""))]}"#)
        #expect(outcome.vectors == ["[3,0.50]", "[0,0.50]"])
        #expect(outcome.usage == Usage(input: 2, output: 0))
    }

    @Test func aHundredTextsMakeABatch() throws {
        let input = (0..<250).map { String(repeating: "x", count: $0) }
        let transport = EmbeddingTransport { (200, Self.answer(to: $1)) }
        let outcome = try embed(input, .gemini, over: transport, options: #"{"dimensions":2}"#)
        #expect(transport.bodies.map { $0["requests"]?.array?.count ?? 0 } == [100, 100, 50])
        #expect(outcome.vectors == input.map { "[\($0.utf8.count),0.50]" })
        #expect(outcome.usage?.input == 250)
    }

    @Test(arguments: [
        (#"{"temperature":1}"#, "'temperature' is not known. Valid options: dimensions, task_type, title"),
        (#"{"dimensions":"8"}"#, "'dimensions' must be an integer from 1"),
        (#"{"dimensions":0}"#, "'dimensions' must be an integer from 1"),
        (#"{"task_type":1}"#, "'task_type' must be a string"),
    ])
    func anOptionThatCannotBeIsRefusedBeforeAnythingIsSent(options: String, reason: String) throws {
        let transport = EmbeddingTransport { (200, Self.answer(to: $1)) }
        let outcome = try embed(["a"], .gemini, over: transport, options: options)
        #expect(outcome.failure?.code == .invalidOptions)
        #expect(outcome.failure?.message.contains(reason) == true)
        #expect(transport.requests.isEmpty)
    }

    @Test(arguments: [
        #"{"embeddings":[{"values":[1]}]}"#, #"{"embeddings":[{"values":[1]},{}]}"#,
        #"{"embeddings":[{"values":[1]},{"values":[]}]}"#, #"{"embeddings":[{"values":[1]},2]}"#, "{}",
    ])
    func anAnswerThatHasNotOneVectorForEachTextIsInvalid(body: String) throws {
        let outcome = try embed(["a", "b"], .gemini, over: EmbeddingTransport { _, _ in (200, body) })
        #expect(outcome.failure?.code == .providerInvalidResponse)
    }

    @Test func anErrorIsTheProviders() throws {
        let body =
            #"{"error":{"code":400,"message":"API key not valid","details":[{"@type":"#
            + #""type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}"#
        let outcome = try embed(["a"], .gemini, over: EmbeddingTransport { _, _ in (400, body) })
        #expect(outcome.failure?.code == .providerAuthentication)
        #expect(outcome.failure?.message == "HTTP 400: API key not valid")
    }
}
