internal import GRDB
import Messages

extension LogRecord {
    /// The request that the record is about.
    var request: ULID {
        switch self {
        case .open(let record): record.request
        case .output(let record): record.request
        case .end(let record): record.request
        }
    }

    /// Writes the record into its row; `false` if there is no row that it fits.
    func write(to db: Database) throws -> Bool {
        switch self {
        case .open(let record): try record.insert(into: db)
        case .output: return true
        case .end(let record): try record.update(db)
        }
        return db.changesCount == 1
    }
}

extension OpenRecord {
    fileprivate func insert(into db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO requests (id, session, state, started_ms, uid, gid, pid, provider, model, stream)
                SELECT ?, session, 'open', ?, ?, ?, ?, ?, ?, ? FROM bulkhead_session WHERE true
                ON CONFLICT (id) DO NOTHING
                """)
        try statement.execute(arguments: [
            self.request.description, self.atMilliseconds, self.peer.uid, self.peer.gid, self.peer.pid, self.provider,
            self.model, self.stream,
        ])
    }
}

extension EndRecord {
    /// Only an open row takes an end: the first one stays.
    fileprivate func update(_ db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                UPDATE requests SET state = ?, ended_ms = ?, duration_ms = ?, input_tokens = ?, output_tokens = ?,
                    usage_details = ?, finish_reason = ?, error_code = ?, error_message = ?, provider_request_id = ?
                WHERE id = ? AND state = 'open'
                """)
        try statement.execute(arguments: [
            self.state.rawValue, self.atMilliseconds, self.durationMilliseconds, self.usage?.input, self.usage?.output,
            self.usage?.details.map { String(decoding: $0, as: UTF8.self) }, self.finishReason,
            self.failure?.code.rawValue, self.failure?.message,
            self.providerRequestID ?? self.failure?.providerRequestID, self.request.description,
        ])
    }
}
