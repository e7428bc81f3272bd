import Foundation
import GRDB
import JSON
import LogStore
import Messages
import Testing

/// llm itself reads the record of everything that a message may hold.
@Suite(.enabled(if: LLM.executable != nil, LLM.isMissing))
struct LLMContentTests {
    let directory: TemporaryDirectory
    /// A picture with a schema; a chain of tool calls in two requests; and what a provider ran itself.
    let requests = Samples.ulids(4)

    init() throws {
        self.directory = try TemporaryDirectory()
        let store = try LogStore(path: self.directory.database, durability: .relaxed)
        _ = try store.begin(session: Samples.ulid(), atMilliseconds: Samples.now)
        let tools = Array(
            #"[{"name":"größe","description":"Measures.","input_schema":{"type":"object","properties":{}}},{"name":"g"}]"#
                .utf8)
        try store.commit(
            Samples.prompt(self.requests[0]) {
                $0.prompt = Array(#""What is this?""#.utf8)
                $0.attachments = Array(
                    #"""
                    [{"content":"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"},{"type":"text/plain","content":"R0lGODlh"},
                    {"type":"image/png","url":"https://example.org/é.png"},{"url":"https://example.org/unknown"},
                    {"content":"R0lGODlh"},{"content":""},{"content":"AAEC"}]
                    """#.utf8)
                $0.schema = Array(#"{"type":"object","properties":{"é":{"type":"string"}}}"#.utf8)
            },
            Samples.end(self.requests[0], output: [.text(#"{"é": "a picture"}"#)], resolvedModel: "echo-2026-01"),
            Samples.prompt(self.requests[1]) {
                $0.prompt = Array(#""How large?""#.utf8)
                $0.tools = tools
            },
            Samples.end(
                self.requests[1],
                output: [
                    .reasoning("I should measure."),
                    .metadata(PartMetadata(.reasoning, try JSONValue(parsing: #"{"p":{"signature":"é==","n":1e5}}"#))),
                    .toolCall(ToolCall(id: "c1", name: "größe", arguments: Array(#"{"b":1.0,"a":[]}"#.utf8))),
                    .toolCall(ToolCall(id: "c2", name: "g", arguments: Array("{}".utf8))),
                    .metadata(PartMetadata(.reasoning, nil, isRedacted: true)),
                    .metadata(PartMetadata(.message, try JSONValue(parsing: #"{"p":{"id":"m1"}}"#))),
                ]))
        let tip = try LogFile(self.directory.database)
            .texts("SELECT tip_message_hash FROM threads WHERE id = '\(self.requests[1])'").first
        try store.commit(
            Samples.prompt(self.requests[2], conversation: self.requests[1], parent: tip) {
                $0.tools = tools
                $0.toolResults = Array(
                    #"""
                    [{"name":"größe","output":"5 m","tool_call_id":"c1",
                      "attachments":[{"content":"R0lGODlh"},{"type":"text/plain","content":"R0lGODlh"}]},
                     {"name":"g","output":"Error: no","tool_call_id":"c2","exception":"ValueError: no"}]
                    """#.utf8)
            },
            Samples.end(self.requests[2], output: [.text("Five metres.")]),
            Samples.prompt(self.requests[3]) {
                $0.messages = Array(
                    #"""
                    [{"role":"system","parts":[{"type":"text","text":"Be brief."}]},
                     {"role":"user","parts":[{"type":"text","text":"News?"}]},{"role":"assistant","parts":[]},
                     {"role":"assistant","parts":[{"type":"text","text":"","provider_metadata":{"p":{"t":"x"}}}]}]
                    """#.utf8)
                $0.prompt = Array(#""And now?""#.utf8)
            },
            Samples.end(
                self.requests[3],
                output: [
                    .toolCall(
                        ToolCall(id: "s1", name: "search", arguments: Array(#"{"q":1}"#.utf8), isServerExecuted: true)),
                    .toolResult(
                        ToolResult(name: "search", output: "[]", toolCallID: "s1", isServerExecuted: true)),
                    .text("None."),
                ]))
        store.close()
    }

    private func python(_ script: String) throws -> String {
        let run = try LLM.python(script, self.directory.database, in: self.directory)
        #expect(run.status == 0, "\(run.errors)")
        return run.output
    }

    @Test func llmVerifiesEveryHashAndEveryKeyLeadsSomewhere() throws {
        let output = try self.python(
            """
            import sys, sqlite_utils
            from llm.logs import LogStore
            store = LogStore(sqlite_utils.Database(sys.argv[1]))
            print(store.verify(), store.db["messages"].count)
            """)
        #expect(output == "[] 12\n")
        #expect(try LogFile(self.directory.database).isIntact)
    }

    /// llm stores the same messages in a file of its own, and comes to the same hashes.
    @Test func theHashesAreThoseThatLLMGives() throws {
        let output = try self.python(
            """
            import base64, sys, llm, sqlite_utils
            from llm.logs import LogStore
            from llm.parts import *
            gif = llm.Attachment(content=base64.b64decode("R0lGODlh"))
            text = llm.Attachment(content=base64.b64decode("R0lGODlh"), type="text/plain")
            png = llm.Attachment(content=base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"))
            link = llm.Attachment(url="https://example.org/\\u00e9.png", type="image/png")
            unknown = llm.Attachment(url="https://example.org/unknown", type="application/octet-stream")
            empty = llm.Attachment(content=b"", type="application/octet-stream")
            other = llm.Attachment(content=b"\\0\\1\\2", type="application/octet-stream")
            store = LogStore(sqlite_utils.Database(memory=True))
            print(store.ensure_chain([
                Message("user", [TextPart("What is this?")]
                    + [AttachmentPart(a) for a in (png, text, link, unknown, gif, empty, other)]),
                Message("assistant", [TextPart('{"\\u00e9": "a picture"}')])]))
            print(store.ensure_chain([
                Message("user", [TextPart("How large?")]),
                Message("assistant", [
                    ReasoningPart("", redacted=True),
                    ReasoningPart("I should measure.", provider_metadata={"p": {"signature": "\\u00e9==", "n": 1e5}}),
                    ToolCallPart("gr\\u00f6\\u00dfe", {"b": 1.0, "a": []}, "c1"), ToolCallPart("g", {}, "c2"),
                ], {"p": {"id": "m1"}}),
                Message("tool", [
                    ToolResultPart("gr\\u00f6\\u00dfe", "5 m", "c1", attachments=[gif, text]),
                    ToolResultPart("g", "Error: no", "c2", exception="ValueError: no")]),
                Message("assistant", [TextPart("Five metres.")])]))
            print(store.ensure_chain([
                Message("system", [TextPart("Be brief.")]), Message("user", [TextPart("News?")]), Message("assistant", []),
                Message("assistant", [TextPart("", provider_metadata={"p": {"t": "x"}})]),
                Message("user", [TextPart("And now?")]),
                Message("assistant", [
                    ToolCallPart("search", {"q": 1}, "s1", True), ToolResultPart("search", "[]", "s1", True),
                    TextPart("None.")])]))
            """)
        let tips = try LogFile(self.directory.database).texts("SELECT tip_message_hash FROM threads ORDER BY id")
        #expect(output.split(separator: "\n").map(String.init) == tips)
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
        for text in [
            "What is this?", "a picture", "image/png", "https://example.org/unknown", "größe", "5 m", "ValueError: no",
            "Five metres.", "search", "None.", "And now?", "I should measure.",
        ] { #expect(listing.contains(text), "\(text)") }
        let short = try self.logs("-s", "-n", "0")
        for conversation in [0, 1, 3] { #expect(short.contains(self.requests[conversation].description)) }
        let measured = try self.logs("-T", "größe")
        #expect(measured.contains("Five metres.") && !measured.contains("a picture"))
        let schema = try LogFile(self.directory.database).texts("SELECT id FROM schemas").first
        let picture = try self.logs("--schema", try #require(schema))
        #expect(picture.contains("a picture") && !picture.contains("Five metres."))
        let data = try self.logs("--schema", try #require(schema), "--data")
        #expect(try JSONValue(parsing: data)["é"]?.string == "a picture")
        #expect(try self.logs("-m", "echo-2026-01").contains("a picture"))
        #expect(try self.logs("-q", "metres").contains("Five metres."))
    }

    @Test func theRowsAsJSONAreWhatWasStored() throws {
        let rows = try #require(try JSONValue(parsing: try self.logs("-n", "0", "--json")).array)
        #expect(rows.map { $0["id"]?.string } == self.requests.map(\.description))
        let attachments = try #require(rows[0]["attachments"]?.array)
        #expect(
            attachments.map { $0["type"]?.string } == [
                "image/png", "text/plain", "image/png", "application/octet-stream", "image/gif",
                "application/octet-stream", "application/octet-stream",
            ])
        #expect(rows[0]["resolved_model"]?.string == "echo-2026-01")
        #expect(rows[0]["schema_json"]?["properties"]?["é"]?["type"]?.string == "string")
        #expect(rows[1]["tools"]?.array?.map { $0["name"]?.string } == ["größe", "g"])
        #expect(rows[1]["tool_calls"]?.array?.map { $0["tool_call_id"]?.string } == ["c1", "c2"])
        #expect(rows[1]["reasoning"]?.string == "I should measure.")
        let results = try #require(rows[2]["tool_results"]?.array)
        #expect(results.map { $0["output"]?.string } == ["5 m", "Error: no"])
        #expect(results[0]["attachments"]?.array?.map { $0["type"]?.string } == ["image/gif", "text/plain"])
        #expect(results[1]["exception"]?.string == "ValueError: no")
        #expect(rows[2]["prompt"]?.string == "")
        #expect(rows[3]["tool_results"]?[0]?["server_executed"]?.bool == true)
        #expect(rows[3]["system"]?.string == "Be brief.")
    }

    /// What llm would go on with is what our reader gives, but for what it says where nobody named a type.
    @Test func aHistoryIsWhatLLMWouldSend() throws {
        let theirs = try JSONValue(
            parsing: try self.python(
                """
                import json, sys, sqlite_utils
                from llm.logs import LogStore
                store = LogStore(sqlite_utils.Database(sys.argv[1]))
                ids = [row["id"] for row in store.db.query("select id from threads order by id")]
                print(json.dumps([[m.to_dict() for m in store.thread_messages(id)] for id in ids]))
                """))
        let reader = try LogReader(path: self.directory.database)
        defer { reader.close() }
        for (index, request) in [self.requests[0], self.requests[1], self.requests[3]].enumerated() {
            let query = ReaderQuery(number: 1, uid: 1000, .history(conversation: request.description))
            guard case .history(_, let history) = reader.answer(query) else {
                Issue.record("there is no history of \(request)")
                continue
            }
            let ours = try ModelMessage.list(try JSONValue(parsing: history.messages))
            let expected = String(decoding: (theirs[index] ?? .null).serialized(), as: UTF8.self)
                .replacing(#""type":"application/octet-stream","#, with: "")
                .replacing(#""type":"application/octet-stream"}"#, with: #""content":""}"#)
            #expect(ours == (try ModelMessage.list(try JSONValue(parsing: expected))))
        }
    }
}
