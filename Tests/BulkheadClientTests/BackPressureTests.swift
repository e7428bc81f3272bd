import BulkheadClient
import Messages
import Testing

@Suite(.timeLimit(.minutes(2)))
struct BackPressureTests {
    private static let payloadLength = 32 << 10
    private static let frames = 1024

    @Test
    func aConsumerThatDoesNotReadStopsTheDaemonAndLosesNothing() async throws {
        let (client, peer, _) = try await FailureTests.connect()
        let answer = client.prompt(PromptRequest(prompt: "flood"))
        let id = try #require(try await peer.read()).id
        let text = String(repeating: "x", count: Self.payloadLength)
        let written = await peer.flood(Answers.text(id, text), atMost: Self.frames)
        // The bound counts text and decoded text. The kernel's buffers and one read come on top.
        #expect(written * Self.payloadLength <= BulkheadClient.bufferBound + (2 << 20))

        async let received = StreamingTests.text(of: answer)
        for _ in written..<Self.frames { await peer.write(Answers.text(id, text)) }
        await peer.write(Answers.done(id))
        #expect(try await received.utf8.count == Self.frames * Self.payloadLength)
    }

    @Test
    func cancellingTheAnswerThatNobodyReadsFreesTheConnection() async throws {
        let (client, peer, _) = try await FailureTests.connect()
        var answer: Answer? = client.prompt(PromptRequest(prompt: "flood"))
        let id = try #require(try await peer.read()).id
        let text = String(repeating: "x", count: Self.payloadLength)
        let written = await peer.flood(Answers.text(id, text), atMost: Self.frames)
        #expect(written < Self.frames)
        #expect(answer != nil)
        answer = nil

        let cancel = try #require(try await peer.read())
        #expect(cancel.operation == .cancel(target: id))
        for _ in written..<Self.frames { await peer.write(Answers.text(id, text)) }
        await peer.write(Answers.error(id, .cancelled, "as you wish"), Answers.done(cancel.id))
        async let duration = client.ping()
        let ping = try #require(try await peer.read())
        await peer.write(Answers.done(ping.id))
        _ = try await duration
    }
}
