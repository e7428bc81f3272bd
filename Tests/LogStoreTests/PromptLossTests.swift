import GRDB
import LogStore
import Messages
import Testing

/// Prompts and answers when a logger, a supervisor or a transaction dies.
@Suite struct PromptLossTests {
    let directory: TemporaryDirectory

    init() throws { self.directory = try TemporaryDirectory() }

    private func store(session: ULID) throws -> LogStore {
        let store = try LogStore(path: self.directory.database, durability: .relaxed)
        _ = try store.begin(session: session, atMilliseconds: Samples.now)
        return store
    }

    @Test func whatALostRequestDeliveredIsATurn() throws {
        let requests = Samples.ulids(3)
        let first = try self.store(session: Samples.ulid())
        try first.commit(
            Samples.prompt(requests[0], "with an answer"), Samples.prompt(requests[1], "without"),
            Samples.open(requests[2]), Samples.output(requests[0], .text("half ")))
        try first.commit(Samples.output(requests[0], .text("of it")))
        first.close()

        let second = try self.store(session: Samples.ulid())
        let file = try LogFile(self.directory.database)
        #expect(try file.states() == ["lost": 3])
        #expect(try file.texts("SELECT turn FROM requests WHERE turn IS NOT NULL") == [requests[0].description])
        let turn = try #require(try file.rows("SELECT * FROM turns").first)
        #expect(
            try file.chain(turn["tip_message_hash"]) == ["user: text with an answer", "assistant: text half of it"])
        #expect(turn["duration_ms"] == nil)
        #expect(try file.rows("SELECT * FROM threads WHERE tip_message_hash IS NULL").count == 1)
        #expect(try file.texts("SELECT response FROM turn_search") == ["half of it"])
        #expect(try file.integer("SELECT count(*) FROM bulkhead_output") == 0)
        #expect(try file.isIntact)
        second.close()
    }

    /// The logger knows nothing of the open but what is in the file.
    @Test func anotherLoggerOfTheSameSessionFinishesWhatTheFirstBegan() throws {
        let session = Samples.ulid()
        let request = Samples.ulid()
        let first = try self.store(session: session)
        try first.commit(Samples.prompt(request, "a question"), Samples.output(request, .text("an ")))
        first.close()
        let second = try self.store(session: session)
        #expect(second.acknowledged == 2)
        try second.commit(Samples.end(request, output: [.text("answer")]))
        let file = try LogFile(self.directory.database)
        let search = try #require(try file.rows("SELECT * FROM turn_search").first)
        #expect(search["prompt"] == "a question")
        #expect(search["response"] == "an answer")
        #expect(try file.texts("SELECT name FROM threads") == ["a question"])
        #expect(try file.isIntact)
    }

    @Test func nothingOfABatchThatFailsIsInTheFileAndItCanBeSentAgain() throws {
        let store = try self.store(session: Samples.ulid())
        let requests = Samples.ulids(2)
        try store.commit(Samples.prompt(requests[0], "zero"), Samples.output(requests[0], .text("a")))
        let file = try LogFile(self.directory.database)
        try file.queue.write { db in
            try db.execute(
                sql: "CREATE TRIGGER refuse BEFORE INSERT ON turns BEGIN SELECT raise(ABORT, 'refused'); END")
        }
        let records = [
            Samples.prompt(requests[1], "one"), Samples.output(requests[0], .text("b")),
            Samples.end(requests[0], output: [.text("c")]), Samples.end(requests[1], output: [.text("d")]),
        ]
        func commit() throws {
            var batch = RecordBatch(after: store.acknowledged)
            for record in records { try batch.append(record, sequence: batch.lastSequence + 1) }
            #expect(try store.commit(batch) == [])
        }
        #expect(throws: LogStoreError.self) { try commit() }
        #expect(try file.states() == ["open": 1])
        #expect(try file.integer("SELECT count(*) FROM messages") == 1)
        #expect(try file.integer("SELECT count(*) FROM bulkhead_output") == 1)
        #expect(try file.integer("SELECT count(*) FROM turn_search") == 0)

        try file.queue.write { db in try db.execute(sql: "DROP TRIGGER refuse") }
        try commit()
        #expect(try file.texts("SELECT response FROM turn_search ORDER BY turn_id") == ["abc", "d"])
        #expect(try file.isIntact)
    }
}
