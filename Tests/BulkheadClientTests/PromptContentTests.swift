import BulkheadClient
import Foundation
import JSON
import Messages
import Testing

/// What a prompt brings along: in the library, and from the command line as the daemon reads it.
@Suite(.timeLimit(.minutes(2)))
struct PromptContentTests {
    private typealias Attachment = Messages.Attachment

    // MARK: The library

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func bytesAreSentInBase64(text: String, encoded: String) {
        #expect(Attachment(bytes: Array(text.utf8), mediaType: "a/b").source == .content(encoded))
    }

    @Test func everyByteSurvivesBase64() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        #expect(Attachment(bytes: bytes, mediaType: "a/b").source == .content(Data(bytes).base64EncodedString()))
    }

    @Test func theDaemonReadsWhatValuesSay() async throws {
        let daemon = try FakeDaemon()
        async let accepted = daemon.accept()
        let client = try await BulkheadClient.connect(daemon.path)
        let peer = try await accepted
        let attachments = [
            Attachment(bytes: Array("%PDF-1".utf8)), Attachment(url: "https://example.com/a.png"),
        ]
        let tool = ToolDefinition(name: "look_up", description: "Looks up", inputSchema: .object([]))
        let result = ToolResult(name: "look_up", output: "42", toolCallID: "t1")
        let messages = [ModelMessage(.user, text: "Hi"), ModelMessage(.assistant, text: "Hello")]
        let answer = client.prompt(
            PromptRequest(
                prompt: "p", attachments: attachments, schema: .string("name, age int"), tools: [tool],
                toolResults: [result], messages: messages))
        guard case .prompt(let prompt) = try #require(try await peer.read()).operation else { throw Unexpected() }
        #expect(try Attachment.list(try JSONValue(parsing: try #require(prompt.attachments))) == attachments)
        #expect(attachments.map(\.mediaType) == ["application/pdf", "image/png"])
        #expect(prompt.schema == (try SchemaText.schema("name, age int")).serialized())
        #expect(try ToolDefinition.list(try JSONValue(parsing: try #require(prompt.tools))) == [tool])
        #expect(try ToolResult.list(try JSONValue(parsing: try #require(prompt.toolResults))) == [result])
        #expect(try ModelMessage.list(try JSONValue(parsing: try #require(prompt.messages))) == messages)
        _ = answer
    }

    // MARK: The program

    @Test(arguments: [["prompt"], []])
    func filesURLsAndStandardInputAreAttached(command: [String]) async throws {
        let folder = try Folder()
        let photo = try folder.write([0xFF, 0xD8, 0xFF, 0xE0], to: "photo with a name.bin")
        let raw = try folder.write([0, 1, 2], to: "raw")
        let prompt = try await Self.prompt(
            command + [
                "What?", "--at", raw, "audio/l16", "-a", photo, "-a", "https://example.com/a.webp", "--attachment", "-",
                "--attachment-type", "https://example.com/b", "image/png",
            ], input: "piped in")
        #expect(prompt.prompt == Array(#""What?""#.utf8), "standard input is an attachment, not a prompt")
        #expect(
            try Attachment.list(try JSONValue(parsing: try #require(prompt.attachments))) == [
                Attachment(mediaType: "image/jpeg", .content("/9j/4A==")),
                Attachment(mediaType: "image/webp", .url("https://example.com/a.webp")),
                Attachment(mediaType: "text/plain", .content("cGlwZWQgaW4=")),
                Attachment(mediaType: "audio/l16", .content("AAEC")),
                Attachment(mediaType: "image/png", .url("https://example.com/b")),
            ])
    }

    @Test func anAttachmentNeedsNoText() async throws {
        let prompt = try await Self.prompt(["-a", "https://example.com/a.png"])
        #expect(prompt.prompt == Array(#""""#.utf8))
        #expect(prompt.attachments != nil)
    }

    @Test func aFileThatFitsIntoARequestArrives() async throws {
        let folder = try Folder()
        let file = try folder.write([UInt8](repeating: 0x41, count: 11 << 20), to: "long.txt")
        let prompt = try await Self.prompt(["-a", file, "x"])
        let attachments = try Attachment.list(try JSONValue(parsing: try #require(prompt.attachments)))
        guard case .content(let text)? = attachments.first?.source else { throw Unexpected() }
        let length = ((11 << 20) + 2) / 3 * 4
        #expect(text.utf8.count == length)
    }

    @Test func fragmentsComeFirstEachOnItsLines() async throws {
        let folder = try Folder()
        let one = try folder.write(Array("one\n".utf8), to: "one")
        let two = try folder.write(Array("two".utf8), to: "two")
        let all = try await Self.prompt(["-f", one, "--fragment", two, "text"], input: "piped")
        #expect(all.prompt == JSONValue.string("one\n\ntwo\npiped\ntext").serialized())
        let alone = try await Self.prompt(["-f", two])
        #expect(alone.prompt == JSONValue.string("two").serialized())
        let piped = try await Self.prompt(["-f", "-", "-f", two, "text"], input: "piped")
        #expect(piped.prompt == JSONValue.string("piped\ntwo\ntext").serialized())
    }

    @Test func aSchemaIsJSONOrFieldsOrAFile() async throws {
        let schema = #"{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}"#
        let folder = try Folder()
        let json = try folder.write(Array(" \(schema)\n".utf8), to: "schema.json")
        let fields = try folder.write(Array("a int\n".utf8), to: "schema fields")
        for argument in [schema, "a int", "\na int\n", json, fields] {
            let prompt = try await Self.prompt(["--schema", argument, "x"])
            #expect(prompt.schema == Array(schema.utf8), "\(argument)")
        }
        let several = try await Self.prompt(["--schema-multi", "a int", "x"])
        let items = #"{"items":{"type":"array","items":\#(schema)}}"#
        #expect(several.schema == Array(#"{"type":"object","properties":\#(items),"required":["items"]}"#.utf8))
    }

    // MARK: Wrong input

    @Test(arguments: [
        (["-a", "no file"], "cannot read 'no file': No such file or directory"), (["-a", ""], "-a takes a file"),
        (["-a", "/tmp"], "cannot read '/tmp': Is a directory"), (["-a", "/dev/null"], "'/dev/null' is empty"),
        (["-a", "-"], "standard input is empty"), (["-a", "-", "-f", "-"], "Standard input can be read once"),
        (["--at", "x"], "--at FILE TYPE"), (["--at", "image/png", "photo.png"], "'photo.png' is no media type"),
        (["-f", "no file"], "cannot read 'no file'"), (["-f", "https://example.com"], "is a URL: fetch it first"),
        (["--schema", "dog.json"], "'dog.json' is no schema"), (["--schema", ""], "'' is no schema"),
        (["--schema", "{\"a\""], "begins like a JSON object and is none"), (["--schema", " , "], "no fields in it"),
        (["--schema", "name strr"], "unknown type 'strr' for field 'name'"),
        (["--schema", "a b", "--schema-multi", "a b"], "give one of the two"), (["-x", "--xl"], "exclude each other"),
        (["--json", "-x"], "exclude each other"),
    ])
    func wrongInputIsRefusedBeforeAnythingIsSent(arguments: [String], complaint: String) async throws {
        let run = try ProgramRun(arguments + ["text"], socket: "/nowhere/bulkhead.sock")
        let diagnostics = await run.diagnostics
        #expect(diagnostics.contains(complaint))
        #expect(await run.output == "")
        #expect(await run.status == 64)
    }

    @Test func whatIsNoTextIsNeitherAFragmentNorAnAttachmentWithoutAType() async throws {
        let folder = try Folder()
        let file = try folder.write([0xFF, 0, 0xC0], to: "raw")
        let fragment = try ProgramRun(["-f", file], socket: "/nowhere/bulkhead.sock")
        #expect(
            await fragment.diagnostics == "bulkhead: '\(file)' is not a text in UTF-8; show it to the model with -a\n")
        let attachment = try ProgramRun(["-a", file], socket: "/nowhere/bulkhead.sock")
        #expect(
            await attachment.diagnostics
                == "bulkhead: cannot tell the media type of '\(file)'; say it with --at \(file) TYPE\n")
        #expect(await fragment.status == 64)
        #expect(await attachment.status == 64)
    }

    @Test func whatIsTooLongIsSaidWithItsSize() async throws {
        let folder = try Folder()
        let long = try folder.sparseFile(ofLength: 20 << 20, "long.png")
        let half = try folder.sparseFile(ofLength: 7 << 20, "half.png")
        let one = try ProgramRun(["-a", long], socket: "/nowhere/bulkhead.sock")
        #expect(await one.diagnostics == "bulkhead: '\(long)' has 20 MiB, and a request has room for 12 MiB of it\n")
        let endless = try ProgramRun(["-a", "/dev/zero"], socket: "/nowhere/bulkhead.sock")
        #expect(
            await endless.diagnostics == "bulkhead: '/dev/zero' is longer, and a request has room for 12 MiB of it\n")
        let two = try ProgramRun(
            ["--at", half, "image/png", "--at", half, "image/png"], socket: "/nowhere/bulkhead.sock")
        #expect(await two.diagnostics.contains("has 18.6 MiB as it would be sent"))
        for run in [one, endless, two] { #expect(await run.status == 64) }
    }

    private static func prompt(_ arguments: [String], input: String = "") async throws -> PromptRequest {
        let daemon = try FakeDaemon()
        let run = try ProgramRun(arguments, socket: daemon.path, input: input)
        let peer = try await daemon.accept()
        let request = try #require(try await peer.read())
        guard case .prompt(let prompt) = request.operation else { throw Unexpected() }
        await peer.write(Answers.done(request.id))
        #expect(await run.status == 0)
        return prompt
    }
}

/// A folder for files of a test, which goes with it.
final class Folder {
    private let url = URL(filePath: NSTemporaryDirectory()).appending(path: "bulkhead-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: self.url, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: self.url) }

    /// Writes a file and returns its path.
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let file = self.url.appending(path: name)
        try Data(bytes).write(to: file)
        return file.path
    }

    /// Makes a file of zeros that takes no space.
    func sparseFile(ofLength length: Int, _ name: String) throws -> String {
        let path = try self.write([], to: name)
        guard truncate(path, length) == 0 else { throw POSIXError(.EIO) }
        return path
    }
}
