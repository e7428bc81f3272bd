internal import GRDB
import Messages

/// The rows of `attempts`: what was tried of requests that needed more than one attempt.
struct AttemptRows {
    private let insertion: PreparedStatement
    private let moving: PreparedStatement

    init(_ db: Database) throws {
        self.insertion = try PreparedStatement(
            """
            INSERT INTO attempts (request, number, provider, model, started_ms, duration_ms, input_tokens,
                output_tokens, usage_details, error_code, error_message, retry_after_ms, provider_request_id)
            SELECT id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM requests WHERE id = ? AND state = 'open'
            ON CONFLICT (request, number) DO NOTHING
            """, in: db)
        self.moving = try PreparedStatement("UPDATE requests SET provider = ?, model = ? WHERE id = ?", in: db)
    }

    /// Inserts a row, and has that of the request name the model that was tried last; `false` if no open request takes it.
    func insert(_ record: AttemptRecord) throws -> Bool {
        let statement = self.insertion
        try statement.bind(record.number, at: 1)
        try statement.bind(record.provider, at: 2)
        try statement.bind(record.model, at: 3)
        try statement.bind(record.atMilliseconds, at: 4)
        try statement.bind(record.durationMilliseconds, at: 5)
        try statement.bind(record.usage?.input, at: 6)
        try statement.bind(record.usage?.output, at: 7)
        try statement.bind(record.usage?.details.map { String(decoding: $0, as: UTF8.self) }, at: 8)
        try statement.bind(record.failure?.code.rawValue, at: 9)
        try statement.bind(record.failure?.message, at: 10)
        try statement.bind(record.failure?.retryAfterMilliseconds, at: 11)
        try statement.bind(record.providerRequestID, at: 12)
        try statement.bind(record.request.description, at: 13)
        guard try statement.run() == 1 else { return false }
        // The first one was made by the model that the row was opened with.
        guard record.number > 1 else { return true }
        try self.moving.bind(record.provider, at: 1)
        try self.moving.bind(record.model, at: 2)
        try self.moving.bind(record.request.description, at: 3)
        try self.moving.run()
        return true
    }
}
