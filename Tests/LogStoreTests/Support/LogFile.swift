import Foundation
import GRDB

/// What another program sees that opens the file.
struct LogFile {
    let queue: DatabaseQueue

    init(_ path: String) throws { self.queue = try DatabaseQueue(path: path) }

    func rows(_ sql: String = "SELECT * FROM requests ORDER BY id") throws -> [Row] {
        try self.queue.read { db in try Row.fetchAll(db, sql: sql) }
    }

    func integer(_ sql: String) throws -> Int? {
        try self.queue.read { db in try Int.fetchOne(db, sql: sql) }
    }

    func texts(_ sql: String) throws -> [String] {
        try self.queue.read { db in try String.fetchAll(db, sql: sql) }
    }

    /// How many rows are in each state.
    func states() throws -> [String: Int] {
        let rows = try self.rows("SELECT state, count(*) AS number FROM requests GROUP BY state")
        return Dictionary(uniqueKeysWithValues: rows.map { ($0["state"] as String, $0["number"] as Int) })
    }

    /// Sound in every page, with no key that leads nowhere, and an index that holds what it is about.
    var isIntact: Bool {
        get throws {
            guard try self.texts("PRAGMA integrity_check") == ["ok"] else { return false }
            guard try self.rows("PRAGMA foreign_key_check").isEmpty else { return false }
            guard try self.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'turn_search_fts'") == 1 else {
                return true
            }
            try self.queue.write { db in
                try db.execute(
                    sql: "INSERT INTO turn_search_fts (turn_search_fts, rank) VALUES ('integrity-check', 1)")
            }
            return true
        }
    }

    /// The texts of a message and of those before it, oldest first.
    func chain(_ hash: String?) throws -> [String] {
        guard let hash, let row = try self.rows("SELECT * FROM messages WHERE hash = '\(hash)'").first else {
            return []
        }
        // As bytes, since GRDB reads a text up to its first NUL.
        let parts = try self.rows(
            """
            SELECT type, CAST(coalesce(text, payload) AS BLOB) AS text FROM parts
            WHERE message_hash = '\(hash)' ORDER BY position
            """)
        let texts = parts.map { "\($0["type"] as String) \(String(decoding: $0["text"] as Data, as: UTF8.self))" }
        return try self.chain(row["parent_hash"]) + ["\(row["role"] as String): " + texts.joined(separator: ", ")]
    }
}
