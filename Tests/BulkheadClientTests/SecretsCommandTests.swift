import BulkheadClient
import Foundation
import Messages
import Testing

/// `bulkhead secrets`: what it sends, what it prints, and that it shows no value.
@Suite(.timeLimit(.minutes(1)))
struct SecretsCommandTests {
    private static func run(
        _ arguments: [String], input: String = "", answer: SecretsAnswer = SecretsAnswer()
    ) async throws -> (action: SecretsAction, output: String, errors: String, status: CInt) {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["secrets"] + arguments, socket: daemon.path, input: input)
        let peer = try await daemon.accept()
        let request = try #require(try await peer.read())
        guard case .secrets(let action) = request.operation else { throw Unexpected() }
        await peer.write(ClientAnswer.secrets(id: request.id, answer))
        return (action, await run.output, await run.diagnostics, await run.status)
    }

    private struct Unexpected: Error {}

    private static func file(_ text: String) throws -> String {
        let path = NSTemporaryDirectory() + "bh-\(UUID().uuidString.prefix(8))"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test func aValueIsReadFromStandardInput() async throws {
        let advice = ["A master key was made."]
        let set = try await Self.run(
            ["set", "A_KEY", "--note", "mine"], input: "sk-planted\n",
            answer: SecretsAnswer(changed: ["A_KEY"], advice: advice))
        #expect(set.action == .set(name: "A_KEY", value: "sk-planted", note: "mine"))
        #expect(set.output == "Set: A_KEY\n")
        #expect(set.errors == "A master key was made.\n")
        #expect(set.status == 0)
    }

    @Test func aValueIsTypedWithoutAnEcho() async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["secrets", "set", "A_KEY"], socket: daemon.path, input: nil, isInteractive: true)
        try await run.waitForOutput("Value of A_KEY: ")
        try run.type("sk-planted\n")
        let peer = try await daemon.accept()
        let request = try #require(try await peer.read())
        #expect(request.operation == .secrets(.set(name: "A_KEY", value: "sk-planted", note: nil)))
        await peer.write(ClientAnswer.secrets(id: request.id, SecretsAnswer(changed: ["A_KEY"])))
        #expect(await run.status == 0)
        let output = await run.output
        #expect(output.contains("Set: A_KEY"))
        #expect(!output.contains("planted"))
    }

    @Test(arguments: [
        (["set", "A KEY"], "v", "must be"), (["set", "A"], "", "empty"), (["set", "A"], "two\nlines", "line break"),
        (["set", "A", "value"], "", "value"), (["rm", "A/B"], "", "must be"), (["import"], "", "--datasette"),
        (["import", "a", "--datasette", "b"], "", "--datasette"), (["import", "/nowhere/k"], "", "cannot read"),
        (["import", "--datasette", "/nowhere/db"], "", "no Fernet key"),
    ])
    func whatIsWrongIsSaidBeforeAnythingIsSent(_ arguments: [String], _ input: String, _ message: String) async throws {
        let run = try ProgramRun(["secrets"] + arguments, socket: "/nowhere", input: input)
        #expect(await run.status == 64)
        #expect(await run.diagnostics.contains(message))
    }

    @Test func theListHasEverythingButValues() async throws {
        let secrets = [
            DescribedSecret(
                name: "A_KEY", note: "mine", keyID: "0123456789abcdef", createdAtMilliseconds: 0,
                updatedAtMilliseconds: 86_400_000, lastUsedAtMilliseconds: 172_800_000),
            DescribedSecret(
                name: "B", keyID: "fedcba9876543210", createdAtMilliseconds: 0, updatedAtMilliseconds: 0,
                problem: "the key is not there"),
        ]
        let table = try await Self.run(["list"], answer: SecretsAnswer(secrets: secrets))
        #expect(table.action == .list)
        #expect(
            table.output == """
                NAME   CREATED              UPDATED              USED                 KEY               NOTE
                A_KEY  1970-01-01 00:00:00  1970-01-02 00:00:00  1970-01-03 00:00:00  0123456789abcdef  mine
                B      1970-01-01 00:00:00  1970-01-01 00:00:00  never                fedcba9876543210  UNUSABLE: the key is not there

                """)
        let json = try await Self.run(["list", "--json"], answer: SecretsAnswer(secrets: secrets))
        #expect(try JSONValue(parsing: json.output)[1]?["problem"]?.string == "the key is not there")
        let empty = try await Self.run(["list"], answer: SecretsAnswer(secrets: []))
        #expect(empty.output.contains("There are no secrets"))
    }

    @Test func aSecretIsRemovedAndTheKeyRotated() async throws {
        let removed = try await Self.run(["rm", "A"], answer: SecretsAnswer(changed: ["A"]))
        #expect(removed.action == .remove(name: "A"))
        #expect(removed.output == "Removed: A\n")
        let rotated = try await Self.run(["rotate"])
        #expect(rotated.action == .rotate)
        #expect(rotated.output == "Nothing was changed.\n")
    }

    @Test func llmsKeysAreImportedWithoutTheirRemark() async throws {
        let path = try Self.file(#"{"// Note": "do not share", "openai": "sk-1", "odd name": "sk-2"}"#)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let answer = SecretsAnswer(
            changed: ["openai"], skipped: [SkippedSecret(name: "odd name", reason: "its name is odd")])
        let run = try await Self.run(["import", path], answer: answer)
        #expect(
            run.action
                == .importValues([.init(name: "openai", value: "sk-1"), .init(name: "odd name", value: "sk-2")]))
        #expect(run.output == "Imported: openai\n")
        #expect(run.errors == "bulkhead: skipped 'odd name': its name is odd\n")
        #expect(run.status == 1)
    }

    @Test func everyCommandHasHelp() async throws {
        for command in [[], ["set"], ["list"], ["rm"], ["rotate"], ["import"]] {
            let run = try ProgramRun(["secrets"] + command + ["--help"], socket: "/nowhere")
            #expect(await run.status == 0)
            #expect(await run.output.contains("EXAMPLES"))
        }
    }
}
