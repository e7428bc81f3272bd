import Foundation
import GRDB
import JSON
import LogStore
import Messages
import Testing

/// What of a prompt's and an answer's parts is in which tables.
@Suite struct ContentRecordTests {
    let directory: TemporaryDirectory
    let store: LogStore
    let file: LogFile

    init() throws {
        self.directory = try TemporaryDirectory()
        self.store = try LogStore(path: self.directory.database, durability: .relaxed)
        _ = try self.store.begin(session: Samples.ulid(), atMilliseconds: Samples.now)
        self.file = try LogFile(self.directory.database)
    }

    private func row(_ table: String, _ id: ULID) throws -> Row {
        try #require(try self.file.rows("SELECT * FROM \(table) WHERE id = '\(id)'").first)
    }

    private func whole(_ request: ULID) throws -> [String] {
        try self.file.chain(try self.row("turns", request)["tip_message_hash"])
    }

    /// Commits a request and its whole answer, and returns its id.
    @discardableResult
    private func exchange(
        _ output: [SlotEvent] = [.text("a")], parent: String? = nil, _ change: (inout PromptContent) -> Void
    ) throws -> ULID {
        let request = Samples.ulid()
        let unmatched = try self.store.commit(
            Samples.prompt(request, parent: parent, change), Samples.end(request, output: output))
        #expect(unmatched == [])
        #expect(try self.file.isIntact)
        return request
    }

