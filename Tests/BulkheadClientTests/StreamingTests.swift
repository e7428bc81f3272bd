import BulkheadClient
import Messages
import Testing

@Suite(.timeLimit(.minutes(2)))
struct StreamingTests {
    @Test
    func eventsArriveInTheirOrderAndTheLastOneEndsTheAnswer() async throws {
        let daemon = try FakeDaemon()
        async let accepted = daemon.accept()
        let client = try await BulkheadClient.connect(daemon.path)
        let peer = try await accepted
        let answer = client.prompt(PromptRequest(prompt: "hello", model: "echo"))
        let request = try #require(try await peer.read())
        guard case .prompt(let prompt) = request.operation else { throw Unexpected() }
        #expect(prompt.model == "echo")
        let id = request.id
        await peer.write(Answers.start(id), Answers.text(id, "a"), Answers.text(id, "b"), Answers.done(id))

        var texts: [String] = []
        var events: [ClientEvent.Event] = []
        for try await event in answer {
            events.append(event)
            if case .text(let text) = event { texts.append(text) }
        }
        #expect(texts == ["a", "b"])
        #expect(events.count == 4)
        guard case .start(let start)? = events.first, start.model == "echo", start.conversation == nil,
            case .done? = events.last
        else { throw Unexpected() }
    }

    @Test
    func twoAnswersShareAConnection() async throws {
        let daemon = try FakeDaemon()
        async let accepted = daemon.accept()
        let client = try await BulkheadClient.connect(daemon.path)
        let peer = try await accepted
        let (one, two) = (client.prompt(PromptRequest(prompt: "1")), client.prompt(PromptRequest(prompt: "2")))
        let first = try #require(try await peer.read()).id
        let second = try #require(try await peer.read()).id
        #expect(first != second)
        await peer.write(
            Answers.text(second, "c"), Answers.text(first, "a"), Answers.text(second, "d"), Answers.done(second),
            Answers.text(first, "b"), Answers.done(first))
        async let textOfOne = Self.text(of: one)
        async let textOfTwo = Self.text(of: two)
        #expect(try await [textOfOne, textOfTwo] == ["ab", "cd"])
    }

    @Test
    func aRequestLongerThanTheSocketsBufferGoesOutWhileAnAnswerComesIn() async throws {
        let daemon = try FakeDaemon()
        async let accepted = daemon.accept()
        let client = try await BulkheadClient.connect(daemon.path)
        let peer = try await accepted
        let one = client.prompt(PromptRequest(prompt: "1"))
        let first = try #require(try await peer.read()).id
        let two = client.prompt(PromptRequest(prompt: String(repeating: "x", count: 8 << 20)))
        async let textOfOne = Self.text(of: one)
        // The daemon writes more than any buffer holds before it reads again.
        let chunk = String(repeating: "y", count: 1 << 19)
        for _ in 0..<16 { await peer.write(Answers.text(first, chunk)) }
        await peer.write(Answers.done(first))
        #expect(try await textOfOne.utf8.count == 16 << 19)
        let second = try #require(try await peer.read())
        guard case .prompt(let prompt) = second.operation else { throw Unexpected() }
        #expect(prompt.prompt?.count == 8 << 20 + 2)
        await peer.write(Answers.done(second.id))
        #expect(try await Self.text(of: two) == "")
    }

    @Test
    func theWholeAnswerIsAskedForWithoutStreaming() async throws {
        let daemon = try FakeDaemon()
        async let accepted = daemon.accept()
        let client = try await BulkheadClient.connect(daemon.path)
        let peer = try await accepted
        async let completion = client.complete(PromptRequest(prompt: "hello"))
        let request = try #require(try await peer.read())
        guard case .prompt(let prompt) = request.operation, case .number(let id) = request.id else {
            throw Unexpected()
        }
        #expect(!prompt.stream)
        await peer.write(json: #"{"id":\#(id),"event":"done","text":"hi","usage":{"input":1,"output":2},"new":[]}"#)
        let answer = try await completion
        #expect(answer.text == "hi")
        #expect(answer.usage == Usage(input: 1, output: 2))
    }

    @Test
    func framesComeAsTheyWereSent() async throws {
        let daemon = try FakeDaemon()
        async let accepted = daemon.accept()
        let client = try await BulkheadClient.connect(daemon.path)
        let peer = try await accepted
        let answer = client.prompt(PromptRequest(prompt: "hello"))
        guard case .number(let id)? = try await peer.read()?.id else { throw Unexpected() }
        let sent = [
            #"{"id":\#(id),"event":"later","x":1.0}"#,
            #"{"id":\#(id),"event":"error","error":{"code":"model_error","message":"no","retryable":false}}"#,
        ]
        for text in sent { await peer.write(json: text) }
        var received: [String] = []
        for try await frame in answer.frames { received.append(String(decoding: frame.payload, as: UTF8.self)) }
        #expect(received == sent)
    }

    @Test
    func modelsAreRead() async throws {
        let daemon = try FakeDaemon()
        async let accepted = daemon.accept()
        let client = try await BulkheadClient.connect(daemon.path)
        let peer = try await accepted
        async let models = client.models()
        let request = try #require(try await peer.read())
        #expect(request.operation == .models(ModelsRequest()))
        let list = #"[{"id":"echo","aliases":["e"],"provider":"echo","needs_key":false,"default":true}]"#
        await peer.write(ClientAnswer.done(id: request.id, ("models", Array(list.utf8))))
        let model = try #require(try await models.first)
        #expect(model.id == "echo" && model.aliases == ["e"] && model.provider == "echo")
        #expect(model.isDefault && !model.needsKey)
    }

    static func text(of answer: Answer) async throws -> String {
        var text = ""
        for try await event in answer {
            if case .text(let piece) = event { text += piece }
        }
        return text
    }
}

/// A test met what it did not expect.
struct Unexpected: Error {}
