internal import GRDB

/// The tables of the file, as docs/log.md promises them to whoever reads it: ours, and those of llm.
///
/// A migration that has been released never changes; a new one is added after it. Names of our tables stay clear of
/// llm's, which live in the same file.
enum LogSchema {
    /// Why a sound database is not taken as the log, and what to do about it.
    enum Refusal: Error, Equatable {
        /// It holds a migration of ours that this version does not know.
        case newerVersion
        /// It holds the record of an llm whose tables llm itself has to change first.
        case olderLLM
        /// A table has the name of one of llm's and lacks columns.
        case foreignTable(String)
        /// It lacks tables of ours, which a reader does not make.
        case unprepared
    }

    /// Refuses a file whose tables are not those of this version.
    static func check(_ db: Database) throws {
        guard try !Self.migrator.hasBeenSuperseded(db) else { throw Refusal.newerVersion }
        guard try Self.migrator.hasCompletedMigrations(db) else { throw Refusal.unprepared }
    }

    /// Brings the file up to date. One that is refused stays as it was.
    static func migrate(_ queue: DatabaseQueue) throws {
        let migrator = Self.migrator
        guard try !queue.read(migrator.hasBeenSuperseded) else { throw Refusal.newerVersion }
        let applied = try queue.read(migrator.appliedIdentifiers)
        if !applied.contains(Self.adoption) {
            try queue.inTransaction(.immediate) { db in
                try LLMSchema.adopt(db)
                return .rollback
            }
        }
        try migrator.migrate(queue)
    }

    private static let adoption = "2-llm"

    /// Foreign keys are checked as rows are written: an adopted file may hold rows whose keys llm never checked.
    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1-requests", foreignKeyChecks: .immediate) { db in
            try db.execute(sql: Self.requests)
        }
        migrator.registerMigration(Self.adoption, foreignKeyChecks: .immediate) { db in
            try LLMSchema.adopt(db)
            try db.execute(sql: Self.prompts)
        }
        migrator.registerMigration("3-definitions", foreignKeyChecks: .immediate) { db in
            try db.execute(sql: Self.definitions)
        }
        migrator.registerMigration("4-chains", foreignKeyChecks: .immediate) { db in
            try db.execute(sql: Self.chains)
        }
        migrator.registerMigration("5-attempts", foreignKeyChecks: .immediate) { db in
            try db.execute(sql: Self.attempts)
        }
        migrator.registerMigration("6-operations", foreignKeyChecks: .immediate) { db in
            try db.execute(sql: Self.operations)
        }
        migrator.registerMigration("7-policy", foreignKeyChecks: .immediate) { db in
            try db.execute(sql: Self.policy)
        }
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

    /// What a request has besides, where prompts are stored.
    private static let prompts = """
        ALTER TABLE requests ADD COLUMN conversation TEXT;
        ALTER TABLE requests ADD COLUMN parent_message_hash TEXT;
        ALTER TABLE requests ADD COLUMN options_json TEXT;
        ALTER TABLE requests ADD COLUMN turn TEXT;
        CREATE INDEX requests_conversation ON requests (conversation) WHERE conversation <> id;
        CREATE TABLE bulkhead_output (
            request TEXT NOT NULL,
            sequence INTEGER NOT NULL,
            events TEXT NOT NULL,
            PRIMARY KEY (request, sequence)
        ) STRICT, WITHOUT ROWID;
        """

    /// What a prompt asked besides its messages, and who answered.
    private static let definitions = """
        ALTER TABLE requests ADD COLUMN schema_id TEXT;
        ALTER TABLE requests ADD COLUMN tool_ids TEXT;
        ALTER TABLE requests ADD COLUMN resolved_model TEXT;
        """

    /// Which requests are the rounds of one chain.
    private static let chains = """
        ALTER TABLE requests ADD COLUMN chain TEXT;
        CREATE INDEX requests_chain ON requests (chain) WHERE chain IS NOT NULL;
        """

    /// What was tried of requests that needed more than one attempt.
    private static let attempts = """
        CREATE TABLE attempts (
            request TEXT NOT NULL REFERENCES requests (id),
            number INTEGER NOT NULL,
            provider TEXT NOT NULL,
            model TEXT NOT NULL,
            started_ms INTEGER NOT NULL,
            duration_ms INTEGER NOT NULL,
            input_tokens INTEGER,
            output_tokens INTEGER,
            usage_details TEXT,
            error_code TEXT,
            error_message TEXT,
            retry_after_ms INTEGER,
            provider_request_id TEXT,
            PRIMARY KEY (request, number)
        ) STRICT, WITHOUT ROWID;
        """

    /// What a request asked for: a row of an earlier version is a prompt's.
    private static let operations = """
        ALTER TABLE requests ADD COLUMN operation TEXT NOT NULL DEFAULT 'prompt';
        """

    /// Who asked, beside the numbers, for whom and what for, and what hooks noted. There are few callers and purposes, and
    /// many actors, so only these and groups have an index.
    private static let policy = """
        ALTER TABLE requests ADD COLUMN user_groups TEXT;
        ALTER TABLE requests ADD COLUMN unit TEXT;
        ALTER TABLE requests ADD COLUMN caller TEXT;
        ALTER TABLE requests ADD COLUMN actor TEXT;
        ALTER TABLE requests ADD COLUMN purpose TEXT;
        ALTER TABLE requests ADD COLUMN group_id TEXT;
        ALTER TABLE requests ADD COLUMN key_name TEXT;
        ALTER TABLE requests ADD COLUMN annotations TEXT;
        CREATE INDEX requests_actor ON requests (actor) WHERE actor IS NOT NULL;
        CREATE INDEX requests_group ON requests (group_id) WHERE group_id IS NOT NULL;
        """
}
