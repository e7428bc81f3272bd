import GRDB
import JSON
import LogStore
import Messages
import Testing

/// What of prompts and answers is in which tables.
@Suite struct PromptRecordTests {
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

    /// What the turn of the request was given and what came of it, as texts.
    private func turn(_ request: ULID) throws -> (input: [String], whole: [String]) {
        let turn = try self.row("turns", request)
        return (try self.file.chain(turn["parent_message_hash"]), try self.file.chain(turn["tip_message_hash"]))
    }

    @Test func aWholeAnswerIsAThreadATurnAndItsMessages() throws {
        let request = Samples.ulid()
        try self.store.commit(
            Samples.prompt(
                request, "Who  wrote\nEmma, and when was it published?", system: "Be brief.",
                options: #"{"temperature":0.50,"seed":null}"#))
        #expect(try self.file.integer("SELECT count(*) FROM turns") == 0)
        let usage = Usage(input: 12, output: 7, details: Array(#"{"cached":4}"#.utf8))
        try self.store.commit(Samples.end(request, usage: usage, output: [.text("Jane Austen, "), .text("1815.")]))

        let (input, whole) = try self.turn(request)
        #expect(input == ["system: text Be brief.", "user: text Who  wrote\nEmma, and when was it published?"])
        #expect(whole == input + ["assistant: text Jane Austen, 1815."])
        let turn = try self.row("turns", request)
        #expect(turn["thread_id"] == request.description)
        #expect(turn["model"] == "echo")
        #expect(turn["options_json"] == #"{"temperature": 0.5}"#)
        #expect(turn["input_tokens"] == 12)
        #expect(turn["output_tokens"] == 7)
        #expect(turn["token_details"] == #"{"cached": 4}"#)
        #expect(turn["duration_ms"] == 900)
        #expect(turn["datetime_utc"] == "2026-09-21T14:13:20+00:00")
        for column in ["resolved_model", "schema_id", "response_json"] { #expect(turn[column] == nil) }
        let thread = try self.row("threads", request)
        #expect(thread["name"] == "Who wrote Emma, and when was it…")
        #expect(thread["tip_message_hash"] == turn["tip_message_hash"] as String?)
        #expect(thread["datetime_utc"] == "2026-09-21 14:13:20.900000+00:00")
        let row = try self.row("requests", request)
        #expect(row["turn"] == request.description)
        #expect(row["conversation"] == request.description)
        #expect(row["parent_message_hash"] == turn["parent_message_hash"] as String?)
        #expect(row["options_json"] == turn["options_json"] as String?)
        let search = try #require(try self.file.rows("SELECT * FROM turn_search").first)
        #expect(search["prompt"] == "Who  wrote\nEmma, and when was it published?")
        #expect(search["response"] == "Jane Austen, 1815.")
        #expect(try self.file.isIntact)
    }

    @Test(arguments: EndRecord.State.allCases.filter { $0 != .lost && $0 != .done })
    func whatWasDeliveredBeforeAFailureIsATurnThatTheThreadDoesNotContinueFrom(state: EndRecord.State) throws {
        let requests = Samples.ulids(2)
        try self.store.commit(
            Samples.prompt(requests[0], "first"),
            Samples.end(requests[0], state, usage: nil, output: [.text("half an")]))
        #expect(try self.turn(requests[0]).whole == ["user: text first", "assistant: text half an"])
        #expect(try self.row("threads", requests[0])["tip_message_hash"] == nil)

        try self.store.commit(
            Samples.prompt(requests[1], "again", conversation: requests[0]),
            Samples.end(requests[1], output: [.text("whole")]))
        #expect(try self.turn(requests[1]).whole == ["user: text again", "assistant: text whole"])
        let turn = try self.row("turns", requests[1])
        #expect(
            try self.row("threads", requests[0])["tip_message_hash"] == turn["tip_message_hash"] as String?)
        #expect(try self.file.integer("SELECT count(*) FROM threads") == 1)
        #expect(try self.file.isIntact)
    }

    @Test(arguments: [nil, [SlotEvent.text("")]])
    func aFailureThatDeliveredNothingKeepsThePrompt(output: [SlotEvent]?) throws {
        let request = Samples.ulid()
        try self.store.commit(Samples.prompt(request, "why?"), Samples.end(request, .error, usage: nil, output: output))
        #expect(try self.file.integer("SELECT count(*) FROM turns") == 0)
        #expect(try self.file.integer("SELECT count(*) FROM threads") == 0)
        let row = try self.row("requests", request)
        #expect(row["turn"] == nil)
        #expect(try self.file.chain(row["parent_message_hash"]) == ["user: text why?"])
    }

    @Test func aConversationGoesOnFromItsTip() throws {
        let requests = Samples.ulids(3)
        try self.store.commit(Samples.prompt(requests[0], "one"), Samples.end(requests[0], output: [.text("1")]))
        let tip = try self.row("threads", requests[0])["tip_message_hash"] as String?
        try self.store.commit(
            Samples.prompt(requests[1], "two", system: "left out", conversation: requests[0], parent: tip),
            Samples.output(requests[1], .text("2")), Samples.end(requests[1], .cancelled, output: []))
        #expect(try self.row("threads", requests[0])["tip_message_hash"] as String? == tip)
        try self.store.commit(
            Samples.prompt(requests[2], "two again", conversation: requests[0], parent: tip),
            Samples.end(requests[2], output: [.text("2!")]))
        #expect(
            try self.turn(requests[2]).whole
                == ["user: text one", "assistant: text 1", "user: text two again", "assistant: text 2!"])
        #expect(try self.file.integer("SELECT count(*) FROM threads") == 1)
        #expect(try self.file.isIntact)
    }

    @Test func aParentThatIsNotInTheFileIsNone() throws {
        let request = Samples.ulid()
        try self.store.commit(
            Samples.prompt(request, "one", system: "s", parent: "b2:" + String(repeating: "0", count: 32)),
            Samples.end(request, output: [.text("1")]))
        #expect(try self.turn(request).whole == ["system: text s", "user: text one", "assistant: text 1"])
        #expect(try self.file.isIntact)
    }

    @Test func equalBeginningsShareTheirMessages() throws {
        let requests = Samples.ulids(3)
        for request in requests {
            try self.store.commit(
                Samples.prompt(request, "same", system: "s"), Samples.end(request, output: [.text("answer")]))
        }
        #expect(try self.file.integer("SELECT count(*) FROM messages") == 3)
        #expect(try self.file.integer("SELECT count(*) FROM parts") == 3)
        #expect(try self.file.integer("SELECT count(*) FROM turns") == 3)
        #expect(try self.file.integer("SELECT count(*) FROM turn_search") == 3)
    }

    @Test func aTextWithNULIsWhole() throws {
        let request = Samples.ulid()
        let (question, answer) = ("before\0after", "\0\0 é")
        try self.store.commit(Samples.prompt(request, question))
        try self.store.commit(Samples.output(request, .text(answer)))
        try self.store.commit(Samples.end(request, output: [.text("\0.")]))
        #expect(
            try self.file.texts("SELECT hex(text) FROM parts ORDER BY id")
                == [question, answer + "\0."].map { text in
                    text.utf8.map { "\($0 < 16 ? "0" : "")" + String($0, radix: 16, uppercase: true) }.joined()
                })
        #expect(try self.file.integer("SELECT count(*) FROM turn_search_fts WHERE turn_search_fts MATCH 'after'") == 1)
    }

    @Test(arguments: [nil, ""])
    func anEmptyPromptIsNoMessageAsInLLM(prompt: String?) throws {
        let requests = Samples.ulids(2)
        try self.store.commit(
            Samples.prompt(requests[0], prompt, system: "only a system"),
            Samples.end(requests[0], output: [.text("a")]),
            Samples.prompt(requests[1], prompt), Samples.end(requests[1], output: [.text("b")]))
        #expect(try self.turn(requests[0]).whole == ["system: text only a system", "assistant: text a"])
        #expect(try self.row("threads", requests[0])["name"] == "only a system")
        #expect(try self.turn(requests[1]).whole == ["assistant: text b"])
        #expect(try self.row("threads", requests[1])["name"] == "")
        #expect(try self.file.texts("SELECT prompt FROM turn_search") == ["", ""])
        #expect(try self.file.isIntact)
    }

    @Test(arguments: [nil, [], [SlotEvent.text(""), .reasoning("")]])
    func anEmptyAnswerThatIsWholeIsATurnWithoutAMessage(output: [SlotEvent]?) throws {
        let requests = Samples.ulids(2)
        try self.store.commit(
            Samples.prompt(requests[0], "say nothing"), Samples.end(requests[0], output: output),
            Samples.prompt(requests[1], nil), Samples.end(requests[1], output: output))
        #expect(try self.turn(requests[0]).whole == ["user: text say nothing"])
        let turn = try self.row("turns", requests[1])
        #expect(turn["tip_message_hash"] == nil)
        #expect(try self.file.integer("SELECT count(*) FROM turn_search") == 1)
    }

    @Test func partsFollowEachOtherAsTheyWereSaid() throws {
        let request = Samples.ulid()
        let call = ToolCall(id: "call_1", name: "größe", arguments: Array(#"{"b":1.0,"a":"é"}"#.utf8))
        try self.store.commit(Samples.prompt(request, "p"))
        try self.store.commit(Samples.output(request, .reasoning("let "), .reasoning("me")))
        try self.store.commit(Samples.output(request, .reasoning(" see"), .text("so"), .toolCall(call)))
        #expect(try self.file.integer("SELECT count(*) FROM bulkhead_output") == 2)
        try self.store.commit(Samples.output(request, .text("a")), Samples.end(request, output: [.text("b")]))
        #expect(
            try self.turn(request).whole.last
                == #"assistant: reasoning let me see, text so, tool_call {"name": "gr\u00f6\u00dfe", "#
                + #""arguments": {"b": 1.0, "a": "\u00e9"}, "tool_call_id": "call_1"}, text ab"#)
        #expect(try self.file.texts("SELECT tool_name FROM parts WHERE tool_name IS NOT NULL") == ["größe"])
        #expect(try self.file.texts("SELECT response FROM turn_search") == ["soab"])
        #expect(try self.file.integer("SELECT count(*) FROM bulkhead_output") == 0)
    }

    @Test func whatPythonCannotReadIsKeptAsText() throws {
        let request = Samples.ulid()
        let number = String(repeating: "9", count: 5_000)
        let call = ToolCall(id: "c", name: "n", arguments: Array("{\"a\":[\(number)]}".utf8))
        try self.store.commit(
            Samples.prompt(request, "p", options: "{\"seed\":\(number)}"),
            Samples.end(request, output: [.toolCall(call)])
        )
        #expect(
            try self.file.texts("SELECT options_json FROM turns")
                == ["{\"_raw\": \"{\\\"seed\\\":\(number)}\"}"])
        #expect(try self.turn(request).whole.last?.contains(#""arguments": {"_raw": "{\"a\":[99"#) == true)
    }

    @Test func piecesThatNobodyTakesAreNamedAndTheRestIsCommitted() throws {
        let requests = Samples.ulids(3)
        let unmatched = try self.store.commit(
            Samples.open(requests[0]), Samples.output(requests[0], .text("not stored")),
            Samples.output(requests[1], .text("unknown")), Samples.prompt(requests[2], "p"))
        #expect(unmatched == [requests[0], requests[1]])
        let unreadable = EndRecord(
            request: requests[2], atMilliseconds: Samples.now, state: .done, durationMilliseconds: 1,
            output: Array(#"[{"event":"song"}]"#.utf8))
        #expect(try self.store.commit(.end(unreadable), Samples.end(requests[0])) == [requests[2]])
        #expect(try self.file.states() == ["done": 2])
        #expect(try self.row("requests", requests[0])["turn"] == nil)
        #expect(try self.turn(requests[2]).whole == ["user: text p"])
    }

    @Test func aSecondOpenOfAnIdStoresNothing() throws {
        let request = Samples.ulid()
        try self.store.commit(Samples.prompt(request, "first"))
        #expect(try self.store.commit(Samples.prompt(request, "second")) == [request])
        try self.store.commit(Samples.end(request, output: [.text("a")]))
        #expect(try self.file.integer("SELECT count(*) FROM messages") == 2)
        #expect(try self.turn(request).whole.first == "user: text first")
    }

    @Test func moreTurnsThanOneStatementTakesAreAllFound() throws {
        let requests = Samples.ulids(150)
        var batch = RecordBatch(after: 0)
        for (number, request) in requests.enumerated() {
            try batch.append(Samples.prompt(request, "number\(number)"), sequence: batch.lastSequence + 1)
            try batch.append(Samples.end(request, output: [.text("even")]), sequence: batch.lastSequence + 1)
        }
        #expect(try self.store.commit(batch) == [])
        for number in [0, 63, 64, 128, 149] {
            let found = try self.file.texts(
                "SELECT turn_id FROM turn_search WHERE id IN (SELECT rowid FROM turn_search_fts('number\(number)'))")
            #expect(found == [requests[number].description])
        }
        #expect(try self.file.isIntact)
    }
}
