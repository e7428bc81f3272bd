import Foundation
import GRDB
import JSON
import LogStore
import Messages
import Testing

/// llm itself reads the record, and goes on with it.
@Suite(.enabled(if: LLM.executable != nil, LLM.isMissing))
struct LLMReadingTests {
    let directory: TemporaryDirectory
    /// A question with a system prompt, one that goes on with it, one that failed on the way, and one that calls a tool.
    let requests = Samples.ulids(4)

    init() throws {
        self.directory = try TemporaryDirectory()
        let store = try LogStore(path: self.directory.database, durability: .relaxed)
        _ = try store.begin(session: Samples.ulid(), atMilliseconds: Samples.now)
        try store.commit(
            Samples.prompt(
                self.requests[0], "What is a bulkhead?", system: "Be brief.", options: #"{"temperature":0}"#),
            Samples.end(
                self.requests[0], usage: Usage(input: 1_234, output: 7, details: Array(#"{"cached":4}"#.utf8)),
                output: [.reasoning("ships…"), .text("A wall in a ship.")]))
        let tip = try LogFile(self.directory.database).texts("SELECT tip_message_hash FROM threads").first
        try store.commit(
            Samples.prompt(self.requests[1], "And a\0keel?", conversation: self.requests[0], parent: tip),
            Samples.end(self.requests[1], output: [.text("Its spine.")]),
            Samples.prompt(self.requests[2], "Tell me everything"),
            Samples.end(self.requests[2], .crashed, usage: nil, output: [.text("Everything beg")]),
            Samples.prompt(self.requests[3], ""),
            Samples.end(
                self.requests[3],
                output: [.toolCall(ToolCall(id: "call_1", name: "lookup", arguments: Array(#"{"b":1.0,"a":2}"#.utf8)))])
        )
        store.close()
    }

    /// What `llm logs` prints.
    private func logs(_ arguments: String...) throws -> String {
        let script = "import sys; from llm.cli import cli; cli(['logs', '-d', *sys.argv[1:]])"
        let run = try LLM.start(script, [self.directory.database] + arguments, in: self.directory).wait()
        #expect(run.status == 0, "\(arguments): \(run.errors)")
        return run.output
    }

    @Test func everyFormOfALogListsTheRows() throws {
        let listing = try self.logs("-n", "0")
        for text in ["What is a bulkhead?", "A wall in a ship.", "Be brief.", "Its spine.", "Everything beg", "lookup"]
        {
            #expect(listing.contains(text), "\(text)")
        }
        let usage = try self.logs("-n", "0", "-u")
        #expect(usage.contains(#"1,234 input, 7 output, `{"cached": 4}`"#), "\(usage)")
        #expect(try self.logs("-q", "spine").contains("Its spine."))
        #expect(!(try self.logs("-q", "spine").contains("A wall")))
        #expect(try self.logs("-r").contains(#""b": 1.0"#) == false)
        #expect(try self.logs("-r", "--cid", self.requests[0].description).contains("Its spine."))
        #expect(try self.logs("-s", "-n", "0").contains(self.requests[0].description))
        #expect(try self.logs("-m", "echo").contains("lookup"))
        #expect(!(try self.logs("-T", "lookup").contains("Its spine.")))
        let current = try self.logs("-c")
        #expect(current.contains("lookup"))
        #expect(!current.contains("Its spine."))
        let conversation = try self.logs("--cid", self.requests[0].description)
        #expect(conversation.contains("A wall in a ship."))
        #expect(conversation.contains("Its spine."))
        #expect(!conversation.contains("Everything beg"))
    }

    @Test func theRowsAsJSONAreWhatWasStored() throws {
        let rows = try #require(try JSONValue(parsing: try self.logs("-n", "0", "--json")).array)
        #expect(rows.map { $0["id"]?.string } == self.requests.map(\.description))
        let first = try #require(rows.first)
        #expect(first["prompt"]?.string == "What is a bulkhead?")
        #expect(first["system"]?.string == "Be brief.")
        #expect(first["response"]?.string == "A wall in a ship.")
        #expect(first["reasoning"]?.string == "ships…")
        #expect(first["options_json"]?["temperature"]?.integer == 0)
        #expect(first["input_tokens"]?.integer == 1_234)
        #expect(first["duration_ms"]?.integer == 900)
        #expect(first["conversation_id"]?.string == self.requests[0].description)
        #expect(first["conversation_name"]?.string == "What is a bulkhead?")
        #expect(rows[1]["prompt"]?.string == "And a\0keel?")
        #expect(rows[3]["tool_calls"]?[0]?["arguments"]?.text() == #"{"b":1.0,"a":2}"#)
    }

    @Test func llmVerifiesEveryHash() throws {
        let script = """
            import sys, sqlite_utils
            from llm.logs import LogStore
            store = LogStore(sqlite_utils.Database(sys.argv[1]))
            print(store.verify(), store.db["messages"].count)
            """
        let run = try LLM.python(script, self.directory.database, in: self.directory)
        #expect(run.output == "[] 8\n", "\(run.errors)")
    }

    /// What llm has of the thread after it has gone on with it in a copy of the file.
    private func goOn(_ conversation: ULID) throws -> [String] {
        let copy = self.directory.path + "/copy.db"
        let file = try LogFile(self.directory.database)
        try file.queue.writeWithoutTransaction { db in try db.execute(sql: "VACUUM INTO ?", arguments: [copy]) }
        let run = try LLM.run("--cid", conversation.description, "-d", copy, "And now?", in: self.directory)
        #expect(run.status == 0, "\(run.errors)")
        let continued = try LogFile(copy)
        let tip = try continued.texts("SELECT tip_message_hash FROM threads WHERE id = '\(conversation)'").first
        #expect(try continued.integer("SELECT count(*) FROM threads") == 3)
        #expect(try continued.isIntact)
        return try continued.chain(tip).dropLast()
    }

    @Test func llmGoesOnWithAConversation() throws {
        let chain = try self.goOn(self.requests[0])
        #expect(
            chain == [
                "system: text Be brief.", "user: text What is a bulkhead?",
                "assistant: reasoning ships…, text A wall in a ship.", "user: text And a\0keel?",
                "assistant: text Its spine.", "user: text And now?",
            ])
    }

    /// Its thread has no tip: nothing whole to go on from.
    @Test func llmGoesOnWithAConversationThatBeganWithAFailure() throws {
        #expect(try self.goOn(self.requests[2]) == ["user: text And now?"])
    }
}
