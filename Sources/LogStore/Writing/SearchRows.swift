internal import GRDB

/// The rows of `turn_search`, which llm's trigger hands to the full-text index.
///
/// They are gathered and inserted many in one statement: before each statement that could be undone alone, and one with
/// a trigger is, SQLite has the index write what it holds. Row by row, that is a segment of the index for each turn.
final class SearchRows {
    private struct Row {
        let turn: String
        let prompt: String
        let response: String
    }

    /// Statements that insert so many rows at once, the largest first.
    private let insertions: [(rows: Int, statement: PreparedStatement)]
    private var rows: [Row] = []

    init(_ db: Database) throws {
        self.insertions = try [64, 16, 4, 1].map { count in
            let values = Array(repeating: "(?, ?, ?)", count: count).joined(separator: ", ")
            let statement = try PreparedStatement(
                "INSERT OR IGNORE INTO turn_search (turn_id, prompt, response) VALUES \(values)", in: db)
            return (count, statement)
        }
    }

    /// Lets a search find the turn, once ``insert()`` has been called.
    func add(turn: String, prompt: String, response: String) {
        guard !prompt.isEmpty || !response.isEmpty else { return }
        self.rows.append(Row(turn: turn, prompt: prompt, response: response))
    }

    /// Inserts what was gathered.
    func insert() throws {
        defer { self.rows.removeAll(keepingCapacity: true) }
        var rest = self.rows[...]
        for (count, statement) in self.insertions {
            while rest.count >= count {
                for (index, row) in rest.prefix(count).enumerated() {
                    let column = CInt(index * 3)
                    try statement.bind(row.turn, at: column + 1)
                    try statement.bind(row.prompt, at: column + 2)
                    try statement.bind(row.response, at: column + 3)
                }
                try statement.run()
                rest = rest.dropFirst(count)
            }
        }
    }

    /// Forgets what was gathered.
    func removeAll() { self.rows.removeAll() }
}
