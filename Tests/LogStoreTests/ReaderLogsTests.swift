import GRDB
import JSON
import LogStore
import Messages
import Testing

/// The pages of what was asked and answered.
@Suite struct ReaderLogsTests {
    let file: RecordedFile

    init() throws { self.file = try RecordedFile() }

    @Test func aRowSaysWhatWasAskedAndAnswered() throws {
        let first = try self.file.exchange(
            "Name a ship.", "Endurance", system: "One word.", options: #"{"temperature":0.20}"#,
            usage: Usage(input: 12, output: 7))
        let second = try self.file.open("Look it up.", in: first.conversation)
        try self.file.end(
            second, .cancelled,
            events: """
                [{"event":"reasoning","text":"Hm."},{"event":"text","text":"I "},{"event":"text","text":"will."},
                {"event":"tool_call","tool_call_id":"call_7","name":"look_up","arguments":{"a":1}}]
                """, failure: Failure(.cancelled, "the client asked for it"))
        let page = try self.file.logs(uid: 1000)
        #expect(page.next == nil)
        #expect(
            page.rows.map { $0.text() } == [
                """
                {"id":"\(second.id)","state":"cancelled","uid":1000,"provider":"local","model":"qwen3",\
                "started_at_ms":\(Samples.now + 2),"duration_ms":7,"conversation":"\(first.id)",\
                "conversation_name":"Name a ship.","system":"One word.","prompt":"Look it up.","response":"I will.",\
                "reasoning":"Hm.",\
                "tool_calls":[{"tool_call_id":"call_7","name":"look_up","arguments":{"a":1}}],\
                "error":{"code":"cancelled","message":"the client asked for it"}}
                """,
                """
                {"id":"\(first.id)","state":"done","uid":1000,"provider":"local","model":"qwen3",\
                "started_at_ms":\(Samples.now + 1),"duration_ms":7,"conversation":"\(first.id)",\
                "conversation_name":"Name a ship.","system":"One word.","prompt":"Name a ship.",\
                "options":{"temperature":0.2},"response":"Endurance","usage":{"input":12,"output":7},\
                "finish_reason":"stop"}
                """,
            ])
    }

    @Test func aRowSaysWhatCameWithThePromptAndWhatCameOfTools() throws {
        let id = self.file.ulid()
        let call = ToolCall(id: "s", name: "search", arguments: Array("{}".utf8), isServerExecuted: true)
        let asked = Samples.prompt(id) {
            $0.prompt = Array(#""p""#.utf8)
            $0.attachments = Array(#"[{"content":"R0lGODlh"},{"type":"image/png","url":"https://example.org/x"}]"#.utf8)
            $0.schema = Array(#"{"type":"object"}"#.utf8)
            $0.toolResults = Array(
                #"[{"name":"f","output":"o","tool_call_id":"t","exception":"E: x","attachments":[{"url":"u"}]}]"#.utf8)
        }
        let result = ToolResult(name: "search", output: "[]", toolCallID: "s", isServerExecuted: true)
        try self.file.store.commit(asked, Samples.output(id, .toolCall(call), .toolResult(result)))
        let open = try #require(try self.file.logs().rows.first)
        try self.file.store.commit(Samples.end(id, output: []))
        let row = try #require(try self.file.logs().rows.first)
        let link = try self.file.sql { db in
            try String.fetchOne(db, sql: "SELECT id FROM attachments WHERE url = 'https://example.org/x'")
        }
        for row in [open, row] {
            #expect(row["attachments"]?.array?.count == 2)
            #expect(row["attachments"]?[0]?["type"]?.string == "image/gif")
            #expect(
                row["attachments"]?[1]?.text()
                    == #"{"id":"\#(link ?? "")","type":"image/png","url":"https://example.org/x"}"#)
            #expect(row["schema"]?.text() == #"{"type":"object"}"#)
            #expect(
                row["tool_calls"]?.text()
                    == #"[{"tool_call_id":"s","name":"search","arguments":{},"server_executed":true}]"#)
            #expect(
                row["tool_results"]?.text()
                    == #"[{"name":"f","output":"o","tool_call_id":"t","exception":"E: x"},"#
                    + #"{"name":"search","output":"[]","tool_call_id":"s","server_executed":true}]"#)
            #expect(row["truncated"] == nil)
        }
    }

    @Test func aResultThatIsTooLongIsLeftOut() throws {
        let id = self.file.ulid()
        let long = String(repeating: "x", count: 300_000)
        try self.file.store.commit(
            Samples.prompt(id) {
                $0.toolResults = Array(#"[{"name":"f","output":"\#(long)"},{"name":"g","output":"o"}]"#.utf8)
            })
        let row = try #require(try self.file.logs().rows.first)
        #expect(row["tool_results"]?.text() == #"[{"name":"g","output":"o"}]"#)
        #expect(row["truncated"]?.bool == true)
    }

    @Test func whatIsOpenShowsWhatWasDelivered() throws {
        let silent = try self.file.open("one")
        let talking = try self.file.open("two")
        try self.file.deliver(RecordedFile.said("Once "), of: talking)
        try self.file.deliver(RecordedFile.said("upon"), of: talking)
        let rows = try self.file.logs().rows
        #expect(rows.map { $0["id"]?.string } == [talking.id.description, silent.id.description])
        #expect(rows.map { $0["state"]?.string } == ["open", "open"])
        #expect(rows.map { $0["response"]?.string } == ["Once upon", ""])
        #expect(rows.allSatisfy { $0["duration_ms"] == nil && $0["conversation_name"] == nil })
    }

    @Test func whatFailedWithoutAWordIsThereAndWhatWasNotStoredIsNot() throws {
        let failed = try self.file.open("one")
        try self.file.end(failed, .error, failure: Failure(.providerError, "500"))
        let unstored = try self.file.open("two", storesPrompt: false)
        try self.file.end(unstored)
        let rows = try self.file.logs().rows
        #expect(rows.map { $0["prompt"]?.string } == ["one"])
        #expect(rows[0]["response"]?.string == "")
        #expect(rows[0]["error"]?["code"]?.string == "provider_error")
    }

    @Test func aUserSeesTheirOwnAndAnAdministratorEverything() throws {
        let mine = try self.file.exchange("mine", "yes")
        let yours = try self.file.exchange("yours", "yes", uid: 1001)
        let tip = try #require(try self.file.tip(of: mine.conversation))
        try self.file.execute(
            """
            INSERT INTO turns (id, thread_id, parent_message_hash, tip_message_hash, model, input_tokens, token_details,
                duration_ms, datetime_utc)
            VALUES ('00000000000000000000000000', ?, ?, ?, 'gpt-4o', 5, '{"cached": 1}', 9,
                '2025-11-20T23:04:05.123456+00:00')
            """, [mine.conversation, mine.hash, tip])
        #expect(try self.file.logs(uid: 1000).ids == [mine.id.description])
        #expect(try self.file.logs(uid: 1001).ids == [yours.id.description])
        #expect(try self.file.logs(uid: 0).ids == [])
        let all = try self.file.logs().rows
        #expect(
            all.map { $0["id"]?.string } == [
                yours.id.description, mine.id.description, "00000000000000000000000000",
            ])
        #expect(
            all[2].text() == """
                {"id":"00000000000000000000000000","model":"gpt-4o","started_at_ms":1763679845123,"duration_ms":9,\
                "conversation":"\(mine.id)","conversation_name":"mine","prompt":"mine","response":"yes",\
                "usage":{"input":5,"details":{"cached":1}}}
                """)
        #expect(try self.file.logs { $0.model = "gpt-4o" }.ids == ["00000000000000000000000000"])
        #expect(try self.file.logs { $0.conversation = mine.conversation }.rows.count == 2)
        #expect(try self.file.logs(uid: 1000) { $0.conversation = mine.conversation }.rows.count == 1)
        #expect(try self.file.logs(uid: 1001) { $0.conversation = mine.conversation }.rows.isEmpty)
    }

    @Test func conversationAndModelChoose() throws {
        let first = try self.file.exchange("one", "1")
        let other = try self.file.exchange("other", "-", model: "gpt-4o-mini")
        let second = try self.file.exchange("two", "2", in: first.conversation, model: "gpt-4o-mini")
        let third = try self.file.open("three", in: first.conversation)
        let names = [third, second, first].map(\.id.description)
        for uid in [nil, 1000] {
            #expect(try self.file.logs(uid: uid) { $0.conversation = first.conversation }.ids == names)
            #expect(
                try self.file.logs(uid: uid) { $0.model = "gpt-4o-mini" }.ids
                    == [second, other].map(\.id.description))
            let page = try self.file.logs(uid: uid) {
                $0.conversation = first.conversation
                $0.limit = 1
                $0.before = names[0]
            }
            #expect(page.ids == [names[1]] && page.next == names[1])
            #expect(
                try self.file.logs(uid: uid) {
                    $0.conversation = first.conversation
                    $0.before = names[1]
                }.ids == [names[2]])
        }
        // The name of another turn is no conversation.
        #expect(try self.file.logs { $0.conversation = second.id.description }.ids == [])
    }

    @Test func aSearchFindsTurnsNewestFirst() throws {
        let ship = try self.file.exchange("Name a ship.", "Endurance")
        let bird = try self.file.exchange("Name a bird.", "A pelican, or a ship's cat", model: "gpt-4o-mini")
        let later = try self.file.open("a ship", uid: 1001)
        let last = try self.file.exchange("one more ship", "Fram", in: ship.conversation)
        try self.file.end(later, events: RecordedFile.said("ship ship ship"))
        func found(_ search: String, uid: Int? = nil, _ change: (inout LogsRequest) -> Void = { _ in }) throws
            -> [String]
        {
            try self.file.logs(uid: uid) {
                $0.search = search
                change(&$0)
            }.ids
        }
        let names = [last, later, bird, ship].map(\.id.description)
        #expect(try found("ship") == names)
        #expect(try found("ship", uid: 1000) == [names[0], names[2], names[3]])
        #expect(try found("ship", uid: 7) == [])
        #expect(try found("pelican OR fram") == [names[0], names[2]])
        #expect(try found("pel*") == [names[2]])
        #expect(try found(#""a ship""#) == [names[1], names[2], names[3]])
        #expect(try found("") == names)
        for uid in [nil, 1000] {
            #expect(try found("ship", uid: uid) { $0.model = "gpt-4o-mini" } == [names[2]])
            #expect(
                try found("ship", uid: uid) { $0.conversation = ship.conversation } == [names[0], names[3]])
        }
        let page = try self.file.logs {
            $0.search = "ship"
            $0.limit = 2
        }
        #expect(page.ids == Array(names[..<2]) && page.next == names[1])
        #expect(try found("ship") { $0.before = names[1] } == Array(names[2...]))
    }

    @Test(arguments: ["\"open", "AND", "foo:bar", "*", "(", "it's"])
    func aSearchThatCannotBeReadIsRefusedWithTheReason(search: String) throws {
        #expect {
            try self.file.logs { $0.search = search }
        } throws: { error in
            (error as? Failure)?.code == .invalidRequest && "\(error)".contains("the search cannot be read: ")
        }
    }

    @Test func aLongTextIsCutAtACharacter() throws {
        let text = "x" + String(repeating: "é", count: 200_000)
        try self.file.exchange("long", text)
        try self.file.exchange(text, "short", options: #"{"stop":"\#(text)"}"#)
        let rows = try self.file.logs().rows
        #expect(rows.allSatisfy { $0["truncated"]?.bool == true })
        let whole = 256 << 10
        #expect(rows[0]["prompt"]?.string == String(text.utf8.prefix(whole - 1)))
        #expect(rows[0]["options"] == nil && rows[0]["response"]?.string == "short")
        #expect(rows[1]["response"]?.string == String(text.utf8.prefix(whole - 1)))
        try self.file.exchange("exact", String(repeating: "y", count: whole))
        let row = try self.file.logs { $0.limit = 1 }.rows[0]
        #expect(row["truncated"] == nil && row["response"]?.string?.utf8.count == whole)
    }

    @Test func aPageEndsBeforeItHasTooManyBytes() throws {
        let text = String(repeating: "x", count: 250_000)
        for _ in 0..<5 { try self.file.exchange(text, text) }
        let first = try self.file.logs()
        #expect(first.rows.count == 2)
        let second = try self.file.logs { $0.before = first.next }
        let third = try self.file.logs { $0.before = second.next }
        #expect(second.rows.count == 2 && third.rows.count == 1 && third.next == nil)
        #expect(Set(first.ids + second.ids + third.ids).count == 5)
    }

    @Test func aRowOfManyValuesFitsAPage() throws {
        let numbers = Array(repeating: "0", count: 60_000).joined(separator: ",")
        for _ in 0..<4 {
            let prompt = try self.file.open("one", options: #"{"stop":[\#(numbers)]}"#)
            try self.file.end(
                prompt,
                events: #"[{"event":"tool_call","tool_call_id":"c","name":"f","arguments":{"a":[\#(numbers)]}}]"#)
        }
        var ids: [String] = []
        var before: String?
        repeat {
            let page = try self.file.logs { $0.before = before }
            ids += page.ids
            before = page.next
        } while before != nil
        #expect(ids.count == 4)
    }

    @Test func aBadRowHidesNoOthers() throws {
        let first = try self.file.exchange("one", "1")
        let bad = try self.file.exchange("two", "2")
        let worse = try self.file.exchange("three", "3", in: first.conversation)
        let last = try self.file.exchange("four", "4")
        try self.file.execute("DELETE FROM messages WHERE hash = ?", [bad.hash])
        try self.file.execute("UPDATE turns SET tip_message_hash = 'b2:gone' WHERE id = ?", [worse.id.description])
        let rows = try self.file.logs().rows
        #expect(rows.map { $0["id"]?.string } == [last, worse, bad, first].map(\.id.description))
        #expect(rows.map { $0["prompt"]?.string } == ["four", "three", "", "one"])
        #expect(rows.map { $0["response"]?.string } == ["4", "", "2", "1"])
        #expect(rows[1]["unreadable"]?.string == "the answer: message 'b2:gone' is missing")
        #expect(rows[2]["unreadable"]?.string?.hasPrefix("the prompt: message '\(bad.hash ?? "?")' is missing") == true)
        #expect(rows[0]["unreadable"] == nil && rows[3]["unreadable"] == nil)
    }

    @Test func aRowThatIsTooLargeToReadHidesNoOthers() throws {
        let first = try self.file.exchange("one", "1")
        let large = try self.file.exchange("two", "2")
        let odd = try self.file.exchange("three", "3")
        try self.file.execute(
            "UPDATE requests SET options_json = CAST(zeroblob(26000000) AS TEXT) WHERE id = ?",
            [large.id.description])
        try self.file.execute("UPDATE parts SET text = x'ff41', payload = 7 WHERE message_hash = ?", [odd.hash])
        let rows = try self.file.logs(uid: 1000).rows
        #expect(rows.map { $0["id"]?.string } == [odd, large, first].map(\.id.description))
        #expect(rows.map { $0["prompt"]?.string } == ["\u{FFFD}A", "", "one"])
        #expect(rows[1]["unreadable"]?.string?.contains("too big") == true)
    }

    @Test func aCircleEndsARow() throws {
        let first = try self.file.exchange("one", "1")
        let tip = try #require(try self.file.tip(of: first.conversation))
        try self.file.execute("UPDATE messages SET parent_hash = ?, role = 'user'", [tip])
        let row = try self.file.logs().rows[0]
        #expect(row["unreadable"]?.string?.contains("more than 1000 messages") == true)
    }

    @Test func anExpensiveQuestionIsEnded() throws {
        let file = try RecordedFile(patience: .zero)
        try file.execute(
            """
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
            INSERT INTO turn_search (turn_id, prompt, response) SELECT NULL, 'ship', '' FROM n
            """)
        #expect {
            try file.logs { $0.search = "ship" }
        } throws: { error in
            (error as? Failure)?.code == .invalidRequest && "\(error)".contains("took too long")
        }
        #expect(throws: Never.self) { try file.requests() }
    }

    @Test func whatIsWrongWithTheFileIsTheOperatorsToKnow() throws {
        var reports: [LogStoreError] = []
        let reader = try LogReader(path: self.file.directory.database) { reports.append($0) }
        try self.file.execute("ALTER TABLE threads RENAME TO elsewhere")
        for number in 1...3 {
            let query = ReaderQuery(number: number, uid: nil, .history(conversation: "c"))
            guard case .error(number, let failure) = reader.answer(query) else {
                throw LoggerProcess.Unexpected(description: "an answer")
            }
            #expect(failure.code == .logUnavailable)
            #expect(!failure.message.contains("/") && !failure.message.contains("threads"))
        }
        #expect(reports.map(\.description).joined().contains("logs.db cannot be read: no such table: "))
        #expect(reports.count == 1)
    }

    @Test func theReaderNeitherMakesNorChangesAFile() throws {
        let directory = try TemporaryDirectory()
        #expect { try LogReader(path: directory.database) } throws: { "\($0)".contains("unable to open") }
        let queue = try DatabaseQueue(path: directory.database)
        try queue.inDatabase { try $0.execute(sql: "CREATE TABLE requests (id TEXT)") }
        #expect { try LogReader(path: directory.database) } throws: { "\($0)".contains("lacks tables of the log") }
        #expect(try LogFile(directory.database).texts("SELECT name FROM sqlite_master") == ["requests"])
    }
}
