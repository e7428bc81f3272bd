internal import GRDB

/// The tables that are ours, as docs/log.md promises them to whoever reads the file.
///
/// A migration that has been released never changes; a new one is added after it. Names of tables stay clear of those
/// that llm uses in its own logs.db, because its tables may live in the same file.
enum LogSchema {
    /// The file holds a migration that this version does not know.
    struct WrittenByNewerVersion: Error {}

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1-requests") { db in try db.execute(sql: Self.requests) }
        return migrator
    }

    private static let requests = """
        CREATE TABLE requests (
            id TEXT NOT NULL PRIMARY KEY,
            session TEXT,
            state TEXT NOT NULL CHECK (state IN ('open', 'done', 'error', 'cancelled', 'crashed', 'lost')),
            started_ms INTEGER NOT NULL,
            ended_ms INTEGER,
            duration_ms INTEGER,
            uid INTEGER,
            gid INTEGER,
            pid INTEGER,
            provider TEXT NOT NULL,
            model TEXT NOT NULL,
            stream INTEGER,
            input_tokens INTEGER,
            output_tokens INTEGER,
            usage_details TEXT,
            finish_reason TEXT,
            error_code TEXT,
            error_message TEXT,
            provider_request_id TEXT
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX requests_started ON requests (started_ms);
        CREATE INDEX requests_open ON requests (id) WHERE state = 'open';
        CREATE TABLE bulkhead_session (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            session TEXT NOT NULL,
            sequence INTEGER NOT NULL
        ) STRICT;
        """
}
