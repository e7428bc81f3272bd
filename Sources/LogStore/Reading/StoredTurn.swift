internal import GRDB
import Messages

/// A row of llm's table of turns.
struct StoredTurn {
    let id: String
    let thread: String?
    let parent: String?
    let tip: String?
    let model: String?
    let startedMilliseconds: Int?
    let durationMilliseconds: Int?
    let usage: Usage?

    /// `nil` if there is no such row.
    init?(_ id: String, _ connection: ReadConnection) throws {
        let row = try connection.row(
            """
            SELECT thread_id, parent_message_hash, tip_message_hash, model, duration_ms, input_tokens, output_tokens,
                token_details, strftime('%s', datetime_utc) * 1000 + substr(strftime('%f', datetime_utc), 4)
            FROM turns WHERE id = ?
            """, [.text(id)]
        ) { row in StoredTurn(id, row) }
        guard let row else { return nil }
        self = row
    }

    private init(_ id: String, _ row: PreparedStatement) {
        self.id = id
        self.thread = row.text(0)
        self.parent = row.text(1)
        self.tip = row.text(2)
        self.model = row.text(3)
        self.durationMilliseconds = row.optionalInteger(4).map { max($0, 0) }
        self.usage = Usage(input: row.optionalInteger(5), output: row.optionalInteger(6), storedDetails: row.text(7))
        self.startedMilliseconds = row.optionalInteger(8).map { max($0, 0) }
    }
}
