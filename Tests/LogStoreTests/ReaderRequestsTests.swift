import GRDB
import JSON
import Messages
import Testing

/// The pages of the table of requests.
@Suite struct ReaderRequestsTests {
    let file: RecordedFile

    init() throws { self.file = try RecordedFile() }

    @Test func aRowSaysWhoAskedAndHowItEnded() throws {
        let prompt = try self.file.open("secret")
        try self.file.end(
            prompt, .error, usage: Usage(input: 3, output: nil, details: Array(#"{"cached":2}"#.utf8)),
            failure: Failure(.providerRateLimited, "429: slow down", providerRequestID: "req-1"))
        let row = try #require(try self.file.requests().rows.first)
        #expect(
            row.text() == """
                {"id":"\(prompt.id)","state":"error","started_at_ms":\(Samples.now + 1),\
                "ended_at_ms":\(Samples.now + 8),"duration_ms":7,"uid":1000,"gid":100,"pid":4242,"provider":"local",\
                "model":"qwen3","stream":true,"usage":{"input":3,"details":{"cached":2}},\
                "provider_request_id":"req-1","error":{"code":"provider_rate_limited","message":"429: slow down"},\
                "conversation":"\(prompt.id)"}
                """)
    }

    @Test func aRowOfEmbeddingsSaysSoAndIsInNoLog() throws {
        let id = self.file.ulid()
        let opening = OpenRecord(
            request: id, atMilliseconds: Samples.now, peer: PeerCredentials(uid: 1000, gid: 100, pid: 4242),
            provider: "local", model: "nomic", stream: false, operation: .embed)
        try self.file.store.commit(.open(opening))
        let end = EndRecord(
            request: id, atMilliseconds: Samples.now + 7, state: .done, durationMilliseconds: 7,
            usage: Usage(input: 3, output: nil))
        try self.file.store.commit(.end(end))
        #expect(
            try self.file.requests().rows.first?.text() == """
                {"id":"\(id)","state":"done","started_at_ms":\(Samples.now),"ended_at_ms":\(Samples.now + 7),\
                "duration_ms":7,"uid":1000,"gid":100,"pid":4242,"provider":"local","model":"nomic","stream":false,\
                "operation":"embed","usage":{"input":3}}
                """)
        #expect(try self.file.logs().rows.isEmpty)
    }

    @Test func onesOwnRowsComeNewestFirstAPageAtATime() throws {
        var mine: [String] = []
        for number in 0..<25 {
            mine.insert(try self.file.open("\(number)").id.description, at: 0)
            try self.file.open("not yours", uid: 1001, storesPrompt: false)
        }
        var found: [String] = []
        var before: String?
        repeat {
            let page = try self.file.requests(uid: 1000) {
                $0.limit = 10
                $0.before = before
            }
            #expect(page.rows.count <= 10)
            found += page.ids
            before = page.next
        } while before != nil
        #expect(found == mine)
        #expect(try self.file.requests { $0.limit = 100 }.rows.count == 50)
        #expect(try self.file.requests(uid: 7).rows.isEmpty)
    }

    @Test func modelAndStateChoose() throws {
        let open = try self.file.open("1", model: "gpt-4o-mini")
        let done = try self.file.exchange("2", "2")
        #expect(try self.file.requests { $0.state = "open" }.ids == [open.id.description])
        #expect(try self.file.requests { $0.state = "done" }.ids == [done.id.description])
        #expect(try self.file.requests { $0.state = "lost" }.ids == [])
        #expect(try self.file.requests { $0.model = "gpt-4o-mini" }.ids == [open.id.description])
        #expect(try self.file.requests(uid: 1001) { $0.state = "open" }.ids == [])
    }

    @Test func aSearchThroughManyRowsGoesOnInTheNextPage() throws {
        let file = try RecordedFile(slice: .zero)
        let wanted = try file.open("old", uid: 7, storesPrompt: false)
        let sessions = try file.sql { try String.fetchOne($0, sql: "SELECT session FROM requests") }
        try file.execute(
            """
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
            INSERT INTO requests (id, session, state, started_ms, uid, provider, model)
            SELECT printf('z%09d', i), ?, 'done', 1, 1000, 'local', 'qwen3' FROM n
            """, [sessions])
        var pages = 0
        var found: [String] = []
        var before: String?
        repeat {
            let page = try file.requests(uid: 7) { $0.before = before }
            pages += 1
            found += page.ids
            before = page.next
        } while before != nil
        #expect(found == [wanted.id.description])
        #expect(pages > 2)
    }
}
