import Foundation
import JSON
import Messages
import Testing

@Suite(.timeLimit(.minutes(2)))
struct PromptCommandTests {
    @Test
    func textIsPrintedAndItsLineEnded() async throws {
        let (run, peer, _) = try await Self.start(["-m", "echo", "hello"])
        let (id, prompt) = try await Self.prompt(of: peer)
        #expect(prompt.model == "echo" && prompt.stream)
        #expect(prompt.prompt == Array(#""hello""#.utf8))
        await peer.write(Answers.start(id), Answers.text(id, "one\ntwo"), Answers.text(id, " three"), Answers.done(id))
        #expect(await run.output == "one\ntwo three\n")
        #expect(await run.diagnostics == "")
        #expect(await run.status == 0)
    }

    @Test
    func whatIsPipedInComesFirstAndOptionsAreJSONWhereTheyCanBe() async throws {
        let (run, peer, _) = try await Self.start(
            [
                "prompt", "-o", "temperature", "0.20", "-o", "user", "ann lee", "--option", "flag", "true", "-o",
                "flag", "null",
                "-s", "Be brief", "--timeout", "30s", "--no-stream", "--", "-why?",
            ], input: "log line\n")
        let (id, prompt) = try await Self.prompt(of: peer)
        #expect(prompt.prompt == Array(#""log line\n-why?""#.utf8))
        #expect(prompt.system == Array(#""Be brief""#.utf8))
        #expect(prompt.options == Array(#"{"temperature":0.20,"user":"ann lee","flag":null}"#.utf8))
        #expect(prompt.timeoutMilliseconds == 30_000)
        #expect(!prompt.stream)
        let call = #"{"tool_call_id":"t","name":"f","arguments":{"x":1.0}}"#
        guard case .number(let number) = id else { throw Unexpected() }
        await peer.write(json: #"{"id":\#(number),"event":"done","text":"ok","tool_calls":[\#(call)]}"#)
        #expect(await run.output == "ok\n\(call)\n")
        #expect(await run.status == 0)
    }

    @Test
    func framesArePrintedAsLines() async throws {
        let (run, peer, _) = try await Self.start(["prompt", "--json", "hello"])
        let (id, _) = try await Self.prompt(of: peer)
        let frames = [Answers.start(id), Answers.text(id, "hi"), Answers.done(id)]
        for frame in frames { await peer.write(frame) }
        #expect(await run.output == frames.map { String(decoding: $0, as: UTF8.self) + "\n" }.joined())
        #expect(await run.status == 0)
    }

    @Test(arguments: [(ErrorCode.unknownModel, 1 as CInt), (.overloaded, 75)])
    func aFailureHasACodeAndAnExitStatus(_ code: ErrorCode, _ status: CInt) async throws {
        let (run, peer, _) = try await Self.start(["hello"])
        let (id, _) = try await Self.prompt(of: peer)
        await peer.write(Answers.text(id, "half"), Answers.error(id, code, "it is so"))
        #expect(await run.output == "half\n")
        #expect(await run.diagnostics == "bulkhead: \(code.rawValue): it is so\n")
        #expect(await run.status == status)
    }

    @Test
    func aDaemonThatCannotBeReachedIsNamed() async throws {
        let run = try ProgramRun(["hello"], socket: "/nowhere/bulkhead.sock")
        #expect(await run.diagnostics.hasPrefix("bulkhead: cannot connect to '/nowhere/bulkhead.sock': "))
        #expect(await run.status == 69)
    }

    @Test(arguments: [["-o", "key"], ["--timeout", "30", "x"], ["--nonsense"], []])
    func aWrongCommandLineIsRefused(_ arguments: [String]) async throws {
        let run = try ProgramRun(arguments, socket: "/nowhere/bulkhead.sock")
        #expect(await run.status == 64)
        #expect(await run.output == "")
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func aSignalCancelsTheRequestAndItsLastFrameIsWaitedFor(_ signal: CInt) async throws {
        let (run, peer, _) = try await Self.start(["hello"])
        let (id, _) = try await Self.prompt(of: peer)
        await peer.write(Answers.text(id, "half"))
        run.signal(signal)
        #expect(try #require(try await peer.read()).operation == .cancel(target: id))
        await peer.write(Answers.error(id, .cancelled, "as you wish"))
        #expect(await run.output == "half\n")
        #expect(await run.status == 128 + signal)
    }

    @Test
    func aSecondSignalEndsTheProgramThoughTheDaemonIsSilent() async throws {
        let (run, peer, _) = try await Self.start(["hello"])
        let (id, _) = try await Self.prompt(of: peer)
        run.signal(SIGINT)
        #expect(try #require(try await peer.read()).operation == .cancel(target: id))
        run.signal(SIGINT)
        #expect(await run.status == 128 + SIGINT)
    }

    @Test
    func aClosedOutputEndsTheProgramQuietlyAndItsRequest() async throws {
        let (run, peer, _) = try await Self.start(["hello"], closesOutput: true)
        let (id, _) = try await Self.prompt(of: peer)
        await peer.write(Answers.text(id, "nobody reads this"))
        #expect(await run.status == 128 + SIGPIPE)
        #expect(await run.diagnostics == "")
        while try await peer.read() != nil {}
    }

    private static func start(
        _ arguments: [String], input: String = "", closesOutput: Bool = false
    ) async throws -> (ProgramRun, Peer, FakeDaemon) {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(arguments, socket: daemon.path, input: input, closesOutput: closesOutput)
        return (run, try await daemon.accept(), daemon)
    }

    private static func prompt(of peer: Peer) async throws -> (RequestIdentifier, PromptRequest) {
        let request = try #require(try await peer.read())
        guard case .prompt(let prompt) = request.operation else { throw Unexpected() }
        return (request.id, prompt)
    }
}
