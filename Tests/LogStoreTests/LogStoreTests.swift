import GRDB
import LogStore
import Messages
import Testing

@Suite struct LogStoreTests {
    let directory: TemporaryDirectory

    init() throws { self.directory = try TemporaryDirectory() }

    private func store(_ durability: ServiceConfiguration.Durability = .relaxed) throws -> LogStore {
        try LogStore(path: self.directory.database, durability: durability)
    }

    private func begunStore() throws -> LogStore {
        let store = try self.store()
        _ = try store.begin(session: Samples.ulid(), atMilliseconds: Samples.now)
        return store
    }

    @Test(arguments: ServiceConfiguration.Durability.allCases)
    func anAdmittedRequestHasARowBeforeItEnds(durability: ServiceConfiguration.Durability) throws {
        let store = try self.store(durability)
        let session = Samples.ulid()
        let request = Samples.ulid()
        #expect(try store.begin(session: session, atMilliseconds: Samples.now) == 0)
        try store.commit(Samples.open(request, stream: false))
        #expect(store.acknowledged == 1)

        let row = try #require(try LogFile(self.directory.database).rows().first)
        #expect(row["id"] == request.description)
        #expect(row["session"] == session.description)
        #expect(row["state"] == "open")
        #expect(row["started_ms"] == Samples.now)
        #expect(row["uid"] == 1000)
        #expect(row["gid"] == 100)
        #expect(row["pid"] == 4242)
        #expect(row["provider"] == "local")
        #expect(row["model"] == "echo")
        #expect(row["stream"] == 0)
        for column in ["ended_ms", "duration_ms", "input_tokens", "usage_details", "finish_reason", "error_code"] {
            #expect(row[column] == nil)
        }
    }

