import GRDB
import JSON
import LogStore
import Messages
import Testing

/// What is on record of a request that needed more than one attempt.
@Suite struct AttemptRecordTests {
    let file: RecordedFile

    init() throws { self.file = try RecordedFile() }

    private func attempt(
        _ request: ULID, _ number: Int, of model: String, usage: Usage? = nil, _ failure: Failure? = nil,
        providerRequestID: String? = nil
    ) -> LogRecord {
        .attempt(
            AttemptRecord(
                request: request, number: number, provider: "of \(model)", model: model,
                atMilliseconds: Samples.now + number, durationMilliseconds: 10 * number, usage: usage,
                providerRequestID: providerRequestID, failure: failure))
    }

    @Test func everyAttemptIsARowAndTheRequestNamesTheLast() throws {
        let prompt = try self.file.open("hello")
        let slow = Failure(.providerRateLimited, "429: slow down", retryAfterMilliseconds: 1_000)
        let usage = Usage(input: 3, output: 0, details: Array(#"{"cached":2}"#.utf8))
        try self.file.store.commit(
            self.attempt(prompt.id, 1, of: "first", usage: usage, slow, providerRequestID: "req_1"))
        // It is there while the request is open.
        let open = try #require(try self.file.requests().rows.first)
        #expect(open["state"]?.string == "open" && open["model"]?.string == "qwen3")
        #expect(
            open["attempts"]?.text() == """
                [{"attempt":1,"provider":"of first","model":"first","started_at_ms":\(Samples.now + 1),"duration_ms":10,\
                "usage":{"input":3,"output":0,"details":{"cached":2}},\
                "error":{"code":"provider_rate_limited","message":"429: slow down","retry_after_ms":1000},\
                "provider_request_id":"req_1"}]
                """)
        try self.file.store.commit(
            self.attempt(prompt.id, 2, of: "second", Failure(.providerUnavailable, "parked")),
            self.attempt(prompt.id, 3, of: "third", usage: Usage(input: 3, output: 4)))
        try self.file.end(prompt, .done, events: RecordedFile.said("hi"), usage: Usage(input: 3, output: 4))
        let row = try #require(try self.file.requests().rows.first)
        #expect(row["provider"]?.string == "of third" && row["model"]?.string == "third")
        #expect(row["attempts"]?.array?.map { $0["model"]?.string } == ["first", "second", "third"])
        #expect(row["attempts"]?[2]?["error"] == nil)
        #expect(row["usage"]?.text() == #"{"input":3,"output":4}"#)
        // The turn names the model that answered, and so does what continues it.
        #expect(try self.file.sql { try String.fetchOne($0, sql: "SELECT model FROM turns") } == "third")
        #expect(try self.file.history(prompt.conversation).model == "third")
        #expect(try self.file.sql { try Int.fetchOne($0, sql: "SELECT count(*) FROM pragma_foreign_key_check") } == 0)
        let sum = "SELECT sum(input_tokens) FROM attempts WHERE request = ?"
        #expect(try self.file.sql { try Int.fetchOne($0, sql: sum, arguments: [prompt.id.description]) } == 6)
    }

    @Test func anAttemptOfNoOpenRequestIsNotTaken() throws {
        let prompt = try self.file.open("hello")
        try self.file.end(prompt, .cancelled)
        let unmatched = try self.file.store.commit(
            self.attempt(prompt.id, 1, of: "m"), self.attempt(Samples.ulid(), 1, of: "m"))
        #expect(unmatched.count == 2)
        #expect(try self.file.sql { try Int.fetchOne($0, sql: "SELECT count(*) FROM attempts") } == 0)
    }

    @Test func anAttemptThatComesTwiceIsOneRow() throws {
        let prompt = try self.file.open("hello")
        try self.file.store.commit(self.attempt(prompt.id, 1, of: "m"))
        _ = try self.file.store.commit(self.attempt(prompt.id, 1, of: "m"))
        #expect(try self.file.sql { try Int.fetchOne($0, sql: "SELECT count(*) FROM attempts") } == 1)
    }

    @Test func aLostRequestKeepsWhatWasTried() throws {
        let prompt = try self.file.open("hello")
        try self.file.store.commit(
            self.attempt(prompt.id, 1, of: "a", Failure(.providerError, "503")),
            self.attempt(prompt.id, 2, of: "b", Failure(.providerError, "503")))
        _ = try self.file.store.begin(session: Samples.ulid(), atMilliseconds: Samples.now + 100)
        let row = try #require(try self.file.requests().rows.first)
        #expect(row["state"]?.string == "lost" && row["model"]?.string == "b")
        #expect(row["attempts"]?.array?.count == 2)
    }
}
