internal import GRDB
import JSON
import Messages

/// `op: logs`: turns and requests without one, newest first.
struct LogsQuestion {
    private let connection: ReadConnection
    private let request: LogsRequest
    private let uid: Int?

    init(_ connection: ReadConnection, _ request: LogsRequest, uid: Int?) {
        self.connection = connection
        self.request = request
        self.uid = uid
    }

    func answer() throws -> Page {
        let builder = LogRowBuilder(self.connection)
        defer { builder.close() }
        var page = Page()
        func take(_ id: String) throws -> Bool {
            guard page.rows.count < self.request.limit else { return false }
            // A row that takes long to build is the last one of its page.
            guard page.rows.isEmpty || !self.connection.clock.isSliceOver else { return false }
            guard let row = try builder.build(id) else { return true }
            return page.append(row)
        }
        if let search = self.request.search, !search.isEmpty {
            page.next = try self.search(search, take)
        } else {
            let scan = self.request.conversation.map(self.scan(conversation:)) ?? self.scan
            page.next = try scan.run(on: self.connection, take)
        }
        return page
    }

    // MARK: Without a search

    private var before: ReadConnection.Binding { .text(self.request.before ?? RowScan.end) }

    /// What makes a request's row wanted. Where prompts were not stored there is no conversation, and nothing to show.
    private var wantedRequests: Conditions {
        var wanted = Conditions()
        wanted.add("conversation IS NOT NULL")
        wanted.add("uid = ?", self.uid)
        wanted.add("model = ?", self.request.model)
        wanted.add(self.request.mandate)
        return wanted
    }

    /// Whether turns without a request may be wanted, which llm itself wrote: they are nobody's, and for no purpose.
    private var wantsTurns: Bool { self.uid == nil && self.request.mandate.isEmpty }

    /// What makes a turn's row wanted, which is ours as well or llm's own.
    private var wantedTurns: Conditions {
        var wanted = Conditions()
        wanted.add("model = ?", self.request.model)
        return wanted
    }

    /// Both tables are read along their keys, and stand side by side in the order of ids.
    private var scan: RowScan {
        let requests = self.wantedRequests
        let place = Conditions(placing: self.request.mandate)
        var sql = "SELECT id, \(requests.sql) FROM requests WHERE \(place.sql) AND id < ?"
        var bindings = requests.bindings + place.bindings + [self.before]
        if self.wantsTurns {
            let turns = self.wantedTurns
            sql += " UNION ALL SELECT id, \(turns.sql) FROM turns WHERE id < ?"
            bindings += turns.bindings + [self.before]
        }
        return RowScan(sql + " ORDER BY 1 DESC", bindings)
    }

    /// The first request of a conversation has its id; those that follow are in an index.
    private func scan(conversation: String) -> RowScan {
        let requests = self.wantedRequests
        let name = ReadConnection.Binding.text(conversation)
        var sql = """
            SELECT id, \(requests.sql) FROM requests WHERE conversation = ? AND conversation <> id AND id < ?
            UNION ALL
            SELECT id, \(requests.sql) AND conversation = id FROM requests WHERE id = ? AND id < ?
            """
        var bindings = requests.bindings + [name, self.before] + requests.bindings + [name, self.before]
        if self.wantsTurns {
            let turns = self.wantedTurns
            sql += " UNION ALL SELECT id, \(turns.sql) FROM turns WHERE thread_id = ? AND id < ?"
            bindings += turns.bindings + [name, self.before]
        }
        return RowScan(sql + " ORDER BY 1 DESC", bindings)
    }

    // MARK: With a search

    /// Only turns are in the index of words. All that match are looked up, because its order is not that of ids.
    private func search(_ search: String, _ take: (String) throws -> Bool) throws -> String? {
        // One more than a page holds says whether there is another page.
        let ids = try self.matches(search, limit: self.request.limit + 1)
        self.connection.clock.beginSlice()
        var last: String?
        for id in ids {
            guard try take(id) else { return last }
            last = id
        }
        return nil
    }

    private func matches(_ search: String, limit: Int) throws -> [String] {
        var filters = Conditions()
        filters.add("turn_search.turn_id < ?", self.request.before)
        if !self.wantsTurns {
            var requests = self.wantedRequests
            requests.add("conversation = ?", self.request.conversation)
            let term = "EXISTS (SELECT 1 FROM requests WHERE id = turn_search.turn_id AND \(requests.sql))"
            filters.add(term, requests.bindings)
        } else {
            var turns = self.wantedTurns
            turns.add("thread_id = ?", self.request.conversation)
            if !turns.bindings.isEmpty {
                let term = "EXISTS (SELECT 1 FROM turns WHERE id = turn_search.turn_id AND \(turns.sql))"
                filters.add(term, turns.bindings)
            }
        }
        var ids: [String] = []
        do {
            try self.connection.rows(
                """
                SELECT turn_search.turn_id FROM turn_search_fts CROSS JOIN turn_search
                    ON turn_search.id = turn_search_fts.rowid
                WHERE turn_search_fts MATCH ? AND \(filters.sql) ORDER BY turn_search.turn_id DESC LIMIT ?
                """, [.text(search)] + filters.bindings + [.integer(limit)]
            ) { row in
                if let id = row.text(0) { ids.append(id) }
                return true
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_ERROR {
            throw Failure(
                .invalidRequest,
                "the search cannot be read: \(error.message ?? ""); its syntax is that of SQLite's FTS5 "
                    + "(sqlite.org/fts5.html), where words with signs in them stand in double quotes")
        }
        return ids
    }
}