    @Test func anEndFillsTheRow() throws {
        let store = try self.begunStore()
        let request = Samples.ulid()
        let usage = Usage(input: 12, output: 7, details: Array(#"{"cached_tokens":4}"#.utf8))
        try store.commit(Samples.open(request))
        try store.commit(Samples.end(request, usage: usage, providerRequestID: "req-7"))

        let row = try #require(try LogFile(self.directory.database).rows().first)
        #expect(row["state"] == "done")
        #expect(row["ended_ms"] == Samples.now + 900)
        #expect(row["duration_ms"] == 900)
        #expect(row["input_tokens"] == 12)
        #expect(row["output_tokens"] == 7)
        #expect(row["usage_details"] == #"{"cached_tokens":4}"#)
        #expect(row["finish_reason"] == "stop")
        #expect(row["provider_request_id"] == "req-7")
        #expect(row["error_code"] == nil)
    }

    @Test(arguments: EndRecord.State.allCases.filter { $0 != .lost })
    func everyEndHasItsState(state: EndRecord.State) throws {
        let store = try self.begunStore()
        let request = Samples.ulid()
        let failure = state == .done ? nil : Failure(.workerCrashed, "it fell over", providerRequestID: "req-8")
        try store.commit(
            Samples.open(request), Samples.end(request, state, usage: nil, finishReason: nil, failure: failure))

        let row = try #require(try LogFile(self.directory.database).rows().first)
        #expect(row["state"] == state.rawValue)
        #expect(row["error_code"] == failure?.code.rawValue)
        #expect(row["error_message"] == failure?.message)
        #expect(row["provider_request_id"] == failure?.providerRequestID)
        for column in ["input_tokens", "output_tokens", "usage_details", "finish_reason"] {
            #expect(row[column] == nil)
        }
    }

    @Test func usageThatTheProviderKnowsInPartIsStoredInPart() throws {
        let store = try self.begunStore()
        let request = Samples.ulid()
        try store.commit(Samples.open(request), Samples.end(request, usage: Usage(input: nil, output: 7)))
        let row = try #require(try LogFile(self.directory.database).rows().first)
        #expect(row["input_tokens"] == nil)
        #expect(row["output_tokens"] == 7)
    }

    @Test func theSameSessionGoesOnWhereItWas() throws {
        let session = Samples.ulid()
        let requests = Samples.ulids(2)
        let first = try self.store()
        #expect(try first.begin(session: session, atMilliseconds: Samples.now) == 0)
        try first.commit(Samples.open(requests[0]), Samples.open(requests[1]), Samples.end(requests[0]))
        first.close()

        let second = try self.store()
        #expect(try second.begin(session: session, atMilliseconds: Samples.now + 5) == 3)
        #expect(try LogFile(self.directory.database).states() == ["open": 1, "done": 1])
        try second.commit(Samples.end(requests[1]))
        #expect(second.acknowledged == 4)
        #expect(try LogFile(self.directory.database).states() == ["done": 2])
    }

    @Test func anotherSessionFindsTheOpenRowsLost() throws {
        let requests = Samples.ulids(3)
        let first = try self.begunStore()
        try first.commit(
            Samples.open(requests[0]), Samples.open(requests[1]), Samples.open(requests[2]), Samples.end(requests[1]))
        first.close()

        let second = try self.store()
        #expect(try second.begin(session: Samples.ulid(), atMilliseconds: Samples.now + 5000) == 0)
        let rows = try LogFile(self.directory.database).rows()
        #expect(rows.map { $0["state"] as String } == ["lost", "done", "lost"])
        #expect(rows[0]["ended_ms"] == Samples.now + 5000)
        #expect(rows[0]["error_message"] == "the supervisor ended before the request did")
        #expect(rows[0]["duration_ms"] == nil)
        #expect(rows[0]["error_code"] == nil)
        #expect(rows[1]["ended_ms"] == Samples.now + 900)
    }

    @Test func anEndWithoutARowIsNamedAndTheRestIsCommitted() throws {
        let store = try self.begunStore()
        let requests = Samples.ulids(2)
        let unmatched = try store.commit(Samples.end(requests[0]), Samples.open(requests[1]), Samples.end(requests[1]))
        #expect(unmatched == [requests[0]])
        #expect(store.acknowledged == 3)
        #expect(try LogFile(self.directory.database).states() == ["done": 1])
    }

    @Test func theFirstEndAndTheFirstRowOfARequestStay() throws {
        let store = try self.begunStore()
        let request = Samples.ulid()
        let unmatched = try store.commit(
            Samples.open(request), Samples.end(request, .cancelled), Samples.end(request, .done),
            Samples.open(request, provider: "other"))
        #expect(unmatched == [request, request])
        let row = try #require(try LogFile(self.directory.database).rows().first)
        #expect(row["state"] == "cancelled")
        #expect(row["provider"] == "local")
    }

    @Test func nothingOfABatchThatFailsIsInTheFile() throws {
        let store = try self.begunStore()
        let requests = Samples.ulids(2)
        try store.commit(Samples.open(requests[0]))
        let file = try LogFile(self.directory.database)
        try file.queue.write { db in
            try db.execute(
                sql: """
                    CREATE TRIGGER refuse BEFORE UPDATE ON requests BEGIN SELECT raise(ABORT, 'refused by a trigger'); END
                    """)
        }
        let error = #expect(throws: LogStoreError.self) {
            try store.commit(Samples.open(requests[1]), Samples.end(requests[0]))
        }
        #expect(error?.description.contains("refused by a trigger") == true)
        #expect(error?.description.contains(self.directory.database) == true)
        #expect(store.acknowledged == 1)
        #expect(try file.states() == ["open": 1])
        #expect(try file.integer("SELECT sequence FROM bulkhead_session") == 1)

        try file.queue.write { db in try db.execute(sql: "DROP TRIGGER refuse") }
        try store.commit(Samples.open(requests[1]), Samples.end(requests[0]))
        #expect(store.acknowledged == 3)
        #expect(try file.states() == ["open": 1, "done": 1])
    }

    @Test func theFileIsInWriteAheadMode() throws {
        let store = try self.store()
        defer { store.close() }
        #expect(try LogFile(self.directory.database).texts("PRAGMA journal_mode") == ["wal"])
    }
}
