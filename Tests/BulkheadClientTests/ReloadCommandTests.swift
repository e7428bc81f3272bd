import Messages
import Testing

@Suite(.timeLimit(.minutes(2)))
struct ReloadCommandTests {
    @Test
    func whatChangedIsPrintedAndWarningsAreOnStandardError() async throws {
        let run = try await Self.run(["reload"]) { id in
            ClientAnswer.reloaded(
                id: id, ReloadReport(warnings: ["careful"], added: ["a", "b"], changed: [], removed: ["c"]))
        }
        #expect(await run.output == "The configuration is taken.\nadded: a, b\nremoved: c\n")
        #expect(await run.diagnostics == "warning: careful\n")
        #expect(await run.status == 0)
    }

    @Test
    func nothingChanged() async throws {
        let run = try await Self.run(["reload"]) { ClientAnswer.reloaded(id: $0, ReloadReport()) }
        #expect(await run.output == "The configuration is taken; all providers are as before.\n")
    }

    @Test
    func problemsAreOnStandardErrorOneALine() async throws {
        let run = try await Self.run(["reload"]) { id in
            ClientAnswer.error(
                id: id, Failure(.invalidConfiguration, "b.yaml:1:2: no (and 1 more)"),
                problems: ["b.yaml:1:2: no", "b.yaml:3:4: neither\u{1B}"])
        }
        #expect(await run.output == "")
        let errors = await run.diagnostics
        #expect(errors.hasPrefix("b.yaml:1:2: no\nb.yaml:3:4: neither"))
        #expect(
            errors.hasSuffix(
                "bulkhead: invalid_configuration: the configuration is refused, the one before serves on\n"))
        #expect(await run.status == 1)
    }

    @Test
    func whoMayNotIsToldSo() async throws {
        let run = try await Self.run(["drain"]) { ClientAnswer.error(id: $0, Failure(.notAllowed, "no")) }
        #expect(await run.diagnostics.contains("not_allowed: no"))
        #expect(await run.status == 1)
    }

    @Test
    func aDrainIsAnswered() async throws {
        let run = try await Self.run(["drain"]) { ClientAnswer.done(id: $0) }
        #expect(await run.output == "The daemon finishes what is open, and stops.\n")
    }

    /// Runs the program with a daemon that answers one request.
    private static func run(
        _ arguments: [String], _ answer: (RequestIdentifier) -> [UInt8]
    ) async throws -> ProgramRun {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(arguments, socket: daemon.path)
        let peer = try await daemon.accept()
        let request = try #require(try await peer.read())
        #expect(request.operation == (arguments[0] == "reload" ? .reload : .drain))
        await peer.write(answer(request.id))
        _ = await run.status
        return run
    }
}
