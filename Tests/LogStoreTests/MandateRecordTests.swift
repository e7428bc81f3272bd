import GRDB
import JSON
import LogStore
import Messages
import Testing

/// Who asked, for whom and what for: how it is stored and asked for.
@Suite struct MandateRecordTests {
    let file: RecordedFile

    init() throws { self.file = try RecordedFile() }

    @discardableResult
    private func open(
        caller: String? = nil, actor: String? = nil, purpose: String? = nil, group: ULID? = nil, uid: Int = 1000,
        _ change: (inout OpenRecord) -> Void = { _ in }
    ) throws -> String {
        let id = self.file.ulid()
        var opening = OpenRecord(
            request: id, atMilliseconds: Samples.now, peer: PeerCredentials(uid: uid, gid: 100, pid: 4242),
            provider: "local", model: "qwen3", stream: true,
            mandate: Mandate(purpose: purpose, actor: actor, group: group), caller: caller,
            content: PromptContent(conversation: id.description, prompt: Array(#""ahoy""#.utf8)))
        change(&opening)
        try self.file.store.commit(.open(opening))
        return id.description
    }

    @Test func allOfItIsInTheRow() throws {
        let group = self.file.ulid()
        let id = try self.open(caller: "datasette", actor: "ada", purpose: "enrichments", group: group) {
            $0.peer.groups = [27, 998]
            $0.peer.unit = "datasette.service"
            $0.keyName = "ENRICHMENTS_KEY"
            $0.annotations = Array(#"{"pii": {"found":0}}"#.utf8)
        }
        let row = try self.file.sql { try #require(try Row.fetchOne($0, sql: "SELECT * FROM requests")) }
        #expect(row["user_groups"] == "[27,998]")
        #expect(row["unit"] == "datasette.service")
        #expect(row["caller"] == "datasette")
        #expect(row["actor"] == "ada")
        #expect(row["purpose"] == "enrichments")
        #expect(row["group_id"] == group.description)
        #expect(row["key_name"] == "ENRICHMENTS_KEY")
        #expect(row["annotations"] == #"{"pii": {"found":0}}"#)

        let shown = try #require(try self.file.requests().rows.first).text()
        #expect(
            shown.contains(
                """
                "pid":4242,"groups":[27,998],"unit":"datasette.service","caller":"datasette","actor":"ada",\
                "purpose":"enrichments","group":"\(group)","provider":"local","model":"qwen3",\
                "key_name":"ENRICHMENTS_KEY"
                """), "\(shown)")
        #expect(shown.hasSuffix(#","annotations":{"pii":{"found":0}}}"#), "\(shown)")

        let log = try #require(try self.file.logs().rows.first).text()
        #expect(
            log.contains(
                #""caller":"datasette","actor":"ada","purpose":"enrichments","group":"\#(group)","provider""#), "\(log)"
        )
        #expect(log.hasSuffix(#","annotations":{"pii":{"found":0}}}"#), "\(log)")
        #expect(try self.file.logs().ids == [id])
    }

    @Test func whatNobodySaidIsNullAndNotShown() throws {
        try self.open()
        let row = try self.file.sql { try #require(try Row.fetchOne($0, sql: "SELECT * FROM requests")) }
        for column in ["user_groups", "unit", "caller", "actor", "purpose", "group_id", "key_name", "annotations"] {
            #expect((row[column] as String?) == nil, "\(column)")
        }
        let shown = try #require(try self.file.requests().rows.first)
        for member in ["groups", "unit", "caller", "actor", "purpose", "group", "key_name", "annotations"] {
            #expect(shown[member] == nil, "\(member)")
        }
    }

    @Test func eachOfThemChoosesAndTheyAgree() throws {
        let group = self.file.ulid()
        let ada = try self.open(caller: "datasette", actor: "ada", purpose: "enrichments", group: group)
        let bob = try self.open(caller: "datasette", actor: "bob", purpose: "enrichments")
        let cron = try self.open(caller: "cron", actor: "cron", purpose: "sql", uid: 7)
        let nobody = try self.open()

        func expect(
            _ filter: MandateFilter, _ ids: [String], uid: Int? = nil, state: String? = nil,
            sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            let requests = try self.file.requests(uid: uid) {
                $0.mandate = filter
                $0.state = state
            }
            #expect(requests.ids == ids, sourceLocation: sourceLocation)
            let logs = try self.file.logs(uid: uid) { $0.mandate = filter }
            #expect(logs.ids == ids, sourceLocation: sourceLocation)
        }
        try expect(MandateFilter(), [nobody, cron, bob, ada])
        try expect(MandateFilter(purpose: "enrichments"), [bob, ada])
        try expect(MandateFilter(actor: "ada"), [ada])
        try expect(MandateFilter(caller: "cron"), [cron])
        try expect(MandateFilter(group: group), [ada])
        try expect(MandateFilter(actor: "bob", group: group), [])
        try expect(MandateFilter(purpose: "sql", caller: "datasette"), [])
        try expect(MandateFilter(purpose: "enrichments", actor: "bob", caller: "datasette"), [bob], state: "open")
        try expect(MandateFilter(actor: "cron"), [], uid: 1000)
        try expect(MandateFilter(caller: "cron"), [cron], uid: 7)
        #expect(
            try self.file.logs {
                $0.conversation = ada
                $0.mandate.actor = "bob"
            }.ids.isEmpty)
    }

    @Test func aSearchFindsOnlyWhatWasForTheActorAndNothingOfLLMsOwn() throws {
        let mine = try self.open(caller: "datasette", actor: "ada")
        let other = try self.open(caller: "datasette", actor: "bob")
        for id in [mine, other] {
            try self.file.store.commit(
                .end(
                    EndRecord(
                        request: try #require(ULID(id)), atMilliseconds: Samples.now + 7, state: .done,
                        durationMilliseconds: 7, output: Array(RecordedFile.said("ship").utf8))))
        }
        let ownOfLLM = "01k000000000000000000000zz"
        try self.file.execute(
            """
            INSERT INTO turns (id, thread_id, model, datetime_utc) SELECT ?, thread_id, model, datetime_utc
            FROM turns LIMIT 1
            """, [ownOfLLM])
        #expect(try self.file.logs().ids.contains(ownOfLLM))
        #expect(try self.file.logs { $0.mandate.caller = "datasette" }.ids == [other, mine])
        #expect(
            try self.file.logs {
                $0.search = "ship"
                $0.mandate.actor = "ada"
            }.ids == [mine])
    }

    /// A page of one actor among a million rows must not look at all of them.
    @Test func actorsAndGroupsAreFoundByAnIndexInTheOrderOfPages() throws {
        for (column, index) in [("actor", "requests_actor"), ("group_id", "requests_group")] {
            let plan = try self.file.sql { db in
                try Row.fetchAll(
                    db,
                    sql:
                        "EXPLAIN QUERY PLAN SELECT id, 1 FROM requests WHERE \(column) = ? AND id < ? ORDER BY id DESC",
                    arguments: ["x", "y"]
                ).map { $0["detail"] as String }
            }
            #expect(plan.count == 1, "no sorting: \(plan)")
            #expect(plan.first?.contains("\(index) (\(column)=? AND id<?)") == true, "\(plan)")
        }
    }

    @Test func whatSomebodyElseWroteThereIsPassedOver() throws {
        let id = try self.open(actor: "ada")
        try self.file.execute("UPDATE requests SET user_groups = '{', annotations = '[1]'")
        let row = try #require(try self.file.requests().rows.first)
        #expect(row["id"]?.string == id)
        #expect(row["groups"] == nil && row["annotations"] == nil)
    }
}
