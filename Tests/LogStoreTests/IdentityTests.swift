import Foundation
import JSON
import Messages
import Recordings
import Testing

@testable import LogStore

/// What llm and we must name alike; every expected value was computed by llm 0.36 and Python's `json`.
@Suite struct IdentityTests {
    @Test(arguments: IdentityVectors.numbers) func aNumberIsWrittenAsPythonWritesIt(vector: (String, String)) {
        #expect(PythonNumber.normalized(vector.0) == vector.1)
    }

    @Test func onlyIntegersBeyondPythonsLengthAreUnreadable() {
        let digits = String(repeating: "7", count: 4_300)
        #expect(JSONValue.array([.number(digits), .number(digits + "7.0")]).isReadableByPython)
        #expect(!JSONValue.object([JSONValue.Member("a", .array([.number(digits + "7")]))]).isReadableByPython)
    }

    @Test func textIsEscapedAsPythonEscapesIt() throws {
        let value = try JSONValue(parsing: #"{"a":"\u00e9\u007f\u2028\ud83d\ude00\"\\/\u0001","B":[]}"#)
        #expect(PythonJSON.text(value, .plain) == #"{"a": "\u00e9\u007f\u2028\ud83d\ude00\"\\/\u0001", "B": []}"#)
        #expect(PythonJSON.text(value, .canonical) == "{\"B\":[],\"a\":\"é\u{7F}\u{2028}😀\\\"\\\\/\\u0001\"}")
    }

    @Test func messagesOfAChainHaveTheHashesThatLLMGivesThem() throws {
        let chain = try #require(try JSONValue(parsing: IdentityVectors.chain).array)
        #expect(chain.count == 5)
        for vector in chain { try Self.check(message: vector, wire: "message") }
    }

    @Test func schemasAndToolsHaveTheNamesThatLLMGivesThem() throws {
        let schema = ContentIdentity.schema(
            try JSONValue(parsing: #"{"type":"object","properties":{"größe":{"type":"number"}}}"#))
        #expect(schema.id == "3b16404d6ab1bed1688dbe56793e4657")
        #expect(schema.content == #"{"type":"object","properties":{"gr\u00f6\u00dfe":{"type":"number"}}}"#)
        let inputs = try JSONValue(parsing: #"{"type":"object","properties":{}}"#)
        #expect(
            ContentIdentity.tool(name: "größe", description: "Misst\tetwas", inputSchema: inputs)
                == "a5a37210bb6423c81ff3a21aaa09163a7908fd67814b27d3b9c9a487be1127cc")
        #expect(
            ContentIdentity.tool(name: "x", description: nil, inputSchema: .object([]), plugin: "")
                == "5ac0edba00884d165fa3203dad573d908c6c4493f1efa97ea2d4c9c449720f8b")
    }

    /// llm asks puremagic, which knows many more types, and of these fewer kinds of MP3.
    @Test(arguments: IdentityVectors.mediaTypes) func bytesHaveTheTypeThatLLMGuesses(vector: ([UInt8], String?)) {
        let content = Attachment.Source.content(Data(vector.0).base64EncodedString())
        #expect(StoredAttachment.type(of: vector.0) == vector.1)
        #expect(StoredAttachment(Attachment(mediaType: nil, content)).type == vector.1 ?? "application/octet-stream")
        #expect(StoredAttachment(Attachment(mediaType: "a/b", content)).type == "a/b")
    }

    @Test func whatIsNoBase64IsKeptAsItCame() {
        #expect(StoredAttachment(Attachment(mediaType: nil, .content("R0lG\nODlh"))).content == Array("GIF89a".utf8))
        #expect(StoredAttachment(Attachment(mediaType: nil, .content("R0l"))).content == Array("R0l".utf8))
        #expect(StoredAttachment(Attachment(mediaType: "", .content(""))).id == ContentIdentity.attachment(url: nil))
    }

    @Test(arguments: IdentityVectors.names) func aConversationIsNamedAsLLMNamesIt(vector: (String, String)) {
        #expect(ConversationName.of(vector.0) == vector.1)
    }

    /// `{"parent":…, wire:…, "hash":…}`
    static func check(message vector: JSONValue, wire: String) throws {
        let message = try #require(vector[wire])
        let hash = StoredMessage(try ModelMessage(message)).hash(after: vector["parent"]?.string)
        #expect(hash == vector["hash"]?.string)
    }
}

/// The vectors of the shared folder.
@Suite(.enabled(if: SharedFolder.holds("reference/vectors"), "there is no shared folder with vectors"))
struct IdentityVectorTests {
    private func vectors(_ name: String) throws -> JSONValue {
        let url = try #require(SharedFolder.url).appendingPathComponent("reference/vectors/\(name).json")
        return try JSONValue(parsing: Array(Data(contentsOf: url)), bounds: .lenient)
    }

    @Test func allMessageHashesPass() throws {
        let vectors = try #require(try self.vectors("message_hash").array)
        #expect(!vectors.isEmpty)
        for vector in vectors { try IdentityTests.check(message: vector, wire: "message_wire") }
    }

    @Test func allSchemaIdsPass() throws {
        let vectors = try #require(try self.vectors("schema_id").array)
        #expect(!vectors.isEmpty)
        for vector in vectors {
            let identity = ContentIdentity.schema(try #require(vector["schema"]))
            #expect(identity.id == vector["id"]?.string)
            #expect(identity.content == vector["content"]?.string)
        }
    }

    @Test func allToolHashesPass() throws {
        let vectors = try #require(try self.vectors("tool_hash").array)
        #expect(!vectors.isEmpty)
        for vector in vectors {
            let hash = ContentIdentity.tool(
                name: try #require(vector["name"]?.string), description: vector["description"]?.string,
                inputSchema: try #require(vector["input_schema"]), plugin: vector["plugin"]?.string)
            #expect(hash == vector["hash"]?.string)
        }
    }

    @Test func allIdsPass() throws {
        let vectors = try self.vectors("ids")
        let identities: [String: (String) -> String] = [
            "fragment": ContentIdentity.fragment, "attachment_url": { ContentIdentity.attachment(url: $0) },
            "attachment_content_b64": { ContentIdentity.attachment(content: Array(Data(base64Encoded: $0)!)) },
            "conversation_name": ConversationName.of,
        ]
        for (name, identity) in identities {
            let pairs = try #require(vectors[name]?.array)
            #expect(!pairs.isEmpty)
            for pair in pairs { #expect(identity(try #require(pair[0]?.string)) == pair[1]?.string) }
        }
        let usages = try #require(vectors["token_usage"]?.array)
        for usage in usages {
            let text = TokenUsageText.of(
                input: usage[0]?[0]?.integer, output: usage[0]?[1]?.integer, details: usage[0]?[2])
            #expect(text == usage[1]?.string)
        }
    }
}
