import JSON
import Messages
import Testing

@Suite struct EmbeddingTests {
    private static func slice(_ text: String) throws -> JSONSlice {
        try #require(try JSONObject(Array(#"{"v":\#(text)}"#.utf8))["v"])
    }

    // MARK: Vectors

    @Test func aVectorKeepsItsDigitsAndLosesItsSpace() throws {
        let vector = try EmbeddingText.vector(Self.slice("[\n   1.50,\t-0 , 2E-05\n]"))
        #expect(vector.map { String(decoding: $0, as: UTF8.self) } == "[1.50,-0,2E-05]")
    }

    @Test(arguments: ["[]", "[ ]", "[null]", "[1,null]", "[true]", "[false,1]", #"["1"]"#, "[[1]]", "[{}]", "{}", "1"])
    func whatIsNoArrayOfNumbersIsNoVector(text: String) throws {
        #expect(try EmbeddingText.vector(Self.slice(text)) == nil)
        #expect(try EmbeddingText.count(Self.slice("[[1],\(text)]")) == nil)
        #expect(try EmbeddingText.vectors(Self.slice("[[1],\(text)]")) == nil)
    }

    @Test func vectorsAreCounted() throws {
        #expect(try EmbeddingText.count(Self.slice("[]")) == 0)
        #expect(try EmbeddingText.count(Self.slice("[ [1] , [2,3] ]")) == 2)
    }

    // MARK: What a worker says

    private static func envelope(_ text: String, of count: Int = 2) throws(MessageError) -> SlotEventEnvelope {
        try SlotEventEnvelope(decoding: Array(text.utf8), embeddingsOf: count)
    }

    @Test func theLastEventIsReadInOutline() throws {
        let text = #"{"event":"done","usage":{"input":3},"resolved_model":"m-1","embeddings":[[1],[2]]}"#
        let envelope = try Self.envelope(text)
        #expect(envelope.bytes == Array(text.utf8))
        guard case .done(let outcome) = envelope.kind else { throw MessageError.missing("done") }
        #expect(outcome.usage == Usage(input: 3, output: nil))
        #expect(outcome.resolvedModel == "m-1")
        #expect(outcome.answer.isEmpty)
        #expect(try Self.envelope(#"{"event":"progress"}"#).kind == .progress)
    }

    @Test(arguments: [
        #"{"event":"done"}"#, #"{"event":"done","embeddings":[[1]]}"#, #"{"event":"done","embeddings":[[1],[2],[3]]}"#,
        #"{"event":"done","embeddings":[[1],[]]}"#, #"{"event":"done","embeddings":[[1],["2"]]}"#,
        #"{"event":"done","embeddings":[[1],null]}"#, #"{"event":"done","embeddings":{}}"#,
        #"{"event":"done","embeddings":[[1],[2]],"text":"psst"}"#, #"{"event":"text","text":"psst"}"#,
        #"{"event":"progress","more":1}"#, "not json",
        #"{"event":"error","error":{"code":"overloaded","message":"x","retryable":true}}"#,
    ])
    func anEventThatIsNoneOfTheseIsRefused(text: String) {
        #expect(throws: MessageError.self) { try Self.envelope(text) }
    }

    /// More numbers than a frame may hold values otherwise: 1,000 vectors of 1,536.
    @Test func manyNumbersAreNotTooMany() throws {
        let vector = "[" + Array(repeating: "-0.1", count: 1536).joined(separator: ",") + "]"
        let vectors = "[" + Array(repeating: vector, count: 1000).joined(separator: ",") + "]"
        let event = EmbeddingEvent.done(EmbeddingCompletion(embeddings: Array(vectors.utf8))).encoded
        _ = try SlotEventEnvelope(decoding: event, embeddingsOf: 1000)
        let answer = ClientAnswer.done(
            id: .number(1), request: ULID("01k9x3g6ncw7jv0q8r6m2t5y4b")!, model: "m", provider: "p",
            durationMilliseconds: 1, event)
        guard case .done(let completion) = try ClientEvent(decoding: answer).event else {
            throw MessageError.missing("done")
        }
        #expect(completion.embeddings?.count == 1000)
        #expect(completion.embeddings?.last == Array(vector.utf8))
    }

    // MARK: Usage

    @Test func usageAddsUp() {
        let one = Usage(input: 3, output: nil, details: Array(#"{"a":1,"b":{"c":2},"d":"text"}"#.utf8))
        let other = Usage(input: 4, output: 5, details: Array(#"{"a":10,"b":{"e":7},"f":0.5}"#.utf8))
        #expect(
            one.adding(other)
                == Usage(input: 7, output: 5, details: Array(#"{"a":11,"b":{"c":2,"e":7}}"#.utf8)))
        let nothing = Usage(input: nil, output: nil)
        #expect(nothing.adding(nothing) == nothing)
        #expect(nothing.adding(Usage(input: 1, output: nil)) == Usage(input: 1, output: nil))
    }
}
