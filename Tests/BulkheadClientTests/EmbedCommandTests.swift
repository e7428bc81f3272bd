import BulkheadClient
import Foundation
import JSON
import Messages
import Testing

/// `bulkhead embed`, and what it is made of.
@Suite(.timeLimit(.minutes(2)))
struct EmbedCommandTests {
    /// Answers every request with the lengths of its texts, until the client goes; returns the requests.
    private static func answerAll(_ peer: Peer) async throws -> [EmbedRequest] {
        var requests: [EmbedRequest] = []
        while let request = try await peer.read() {
            guard case .embed(let embed) = request.operation else { throw Unexpected() }
            requests.append(embed)
            let lengths = try Self.texts(embed).map { "[\($0.utf8.count).50,-1]" }.joined(separator: ",")
            let event = EmbeddingEvent.done(
                EmbeddingCompletion(embeddings: Array("[\(lengths)]".utf8), usage: Usage(input: 1000, output: nil)))
            await peer.write(
                ClientAnswer.done(
                    id: request.id, request: ULID("01k9x3g6ncw7jv0q8r6m2t5y4b")!, model: "m", provider: "p",
                    durationMilliseconds: 1, event.encoded))
        }
        return requests
    }

    private static func texts(_ request: EmbedRequest) throws -> [String] {
        try #require(try JSONValue(parsing: request.input).array).compactMap(\.string)
    }

    private static func run(
        _ arguments: [String], input: String = ""
    ) async throws -> (output: [UInt8], diagnostics: String, status: CInt, requests: [EmbedRequest]) {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["embed"] + arguments, socket: daemon.path, input: input)
        let requests = try await Self.answerAll(try await daemon.accept())
        return (Array(await run.output.utf8), await run.diagnostics, await run.status, requests)
    }

    @Test func textsOfTheCommandLineAreAskedForInOneRequest() async throws {
        let run = try await Self.run([
            "-m", "m", "-c", "one", "-c", "", "-o", "dimensions", "8", "-o", "task_type", "clustering", "--timeout",
            "2s",
            "--usage",
        ])
        #expect(String(decoding: run.output, as: UTF8.self) == "[3.50,-1]\n[0.50,-1]\n")
        #expect(run.diagnostics == "Token usage: 1,000 input\n")
        #expect(run.status == 0)
        var expected = EmbedRequest(
            ["one", ""], model: "m",
            options: .object([.init("dimensions", .integer(8)), .init("task_type", .string("clustering"))]))
        expected.timeoutMilliseconds = 2000
        #expect(run.requests == [expected])
    }

    @Test func standardInputIsOneTextOrALineEach() async throws {
        let whole = try await Self.run([], input: "a\nb\n")
        #expect(try whole.requests.map(Self.texts) == [["a\nb\n"]])
        #expect(whole.requests.first?.model == nil)
        let lines = try await Self.run(["--lines", "--batch-size", "2"], input: "a\n\nc\r\nd")
        #expect(try lines.requests.map(Self.texts) == [["a", ""], ["c", "d"]])
        #expect(String(decoding: lines.output, as: UTF8.self) == "[1.50,-1]\n[0.50,-1]\n[1.50,-1]\n[1.50,-1]\n")
    }

    @Test func filesAreATextEach() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "embed-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let paths = ["one", "two"].map { directory.appending(path: $0).path }
        try Data("Grüße".utf8).write(to: URL(filePath: paths[0]))
        try Data([0x61, 0xFF]).write(to: URL(filePath: paths[1]))
        let run = try await Self.run(["-c", "first", paths[0], "-"], input: "last")
        #expect(try run.requests.map(Self.texts) == [["first", "Grüße", "last"]])
        for more in [[], ["--lines"]] {
            let binary = try ProgramRun(["embed", paths[1]] + more, socket: "/nowhere/s")
            #expect(await binary.diagnostics.contains("is not a text in UTF-8"))
            #expect(await binary.status == 64)
        }
        let missing = try ProgramRun(["embed", "/nowhere/file"], socket: "/nowhere/s")
        #expect(await missing.diagnostics == "bulkhead: cannot read '/nowhere/file': No such file or directory\n")
    }

    @Test(arguments: [
        ("json", "[1.50,-1]\n"), ("hex", "0000c03f000080bf\n"), ("base64", "AADAPwAAgL8=\n"),
    ])
    func aVectorIsPrintedInAFormatOfLLMs(format: String, line: String) async throws {
        let run = try await Self.run(["-c", "x", "-f", format])
        #expect(String(decoding: run.output, as: UTF8.self) == line)
    }

    @Test func framesArePrintedAsLines() async throws {
        let run = try await Self.run(["-c", "x", "--json"])
        #expect(try JSONValue(parsing: run.output)["embeddings"]?.text() == "[[1.50,-1]]")
    }

    @Test func aFailureHasACodeAndAnExitStatus() async throws {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(["embed", "--lines", "--batch-size", "1"], socket: daemon.path, input: "a\nb\n")
        let peer = try await daemon.accept()
        let request = try #require(try await peer.read())
        await peer.write(Answers.error(request.id, .answerTooLarge, "ask for fewer"))
        #expect(await run.diagnostics == "bulkhead: answer_too_large: ask for fewer\n")
        #expect(await run.output == "")
        #expect(await run.status == 1)
    }

    @Test(arguments: [
        ["--batch-size", "0"], ["--batch-size", "2049"], ["-", "-"], ["-c", "x", "--lines"], ["--format", "xml"], [],
    ])
    func aWrongCommandLineIsRefused(_ arguments: [String]) async throws {
        let run = try ProgramRun(["embed"] + arguments, socket: "/nowhere/s")
        _ = await run.output
        #expect(await run.status == 64, "\(arguments)")
    }

    // MARK: The library

    @Test func aVectorIsNumbersInWhateverPrecision() async throws {
        let daemon = try FakeDaemon()
        async let client = BulkheadClient.connect(daemon.path)
        let peer = try await daemon.accept()
        async let answered = Self.answerAll(peer)
        let embeddings = try await client.embed(EmbedRequest(["one", "three"], model: "m"))
        #expect(embeddings.vectors.map { String(decoding: $0.json, as: UTF8.self) } == ["[3.50,-1]", "[5.50,-1]"])
        #expect(embeddings.vectors[0].doubles == [3.5, -1])
        #expect(embeddings.vectors[1].floats == [5.5, -1])
        #expect(embeddings.vectors[0].blob == [0, 0, 0x60, 0x40, 0, 0, 0x80, 0xBF])
        #expect((embeddings.model, embeddings.provider) == ("m", "p"))
        try await client.close()
        #expect(try await answered.count == 1)
    }

    private struct Unexpected: Error {}
}
