import BulkheadClient
import Messages
import Testing

@Suite(.timeLimit(.minutes(2)))
struct CancellationTests {
    @Test
    func cancellingTheTaskCancelsTheRequestAndTheConnectionStaysGood() async throws {
        let daemon = try FakeDaemon()
        async let accepted = daemon.accept()
        let client = try await BulkheadClient.connect(daemon.path)
        let peer = try await accepted
        let task = Task { try await StreamingTests.text(of: client.prompt(PromptRequest(prompt: "long"))) }
        let id = try #require(try await peer.read()).id
        await peer.write(Answers.text(id, "a"))
        task.cancel()
        #expect(try #require(try await peer.read()).operation == .cancel(target: id))
        await #expect(throws: ClientError.cancelled) { try await task.value }

        // What still comes is dropped, up to the last frame.
        await peer.write(Answers.text(id, "late"), Answers.error(id, .cancelled, "as you wish"))
        try await Self.expectPing(client, peer)
    }

    @Test
    func leavingTheLoopCancelsTheRequest() async throws {
        let daemon = try FakeDaemon()
        async let accepted = daemon.accept()
        let client = try await BulkheadClient.connect(daemon.path)
        let peer = try await accepted
        let answer = client.prompt(PromptRequest(prompt: "long"))
        let id = try #require(try await peer.read()).id
        await peer.write(Answers.text(id, "a"))
        for try await _ in answer { break }
        let cancel = try #require(try await peer.read())
        #expect(cancel.operation == .cancel(target: id))
        await peer.write(Answers.done(cancel.id), Answers.error(id, .cancelled, "as you wish"))
        try await Self.expectPing(client, peer)
    }

    @Test
    func anAnswerThatNobodyHoldsIsCancelled() async throws {
        let daemon = try FakeDaemon()
        async let accepted = daemon.accept()
        let client = try await BulkheadClient.connect(daemon.path)
        let peer = try await accepted
        _ = client.prompt(PromptRequest(prompt: "long"))
        let id = try #require(try await peer.read()).id
        #expect(try #require(try await peer.read()).operation == .cancel(target: id))
        await peer.write(Answers.error(id, .cancelled, "as you wish"))
        try await Self.expectPing(client, peer)
    }

    @Test
    func aCancelledAnswerGoesOnToItsLastFrame() async throws {
        let daemon = try FakeDaemon()
        async let accepted = daemon.accept()
        let client = try await BulkheadClient.connect(daemon.path)
        let peer = try await accepted
        let answer = client.prompt(PromptRequest(prompt: "long"))
        let id = try #require(try await peer.read()).id
        answer.cancel()
        answer.cancel()
        let cancel = try #require(try await peer.read())
        #expect(cancel.operation == .cancel(target: id))
        await peer.write(Answers.text(id, "a"), Answers.done(cancel.id), Answers.error(id, .cancelled, "as you wish"))
        var iterator = answer.makeAsyncIterator()
        #expect(try await iterator.next() == .text("a"))
        await #expect(throws: ClientError.failure(Failure(.cancelled, "as you wish"))) { try await iterator.next() }
        try await Self.expectPing(client, peer)
    }

    @Test
    func droppingClientAndAnswersClosesTheConnection() async throws {
        let daemon = try FakeDaemon()
        async let accepted = daemon.accept()
        var client: BulkheadClient? = try await BulkheadClient.connect(daemon.path)
        let peer = try await accepted
        #expect(client != nil)
        client = nil
        #expect(try await peer.read() == nil)
    }

    /// The next request is a ping, and gets its answer.
    private static func expectPing(_ client: BulkheadClient, _ peer: Peer) async throws {
        async let duration = client.ping()
        let ping = try #require(try await peer.read())
        #expect(ping.operation == .ping)
        await peer.write(Answers.done(ping.id))
        #expect(try await duration >= .zero)
    }
}
