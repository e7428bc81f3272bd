import BulkheadClient
import Messages
import Testing

/// `bulkhead models`, and what a command makes of what it is told there.
@Suite(.timeLimit(.minutes(1)))
struct ModelsCommandTests {
    private static let models = #"""
        [{"id":"echo","aliases":["e"],"provider":"echo","needs_key":false,"default":true,"schema":false,"tools":true,"streaming":true,
        "options":{"flag":{"type":"boolean"}},"checks_options":false},
        {"id":"gpt","aliases":[],"provider":"openai","needs_key":true,"default":false,"schema":true,"tools":true,"attachments":["image/png"],
        "context":128000,"max_output":16384,"options":{"json_object":{"type":"boolean"},"n":{"type":"integer","minimum":1},"stop":{"type":["string","array"]}}},
        {"id":"unknown","aliases":[],"provider":"local","needs_key":false,"default":false}]
        """#

    /// Runs a command whose question for models is answered with ``models``.
    private static func run(_ arguments: String...) async throws -> (output: String, status: CInt) {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["models"] + arguments, socket: daemon.path)
        let peer = try await daemon.accept()
        let request = try #require(try await peer.read())
        #expect(request.operation == .models(ModelsRequest()))
        await peer.write(ClientAnswer.done(id: request.id, ("models", Array(Self.models.utf8))))
        return (await run.output, await run.status)
    }

    @Test func whatIsKnownIsShown() async throws {
        let table = try await Self.run()
        #expect(
            table.output == """
                MODEL    ALIASES  PROVIDER  NOTES
                echo     e        echo      default
                gpt               openai    needs a key
                unknown           local

                """)
        let verbose = try await Self.run("-v", "-m", "gpt")
        #expect(verbose.output.contains("128,000  16,384  schemas, tools, attachments  needs a key"))
        let options = try await Self.run("--options")
        #expect(
            options.output == """
                echo: echo (aliases: e)
                  Options:
                    flag: true or false
                  Features:
                  - streaming
                  - tools
                openai: gpt
                  Options:
                    json_object: true or false
                    n: an integer from 1 on
                    stop: a string or an array
                  Attachment types:
                    image/png
                  Features:
                  - schemas
                  - tools
                  Limits:
                    context: 128,000 tokens
                    output: 16,384 tokens
                local: unknown
                  Nothing is known of it; everything is passed on

                """)
    }

    @Test(arguments: [
        (["--schemas"], ["gpt"]), (["--tools"], ["echo", "gpt"]), (["-q", "OPEN"], ["gpt"]), (["-m", "e"], ["echo"]),
        (["-q", "e", "-q", "cho"], ["echo"]), (["--schemas", "-m", "echo"], []),
    ])
    func theListCanBeFiltered(arguments: [String], ids: [String]) async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["models", "--json"] + arguments, socket: daemon.path)
        let peer = try await daemon.accept()
        let request = try #require(try await peer.read())
        await peer.write(ClientAnswer.done(id: request.id, ("models", Array(Self.models.utf8))))
        let list = try JSONValue(parsing: await run.output)
        #expect(list.array?.compactMap { $0["id"]?.string } == ids)
    }

    @Test func aRefreshSaysWhatBecameOfEachProvider() async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["models", "--refresh", "--provider", "a"], socket: daemon.path)
        let peer = try await daemon.accept()
        let request = try #require(try await peer.read())
        #expect(request.operation == .models(ModelsRequest(refresh: true, provider: "a")))
        let refreshed = [
            #"{"provider":"a","listed":1,"added":0}"#,
            #"{"provider":"b","error":{"code":"timeout","message":"too late","retryable":true}}"#,
        ]
        await peer.write(
            ClientAnswer.models(id: request.id, [], refreshed: refreshed.map { Array($0.utf8) }))
        #expect(await run.output == "a: 1 model, 0 new\nb: timeout: too late\n")
        #expect(await run.status == 1)
    }

    @Test func aRefreshIsRefusedAsAnyRequest() async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["models", "--refresh"], socket: daemon.path)
        let peer = try await daemon.accept()
        let request = try #require(try await peer.read())
        await peer.write(ClientAnswer.error(id: request.id, Failure(.invalidRequest, "only an administrator")))
        #expect(await run.diagnostics == "bulkhead: invalid_request: only an administrator\n")
        #expect(await run.status == 1)
        #expect(await (try ProgramRun(["models", "--provider", "a"], socket: daemon.path)).status == 64)
    }

    // MARK: Options

    /// llm's `-o json_object 1` is what its users type.
    @Test(arguments: [
        (["-m", "gpt", "-o", "json_object", "1", "-o", "n", "1"], #"{"json_object":true,"n":1}"#),
        (["-m", "gpt", "-o", "json_object", "No", "-o", "stop", "no"], #"{"json_object":false,"stop":"no"}"#),
        (["-m", "e", "-o", "flag", "1"], #"{"flag":1}"#), (["-m", "new", "-o", "flag", "1"], #"{"flag":1}"#),
        (["-o", "flag", "1"], #"{"flag":1}"#),
    ])
    func aWordForTrueIsTrueWhereTheModelWantsABoolean(arguments: [String], options: String) async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["prompt"] + arguments + ["hi"], socket: daemon.path)
        let peer = try await daemon.accept()
        let list = try #require(try await peer.read())
        #expect(list.operation == .models(ModelsRequest()))
        await peer.write(ClientAnswer.done(id: list.id, ("models", Array(Self.models.utf8))))
        let request = try #require(try await peer.read())
        guard case .prompt(let prompt) = request.operation else {
            Issue.record("no prompt")
            return
        }
        #expect(prompt.options.map { String(decoding: $0, as: UTF8.self) } == options)
        await peer.write(Answers.done(request.id))
        #expect(await run.status == 0)
    }
}
