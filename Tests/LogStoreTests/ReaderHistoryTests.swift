import Foundation
import GRDB
import JSON
import LogStore
import Messages
import Testing

/// What a prompt that continues a conversation gets of it.
@Suite struct ReaderHistoryTests {
    let file: RecordedFile

    init() throws { self.file = try RecordedFile() }

    private func messages(_ history: ReaderReply.History) throws -> String {
        String(decoding: history.messages, as: UTF8.self)
    }

    @Test func itsMessagesComeOldestFirstAsTheyWere() throws {
        let first = try self.file.exchange("Name a ship.\u{0}é", "Endurance", system: "One word.")
        try self.file.exchange("Another.", "Fram", in: first.conversation, model: "gpt-4o-mini")
        let history = try self.file.history(first.conversation, uid: 1000)
        #expect(history.tip == (try self.file.tip(of: first.conversation)))
        #expect(history.model == "gpt-4o-mini")
        #expect(history.system == "One word.")
        #expect(
            try self.messages(history) == """
                [{"role":"system","parts":[{"type":"text","text":"One word."}]},\
                {"role":"user","parts":[{"type":"text","text":"Name a ship.\\u0000é"}]},\
                {"role":"assistant","parts":[{"type":"text","text":"Endurance"}]},\
                {"role":"user","parts":[{"type":"text","text":"Another."}]},\
                {"role":"assistant","parts":[{"type":"text","text":"Fram"}]}]
                """)
    }

    @Test func reasoningAndToolCallsAreInIt() throws {
        let prompt = try self.file.open("Look it up.")
        try self.file.end(
            prompt,
            events: """
                [{"event":"reasoning","text":"Hm."},{"event":"text","text":"I will."},
                {"event":"tool_call","tool_call_id":"call_7","name":"look_up","arguments":{"b":1.50,"a":[]}}]
                """)
        #expect(
            try self.messages(self.file.history(prompt.conversation)).hasSuffix(
                """
                {"role":"assistant","parts":[{"type":"reasoning","text":"Hm."},{"type":"text","text":"I will."},\
                {"type":"tool_call","name":"look_up","arguments":{"b":1.5,"a":[]},"tool_call_id":"call_7"}]}]
                """))
    }

    @Test func whatLLMHasPutIntoOtherTablesIsPutBack() throws {
        let prompt = try self.file.exchange("hello", "hi")
        let tip = try #require(try self.file.tip(of: prompt.conversation))
        try self.file.sql { db in
            try db.execute(
                sql: "INSERT INTO messages VALUES ('b2:new', ?, 'user', '{\"k\": \"\\ud83d\\ude00\"}')",
                arguments: [tip])
            try db.execute(sql: "INSERT INTO fragments (id, content) VALUES (3, 'a novel')")
            try db.execute(
                sql: "INSERT INTO attachments VALUES ('a1', 'image/png', NULL, NULL, x'00ff10'), "
                    + "('a2', NULL, '/tmp/x.png', 'https://example.org/x', NULL)")
            for (position, type, payload) in [
                (0, "text", #"{"text_ref": [{"literal": "Read "}, {"fragment": 3}, {"literal": "."}]}"#),
                (1, "attachment", #"{"attachment": {"id": "a1"}, "provider_metadata": {"x": 1}}"#),
                (
                    2, "tool_result",
                    #"{"name": "f", "output": "o", "tool_call_id": "t", "attachments": [{"id": "a2"}]}"#
                ),
            ] {
                try db.execute(
                    sql: "INSERT INTO parts (message_hash, position, type, payload) VALUES ('b2:new', ?, ?, ?)",
                    arguments: [position, type, payload])
            }
            try db.execute(
                sql: "UPDATE threads SET tip_message_hash = 'b2:new' WHERE id = ?", arguments: [prompt.conversation])
        }
        #expect(
            try self.messages(self.file.history(prompt.conversation)).hasSuffix(
                """
                {"role":"user","parts":[{"type":"text","text":"Read a novel."},\
                {"type":"attachment","attachment":{"type":"image/png","content":"AP8Q"},"provider_metadata":{"x":1}},\
                {"type":"tool_result","name":"f","output":"o","tool_call_id":"t",\
                "attachments":[{"url":"https://example.org/x","path":"/tmp/x.png"}]}],"provider_metadata":{"k":"😀"}}]
                """))
    }

    @Test func aConversationIsItsOwners() throws {
        let first = try self.file.exchange("mine", "yes")
        let second = try self.file.exchange("more", "yes", in: first.conversation, uid: 0)
        #expect(throws: Never.self) { try self.file.history(first.conversation, uid: 1000) }
        #expect(throws: Never.self) { try self.file.history(first.conversation) }
        for (name, uid) in [
            (first.conversation, 1001), (first.conversation, 0), (second.id.description, 0), ("x", 1000),
        ] {
            #expect { try self.file.history(name, uid: uid) } throws: { ($0 as? Failure)?.code == .notFound }
        }
        #expect { try self.file.history("x") } throws: { ($0 as? Failure)?.code == .notFound }
    }

    @Test func aConversationWithoutAnAnswerIsEmpty() throws {
        let failed = try self.file.open("hello")
        try self.file.end(failed, .error, failure: Failure(.providerError, "500"))
        let cut = try self.file.open("hello again")
        try self.file.end(cut, .cancelled, events: RecordedFile.said("Hel"))
        for prompt in [failed, cut] {
            let history = try self.file.history(prompt.conversation, uid: 1000)
            #expect(history.tip == nil && history.system == nil && history.messages == Array("[]".utf8))
        }
    }

    @Test func aPromptThatFailedLeavesTheConversationWhereItWas() throws {
        let first = try self.file.exchange("one", "1")
        let before = try self.file.history(first.conversation)
        let failed = try self.file.open("two", in: first.conversation)
        try self.file.end(failed, .crashed, events: RecordedFile.said("2 is"))
        #expect(try self.file.history(first.conversation) == before)
    }

    @Test func aConversationOfAnOlderLLMIsLeftToIt() throws {
        try self.file.execute("INSERT INTO conversations VALUES ('old', 'name', 'gpt-4o-mini')")
        #expect { try self.file.history("old") } throws: { error in
            (error as? Failure)?.code == .notFound && "\(error)".contains("only llm itself can continue it")
        }
    }

    @Test func aMessageThatIsMissingIsSaidSo() throws {
        let first = try self.file.exchange("one", "1")
        try self.file.execute("DELETE FROM messages WHERE hash = ?", [first.hash])
        #expect { try self.file.history(first.conversation) } throws: { error in
            (error as? Failure)?.code == .invalidRequest
                && (error as? Failure)?.message.contains("\(first.hash ?? "?")' is missing") == true
        }
    }

    @Test(arguments: 1...5) func aCircleOfMessagesIsNoticed(length: Int) throws {
        var conversation: String?
        var hash: String?
        for number in 1...6 {
            let prompt = try self.file.open("\(number)", in: conversation)
            try self.file.end(prompt)
            if number == 6 - length + 1 { hash = prompt.hash }
            conversation = prompt.conversation
        }
        let name = try #require(conversation)
        let tip = try #require(try self.file.tip(of: name))
        try self.file.execute("UPDATE messages SET parent_hash = ? WHERE hash = ?", [tip, hash])
        #expect { try self.file.history(name) } throws: { "\($0)".contains("circle") }
    }

    @Test func aConversationOfMoreBytesThanAHistoryMayHaveIsTooLong() throws {
        let text = String(repeating: "é", count: 1_000_000)
        let first = try self.file.exchange(text, text)
        try self.file.exchange(text, "", in: first.conversation)
        #expect(try self.file.history(first.conversation).messages.count > 6_000_000)
        try self.file.exchange(text, "", in: first.conversation)
        try self.file.exchange(text, "", in: first.conversation)
        #expect { try self.file.history(first.conversation) } throws: { error in
            (error as? Failure)?.code == .invalidRequest && "\(error)".contains("too long to be continued")
        }
    }

    @Test func aLongTextIsNotReadWhole() throws {
        let first = try self.file.exchange("one", String(repeating: "x", count: 9 << 20))
        #expect { try self.file.history(first.conversation) } throws: { "\($0)".contains("too long") }
    }

    @Test func aConversationOfMoreValuesThanAFrameMayHoldIsTooLong() throws {
        let numbers = Array(repeating: "0", count: 90_000).joined(separator: ",")
        let call = #"{"event":"tool_call","tool_call_id":"c","name":"f","arguments":{"a":[\#(numbers)]}}"#
        let first = try self.file.open("one")
        try self.file.end(first, events: "[\(call),\(call)]")
        #expect(throws: Never.self) { try self.file.history(first.conversation) }
        let second = try self.file.open("two", in: first.conversation)
        try self.file.end(second, events: "[\(call)]")
        #expect { try self.file.history(first.conversation) } throws: { "\($0)".contains("too long") }
    }

    @Test func whatThePythonOfLLMWritesThatIsNoJSONIsSaidSo() throws {
        let first = try self.file.exchange("one", "1")
        try self.file.execute(
            "UPDATE parts SET type = 'tool_call', text = NULL, payload = '{\"name\": \"f\", \"arguments\": {\"x\": NaN}}' "
                + "WHERE message_hash = ?", [try self.file.tip(of: first.conversation)])
        #expect { try self.file.history(first.conversation) } throws: { "\($0)".contains("cannot be read") }
    }

    @Test func attachmentsComeBackAsTheyWereSent() throws {
        let sent = #"""
            [{"type":"image/png","content":"AP8Q"},{"type":"text/plain","content":"AP8Q"},{"url":"https://example.org/x"},
            {"content":"AAEC"},{"content":""}]
            """#
        let id = self.file.ulid()
        try self.file.store.commit(
            Samples.prompt(id) { $0.attachments = Array(sent.utf8) }, Samples.end(id, output: [.text("a")]))
        let history = try self.file.history(id.description, uid: 1000)
        let messages = try ModelMessage.list(try JSONValue(parsing: history.messages))
        #expect(
            messages[0].parts.map(\.content)
                == (try Attachment.list(try JSONValue(parsing: sent))).map { .attachment($0) })
    }

    /// Changes the last message on record as another program could.
    private func historyAfter(part type: String, _ payload: String) throws -> Failure? {
        let first = try self.file.exchange("one", "1")
        try self.file.execute(
            "UPDATE parts SET type = ?, text = NULL, payload = ? WHERE message_hash = ?",
            [type, payload, try self.file.tip(of: first.conversation)])
        return #expect(throws: Failure.self) { try self.file.history(first.conversation) }
    }

    @Test(arguments: [
        ("video", "{}", "there is no part of type 'video'"),
        ("tool_call", #"{"name": "f", "arguments": [1]}"#, "needs a 'name' and an object 'arguments'"),
        ("tool_call", #"{"arguments": {}}"#, "needs a 'name' and an object 'arguments'"),
        ("tool_result", #"{"name": "f"}"#, "needs a text 'output'"),
        ("text", #"{"provider_metadata": 3}"#, "'provider_metadata' must be an object"),
        ("attachment", "{}", "has no 'attachment'"),
    ])
    func whatNoWorkerCouldReadIsRefused(vector: (type: String, payload: String, reason: String)) throws {
        let failure = try self.historyAfter(part: vector.type, vector.payload)
        #expect(failure?.code == .invalidRequest)
        #expect(failure?.message.contains(vector.reason) == true, "\(failure?.message ?? "")")
    }

    @Test func aRoleThatNobodyHasIsRefused() throws {
        let first = try self.file.exchange("one", "1")
        try self.file.execute("UPDATE messages SET role = 'robot' WHERE hash = ?", [first.hash])
        #expect { try self.file.history(first.conversation) } throws: { error in
            (error as? Failure)?.message.contains("the role 'robot' is none of") == true
        }
    }

    @Test(arguments: [
        ("attachment", #"{"attachment": {"id": "a"}}"#),
        ("tool_result", #"{"name": "f", "output": "o", "attachments": [{"id": "a"}]}"#),
    ])
    func aFileThatLLMWasShownCannotBeShownAgain(vector: (type: String, payload: String)) throws {
        try self.file.execute("INSERT INTO attachments VALUES ('a', 'image/png', '/tmp/x.png', NULL, NULL)")
        let failure = try self.historyAfter(part: vector.type, vector.payload)
        #expect(failure?.code == .invalidRequest)
        #expect(failure?.message.contains("the file '/tmp/x.png'") == true)
    }
}
