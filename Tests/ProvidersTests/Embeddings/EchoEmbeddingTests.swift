import Messages
import Testing

@Suite struct EchoEmbeddingTests {
    @Test func aVectorHasTheLengthsOfTheFirstSixteenWords() throws {
        let many = (1...20).map { String(repeating: "ü", count: $0) }.joined(separator: " ")
        let outcome = try embed(["Name a\tship.", "", many], .echo, over: NoTransport(), model: "echo-embed")
        #expect(
            outcome.vectors == [
                "[4,1,5,0,0,0,0,0,0,0,0,0,0,0,0,0]", "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]",
                "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]",
            ])
        #expect(outcome.usage == Usage(input: 23, output: nil))
    }

    @Test func fewerNumbersCanBeAskedFor() throws {
        let outcome = try embed(["a bc"], .echo, over: NoTransport(), options: #"{"dimensions":3}"#)
        #expect(outcome.vectors == ["[1,2,0]"])
    }

    @Test(arguments: [#"{"dimensions":17}"#, #"{"dimensions":0}"#, #"{"dimensions":"3"}"#, #"{"size":3}"#])
    func anOptionThatCannotBeIsRefused(options: String) throws {
        #expect(try embed(["a"], .echo, over: NoTransport(), options: options).failure?.code == .invalidOptions)
    }

    @Test func theFaultyOneMakesThemInBatches() throws {
        let outcome = try embed(["a"], .echoFault, over: NoTransport(), options: #"{"chunks":3}"#)
        #expect(outcome.vectors.count == 1)
        #expect(outcome.progressCount == 2)
        let failed = try embed(["a"], .echoFault, over: NoTransport(), options: #"{"chunks":3,"fault":"error"}"#)
        #expect(failed.failure?.code == .modelError)
    }
}
