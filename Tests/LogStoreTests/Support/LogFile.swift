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

    var isIntact: Bool { get throws { try self.texts("PRAGMA integrity_check") == ["ok"] } }
}