    @Test func aPromptIsTheHistoryTheToolResultsAndTheUsersTextWithItsAttachments() throws {
        let request = try self.exchange {
            $0.messages = Array(
                #"""
                [{"role":"user","parts":[{"type":"text","text":"one"}]},
                 {"role":"assistant","parts":[{"type":"tool_call","name":"f","arguments":{"x":1.50},"tool_call_id":"t1"}],
                  "provider_metadata":{"p":{"id":"m1"}}}]
                """#.utf8)
            $0.system = Array(#""Be brief.""#.utf8)
            $0.toolResults = Array(
                #"[{"name":"f","output":"Error: x","tool_call_id":"t1","exception":"ValueError: x"}]"#.utf8)
            $0.prompt = Array(#""two""#.utf8)
            $0.attachments = Array(#"[{"type":"image/gif","content":"R0lGODlh"}]"#.utf8)
        }
        let attachment = try #require(try self.file.rows("SELECT * FROM attachments").first)
        #expect(
            try self.whole(request) == [
                "system: text Be brief.", "user: text one",
                #"assistant: tool_call {"name": "f", "arguments": {"x": 1.5}, "tool_call_id": "t1"}"#,
                #"tool: tool_result {"name": "f", "output": "Error: x", "tool_call_id": "t1", "exception": "ValueError: x"}"#,
                #"user: text two, attachment {"attachment": {"id": "\#(attachment["id"] as String)"}}"#,
                "assistant: text a",
            ])
        #expect(attachment["type"] == "image/gif")
        #expect(attachment["content"] == Data("GIF89a".utf8))
        #expect(
            try self.file.texts("SELECT provider_metadata FROM messages WHERE provider_metadata IS NOT NULL") == [
                #"{"p": {"id": "m1"}}"#
            ])
        let links = try self.file.rows(
            """
            SELECT type, attachment_id, "order" FROM part_attachments JOIN parts ON parts.id = part_attachments.part_id
            """)
        #expect(links.map { $0["type"] as String } == ["attachment"])
        #expect(links[0]["attachment_id"] == attachment["id"] as String?)
        #expect(try self.row("threads", request)["name"] == "two")
        #expect(try self.file.texts("SELECT prompt FROM turn_search") == ["two"])
    }

    @Test func aConversationThatIsSentAgainSharesItsRows() throws {
        var history: [String] = []
        for number in 1...5 {
            try self.exchange([.text("answer \(number)")]) {
                $0.messages = Array("[\(history.joined(separator: ","))]".utf8)
                $0.prompt = Array("\"question \(number)\"".utf8)
            }
            for (role, text) in [("user", "question"), ("assistant", "answer")] {
                history.append(#"{"role":"\#(role)","parts":[{"type":"text","text":"\#(text) \#(number)"}]}"#)
            }
        }
        #expect(try self.file.integer("SELECT count(*) FROM messages") == 10)
        #expect(try self.file.integer("SELECT count(*) FROM parts") == 10)
        #expect(try self.file.integer("SELECT count(*) FROM threads") == 5)
    }

    @Test func aHistoryWithoutAPromptIsThePromptAndOneWithASystemPromptKeepsItsOwn() throws {
        let request = try self.exchange {
            $0.system = Array(#""another""#.utf8)
            $0.messages = Array(
                #"""
                [{"role":"system","parts":[{"type":"text","text":"its own"}]},
                 {"role":"user","parts":[{"type":"text","text":"What is "},{"type":"text","text":"this?"}]}]
                """#.utf8)
        }
        #expect(
            try self.whole(request) == [
                "system: text its own", "user: text What is , text this?", "assistant: text a",
            ])
        #expect(try self.row("threads", request)["name"] == "What is this?")
        #expect(try self.file.texts("SELECT prompt FROM turn_search") == ["What is this?"])
    }

    @Test func theSameBytesOfAnotherTypeAreAnotherRow() throws {
        for type in [#""type":"image/png","#, #""type":"text/plain","#, "", #""type":"text/plain","#] {
            try self.exchange { $0.attachments = Array(#"[{\#(type)"content":"AP8Q"}]"#.utf8) }
        }
        let rows = try self.file.rows("SELECT id, type, hex(content) AS content FROM attachments ORDER BY rowid")
        #expect(rows.map { $0["type"] as String } == ["image/png", "text/plain", "application/octet-stream"])
        #expect(rows.allSatisfy { $0["content"] == "00FF10" })
        let id = rows[0]["id"] as String
        #expect(rows.map { $0["id"] as String } == [id, id + "-text/plain", id + "-application/octet-stream"])
        #expect(try self.file.integer("SELECT count(*) FROM part_attachments") == 3)
    }

    @Test func aFileThatLLMWasShownIsNotTakenForItsBytes() throws {
        try self.exchange { $0.attachments = Array(#"[{"type":"image/gif","content":"R0lGODlh"}]"#.utf8) }
        try self.file.queue.write { db in
            try db.execute(sql: "UPDATE attachments SET content = NULL, path = '/tmp/x.gif'")
        }
        try self.exchange {
            $0.prompt = Array(#""again""#.utf8)
            $0.attachments = Array(#"[{"type":"image/gif","content":"R0lGODlh"}]"#.utf8)
        }
        #expect(try self.file.integer("SELECT count(*) FROM attachments WHERE hex(content) = '474946383961'") == 1)
    }

    @Test func aToolResultHasItsAttachmentsInTheirOrder() throws {
        let request = try self.exchange {
            $0.toolResults = Array(
                #"""
                [{"name":"f","output":"o","attachments":[{"type":"image/png","url":"https://example.org/x.png"},
                {"content":"R0lGODlh"},{"url":"https://example.org/y"}]}]
                """#.utf8)
        }
        let ids = try self.file.texts("SELECT attachment_id FROM part_attachments ORDER BY \"order\"")
        #expect(
            try self.whole(request).first
                == #"tool: tool_result {"name": "f", "output": "o", "attachments": [{"id": "\#(ids[0])"}, "#
                + #"{"id": "\#(ids[1])"}, {"id": "\#(ids[2])"}]}"#)
        let types = try self.file.texts(
            """
            SELECT type || coalesce(' ' || url, '') FROM attachments JOIN part_attachments ON attachment_id = id
            ORDER BY "order"
            """)
        #expect(
            types == [
                "image/png https://example.org/x.png", "image/gif", "application/octet-stream https://example.org/y",
            ])
    }

    @Test func schemaToolsAndResolvedModelBelongToTheTurn() throws {
        let request = Samples.ulid()
        let tools = #"[{"name":"f","description":"d","input_schema":{"type":"object"}},{"name":"g"}]"#
        func change(_ content: inout PromptContent) {
            content.schema = Array(#"{"type":"object","properties":{"größe":{"type":"number"}}}"#.utf8)
            content.tools = Array(tools.utf8)
        }
        try self.store.commit(Samples.prompt(request, change))
        #expect(try self.file.integer("SELECT count(*) FROM turn_tools") == 0)
        try self.store.commit(Samples.end(request, output: [.text("{}")], resolvedModel: "echo-2026"))
        try self.exchange { change(&$0) }
        let turn = try self.row("turns", request)
        #expect(turn["schema_id"] == "3b16404d6ab1bed1688dbe56793e4657")
        #expect(turn["resolved_model"] == "echo-2026")
        #expect(try self.row("requests", request)["resolved_model"] == "echo-2026")
        #expect(
            try self.file.texts("SELECT content FROM schemas")
                == [#"{"type":"object","properties":{"gr\u00f6\u00dfe":{"type":"number"}}}"#])
        #expect(
            try self.file.texts("SELECT name || coalesce(description, '') || input_schema FROM tools ORDER BY id")
                == [#"fd{"type": "object"}"#, "g{}"])
        #expect(
            try self.file.texts(
                "SELECT name FROM turn_tools JOIN tools ON id = tool_id WHERE turn_id = '\(request)' ORDER BY id")
                == ["f", "g"])
        #expect(try self.file.integer("SELECT count(*) FROM turn_tools") == 4)
        #expect(try self.file.isIntact)
    }

    @Test func anEmptySchemaAndNoToolsAreNone() throws {
        let request = try self.exchange {
            $0.prompt = Array(#""p""#.utf8)
            $0.schema = Array("{}".utf8)
            $0.tools = Array("[]".utf8)
        }
        let row = try self.row("requests", request)
        #expect(row["schema_id"] == nil)
        #expect(row["tool_ids"] == nil)
        #expect(try self.file.integer("SELECT count(*) FROM schemas") == 0)
    }

    @Test func metadataBelongsToThePartBeforeIt() throws {
        func metadata(_ target: PartMetadata.Target, _ json: String, isRedacted: Bool = false) -> SlotEvent {
            .metadata(PartMetadata(target, try? JSONValue(parsing: json), isRedacted: isRedacted))
        }
        let call = ToolCall(id: "s1", name: "search", arguments: Array("{}".utf8), isServerExecuted: true)
        let request = try self.exchange([
            .reasoning("Hm"), .reasoning("m."), metadata(.reasoning, #"{"p":{"signature":"a"}}"#),
            metadata(.reasoning, #"{"p":{"signature":"b"},"q":{}}"#),
            .text("So"), metadata(.text, #"{"p":1}"#), .text("on"),
            .toolCall(call),
            .toolResult(ToolResult(name: "search", output: "[]", toolCallID: "s1", isServerExecuted: true)),
            metadata(.toolCall, #"{"p":2}"#), metadata(.message, #"{"p":{"id":"m"}}"#),
            metadata(.reasoning, #"{"p":{"data":"x"}}"#, isRedacted: true),
            metadata(.reasoning, #"{"p":{"data":"y"}}"#, isRedacted: true),
            metadata(.text, #"{"p":{"thought":"z"}}"#), metadata(.message, #"{"q":3}"#),
        ]) { _ in }
        let parts = try self.file.rows("SELECT type, text, payload FROM parts ORDER BY position").map { row in
            "\(row["type"] as String) \(row["text"] as String? ?? "-") \(row["payload"] as String? ?? "-")"
        }
        #expect(
            parts == [
                #"reasoning Hmm. {"provider_metadata": {"p": {"signature": "b"}, "q": {}}}"#,
                #"text So {"provider_metadata": {"p": 1}}"#,
                "text on -",
                #"tool_call - {"name": "search", "arguments": {}, "tool_call_id": "s1", "server_executed": true, "#
                    + #""provider_metadata": {"p": 2}}"#,
                #"tool_result - {"name": "search", "output": "[]", "tool_call_id": "s1", "server_executed": true}"#,
                #"reasoning  {"redacted": true, "provider_metadata": {"p": {"data": "x"}}}"#,
                #"reasoning  {"redacted": true, "provider_metadata": {"p": {"data": "y"}}}"#,
                #"text  {"provider_metadata": {"p": {"thought": "z"}}}"#,
            ])
        #expect(
            try self.file.texts("SELECT provider_metadata FROM messages") == [#"{"p": {"id": "m"}, "q": 3}"#])
        #expect(try self.file.texts("SELECT response FROM turn_search") == ["Soon"])
        #expect(try self.row("turns", request)["parent_message_hash"] == nil)
    }

    @Test func contentThatCannotBeReadIsLeftOutAndNamed() throws {
        let request = Samples.ulid()
        let unmatched = try self.store.commit(
            Samples.prompt(request) {
                $0.prompt = Array(#""p""#.utf8)
                $0.messages = Array(#"[{"role":"robot","parts":[]}]"#.utf8)
            }, Samples.end(request, output: [.text("a")]))
        #expect(unmatched == [request])
        #expect(try self.whole(request) == ["user: text p", "assistant: text a"])
    }

    @Test func aLostRequestKeepsItsDefinitions() throws {
        let request = Samples.ulid()
        try self.store.commit(
            Samples.prompt(request) {
                $0.prompt = Array(#""p""#.utf8)
                $0.schema = Array(#"{"type":"object"}"#.utf8)
                $0.tools = Array(#"[{"name":"g"}]"#.utf8)
            }, Samples.output(request, .text("half")))
        _ = try self.store.begin(session: Samples.ulid(), atMilliseconds: Samples.now)
        #expect(try self.row("turns", request)["schema_id"] != nil)
        #expect(try self.file.integer("SELECT count(*) FROM turn_tools WHERE turn_id = '\(request)'") == 1)
    }
}
