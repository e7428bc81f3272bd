import BulkheadClient
import Foundation
import Messages
import Testing

@Suite(.timeLimit(.minutes(2)))
struct FailureTests {
    @Test
    func theFailureOfARequestIsThrownWithItsCode() async throws {
        let (client, peer, _) = try await Self.connect()
        let answer = client.prompt(PromptRequest(prompt: "hello"))
        let id = try #require(try await peer.read()).id
        await peer.write(Answers.error(id, .unknownModel, "no such model"))
        let error = await #expect(throws: ClientError.self) { try await StreamingTests.text(of: answer) }
        #expect(error?.description == "unknown_model: no such model")
        #expect(error?.isRetryable == false)
    }

    @Test
    func aDaemonThatGoesAwayInTheMiddleLeavesWhatItSaidAndAnError() async throws {
        let (client, peer, _) = try await Self.connect()
        let answer = client.prompt(PromptRequest(prompt: "hello"))
        let id = try #require(try await peer.read()).id
        await peer.write(Answers.text(id, "half an ans"))
        peer.close()
        var iterator = answer.makeAsyncIterator()
        #expect(try await iterator.next() == .text("half an ans"))
        await #expect(throws: ClientError.daemonGone) { try await iterator.next() }
        await #expect(throws: ClientError.daemonGone) { try await client.ping() }
    }

    @Test
    func theLastFrameOfAConnectionFailsEverythingThatIsOpenOnIt() async throws {
        let (client, peer, _) = try await Self.connect()
        let (one, two) = (client.prompt(PromptRequest(prompt: "1")), client.prompt(PromptRequest(prompt: "2")))
        await peer.write(Answers.error(nil, .shuttingDown, "going down"))
        let failure = ClientError.failure(Failure(.shuttingDown, "going down"))
        await #expect(throws: failure) { try await StreamingTests.text(of: one) }
        await #expect(throws: failure) { try await StreamingTests.text(of: two) }
    }

    @Test(arguments: [
        #"not JSON"#, #"{"id":1}"#, #"{"id":7,"event":"done"}"#, #"{"id":"1","event":"done"}"#,
        #"{"id":null,"event":"done"}"#,
        #"{"id":1,"event":"text"}"#,
    ])
    func whatIsNotTheProtocolEndsTheConnection(_ text: String) async throws {
        let (client, peer, _) = try await Self.connect()
        let answer = Task { try await client.ping() }
        _ = try await peer.read()
        await peer.write(json: text)
        let error = await #expect(throws: ClientError.self) { try await answer.value }
        guard case .protocolViolation? = error else { throw Unexpected() }
        #expect(try await peer.read() == nil)
    }

    @Test
    func aFrameOverTheBoundIsRefusedFromItsHeaderAlone() async throws {
        let (client, peer, _) = try await Self.connect()
        let answer = Task { try await client.ping() }
        _ = try await peer.read()
        await peer.writeRaw([0x7F, 0xFF, 0xFF, 0xFF])
        await #expect(throws: ClientError.protocolViolation("a frame of 2147483647 bytes")) { try await answer.value }
    }

    @Test
    func aRequestOverTheBoundIsNotSent() async throws {
        let (client, peer, _) = try await Self.connect()
        let long = client.prompt(PromptRequest(prompt: String(repeating: "x", count: ProtocolBounds.clientFrame)))
        let error = await #expect(throws: ClientError.self) { try await StreamingTests.text(of: long) }
        guard case .requestTooLong? = error else { throw Unexpected() }
        async let duration = client.ping()
        let ping = try #require(try await peer.read())
        #expect(ping.operation == .ping)
        await peer.write(Answers.done(ping.id))
        _ = try await duration
    }

    @Test
    func closingFailsWhatIsOpen() async throws {
        let (client, peer, _) = try await Self.connect()
        let answer = client.prompt(PromptRequest(prompt: "hello"))
        _ = try await peer.read()
        client.close()
        await #expect(throws: ClientError.closed) { try await StreamingTests.text(of: answer) }
        #expect(try await peer.read() == nil)
    }

    @Test
    func aSocketThatIsNotThereIsNamedWithAdvice() async throws {
        let error = await #expect(throws: ClientError.self) {
            _ = try await BulkheadClient.connect("/nowhere/bulkhead.sock")
        }
        #expect(error == .cannotConnect(path: "/nowhere/bulkhead.sock", errno: ENOENT))
        let text = try #require(error?.description)
        #expect(text.contains("'/nowhere/bulkhead.sock': No such file or directory. Is bulkheadd running?"))
    }

    @Test
    func aSocketWhoseDaemonIsGoneIsNamedWithAdvice() async throws {
        let daemon = try FakeDaemon()
        daemon.stopListening()
        let error = await #expect(throws: ClientError.self) { _ = try await BulkheadClient.connect(daemon.path) }
        #expect(error == .cannotConnect(path: daemon.path, errno: ECONNREFUSED))
        #expect(error?.description.contains("start bulkheadd") == true)
        #expect(error?.isRetryable == true)
    }

    @Test
    func aPathThatFitsNoSocketAddressIsRefused() async throws {
        let path = "/" + String(repeating: "x", count: 200)
        await #expect(throws: ClientError.cannotConnect(path: path, errno: ENAMETOOLONG)) {
            _ = try await BulkheadClient.connect(path)
        }
    }

    /// The daemon is returned so that it lives as long as the test.
    static func connect() async throws -> (BulkheadClient, Peer, FakeDaemon) {
        let daemon = try FakeDaemon()
        async let accepted = daemon.accept()
        let client = try await BulkheadClient.connect(daemon.path)
        return (client, try await accepted, daemon)
    }
}
