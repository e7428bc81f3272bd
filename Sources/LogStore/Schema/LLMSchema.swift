internal import GRDB

/// The tables of llm (github.com/simonw/llm), as its version 0.36 has them.
///
/// With them in the file, and the names of the migrations that make them, `llm logs -d logs.db` reads the record, and `llm`
/// finds nothing to migrate.
enum LLMSchema {
    /// Makes what is missing in a file that may hold llm's record already.
    ///
    /// - Throws: ``LogSchema/Refusal`` where llm itself has to bring the file up to date first, and where a table of one
    ///   of its names is none of llm's.
    static func adopt(_ db: Database) throws {
        let applied = try Self.appliedMigrations(in: db)
        let missing = Self.migrations.filter { !applied.contains($0) }
        switch missing {
        case []: break
        case Self.migrations:
            try db.execute(sql: Self.legacy)
            try db.execute(sql: Self.store)
        case Self.storeMigrations:
            try db.execute(sql: Self.store)
        default:
            throw LogSchema.Refusal.olderLLM
        }
        for name in missing {
            try db.execute(
                sql: "INSERT INTO _llm_migrations VALUES (?, strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now'))",
                arguments: [name])
        }
        try Self.checkColumns(in: db)
    }

    private static func appliedMigrations(in db: Database) throws -> Set<String> {
        try db.execute(
            sql: #"CREATE TABLE IF NOT EXISTS "_llm_migrations" ("name" TEXT PRIMARY KEY, "applied_at" TEXT)"#)
        return try String.fetchSet(db, sql: "SELECT name FROM _llm_migrations")
    }

    /// Newer versions of llm may have added columns; those that are written must be there.
    private static func checkColumns(in db: Database) throws {
        for (table, written) in Self.writtenColumns {
            let columns = try db.tableExists(table) ? Set(db.columns(in: table).map(\.name)) : []
            guard columns.isSuperset(of: written) else { throw LogSchema.Refusal.foreignTable(table) }
        }
    }

    private static let writtenColumns: [(table: String, columns: [String])] = [
        ("messages", ["hash", "parent_hash", "role", "provider_metadata"]),
        ("parts", ["message_hash", "position", "type", "tool_name", "text", "payload"]),
        ("threads", ["id", "name", "tip_message_hash", "datetime_utc"]),
        (
            "turns",
            [
                "id", "thread_id", "parent_message_hash", "tip_message_hash", "model", "options_json", "input_tokens",
                "output_tokens", "token_details", "duration_ms", "datetime_utc", "resolved_model", "schema_id",
            ]
        ),
        ("turn_search", ["turn_id", "prompt", "response"]),
        ("attachments", ["id", "type", "path", "url", "content"]),
        ("part_attachments", ["part_id", "attachment_id", "order"]),
        ("schemas", ["id", "content"]),
        ("tools", ["id", "hash", "name", "description", "input_schema"]),
        ("turn_tools", ["turn_id", "tool_id"]),
    ]

    /// Those that ``legacy`` stands for.
    private static let legacyMigrations = [
        "m001_initial", "m002_id_primary_key", "m003_chat_id_foreign_key", "m004_column_order", "m004_drop_provider",
        "m005_debug", "m006_new_logs_table", "m007_finish_logs_table", "m008_reply_to_id_foreign_key",
        "m008_fix_column_order_in_logs", "m009_delete_logs_table_if_empty", "m010_create_new_log_tables",
        "m011_fts_for_responses", "m012_attachments_tables", "m013_usage", "m014_schemas", "m015_fragments_tables",
        "m016_fragments_table_pks", "m017_tools_tables", "m017_tools_plugin", "m018_tool_instances",
        "m019_resolved_model", "m020_tool_results_attachments", "m021_tool_results_exception",
        "m022_response_reasoning",
    ]

    /// Those that ``store`` stands for; they only add tables, so that a file of a version before 0.32 can be adopted.
    private static let storeMigrations = [
        "m023_message_store", "m024_tool_instance_references", "m025_turn_tools_instance_backfill",
        "m026_message_tree_view", "m027_turns_response_json",
    ]

    private static let migrations = legacyMigrations + storeMigrations
}
