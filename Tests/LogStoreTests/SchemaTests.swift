import Foundation
import GRDB
import LogStore
import Messages
import Testing

@Suite struct SchemaTests {
    let directory: TemporaryDirectory

    init() throws { self.directory = try TemporaryDirectory() }

    private func open() throws -> LogFile {
        try LogStore(path: self.directory.database, durability: .relaxed).close()
        return try LogFile(self.directory.database)
    }

    private func execute(_ sql: String) throws {
        let file = try LogFile(self.directory.database)
        try file.queue.write { db in try db.execute(sql: sql) }
        try file.queue.close()
    }

    /// What the file looks like, without how its definitions are spaced.
    private func schema(of file: LogFile) throws -> [String: String] {
        let rows = try file.rows("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
        return Dictionary(
            uniqueKeysWithValues: rows.map { row in
                let words = (row["sql"] as String).filter { !$0.isWhitespace && $0 != "\"" }
                return (row["name"] as String, words)
            })
    }

    /// Everything in a file of llm but our own tables.
    private func schemaOfLLM(of file: LogFile) throws -> [String: String] {
        try self.schema(of: file).filter { name, _ in
            !name.hasPrefix("requests") && !name.hasPrefix("attempts") && !name.hasPrefix("bulkhead")
                && name != "grdb_migrations"
        }
    }

    @Test func theMigrationsOfLLMAreOnRecord() throws {
        let file = try self.open()
        #expect(try file.integer("SELECT count(*) FROM _llm_migrations") == 30)
        let instant = try #require(try file.texts("SELECT applied_at FROM _llm_migrations LIMIT 1").first)
        #expect(instant.wholeMatch(of: /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\+00:00/) != nil)
        #expect(try file.isIntact)
    }

    @Test(.enabled(if: LLM.executable != nil, LLM.isMissing))
    func theTablesAreThoseThatLLMMakes() throws {
        let run = try LLM.run("logs", "status", in: self.directory)
        // It makes a file only when it logs.
        #expect(run.status == 0)
        let made = try LLM.run("-m", "echo", "hello", in: self.directory)
        #expect(made.status == 0, "\(made.errors)")
        let theirs = try self.schemaOfLLM(of: try LogFile(self.directory.database))

        let other = try TemporaryDirectory()
        try LogStore(path: other.database, durability: .relaxed).close()
        let ours = try self.schemaOfLLM(of: try LogFile(other.database))
        #expect(Set(ours.keys) == Set(theirs.keys))
        for (name, definition) in theirs { #expect(ours[name] == definition, "\(name)") }
    }

    @Test(.enabled(if: LLM.executable != nil, LLM.isMissing))
    func llmFindsNothingToMigrate() throws {
        let before = try self.schema(of: try self.open())
        let migrations = "SELECT name || applied_at FROM _llm_migrations ORDER BY rowid"
        let applied = try LogFile(self.directory.database).texts(migrations)
        #expect(try LLM.run("logs", "-d", self.directory.database, in: self.directory).status == 0)
        #expect(try LLM.run("-m", "echo", "hello", in: self.directory).status == 0)
        let file = try LogFile(self.directory.database)
        #expect(try self.schema(of: file) == before)
        #expect(try file.texts(migrations) == applied)
        #expect(try file.integer("SELECT count(*) FROM turns") == 1)
    }

    @Test(.enabled(if: LLM.executable != nil, LLM.isMissing))
    func aFileOfLLMIsAdoptedWithWhatItHolds() throws {
        #expect(try LLM.run("-m", "echo", "a question of its own", in: self.directory).status == 0)
        let before = try self.schema(of: try LogFile(self.directory.database))
        let file = try self.open()
        #expect(try self.schemaOfLLM(of: file) == before)
        #expect(try file.integer("SELECT count(*) FROM turns") == 1)
        #expect(try file.integer("SELECT count(*) FROM requests") == 0)
        #expect(try file.texts("PRAGMA journal_mode") == ["wal"])
    }

    /// As an llm before 0.32 leaves it.
    @Test(.enabled(if: LLM.executable != nil, LLM.isMissing))
    func aFileFromBeforeTheStoreOfMessagesGetsIt() throws {
        let whole = try self.schemaOfLLM(of: try self.open())
        try FileManager.default.removeItem(atPath: self.directory.database)
        let script = """
            import sys, sqlite_utils
            from llm import migrations
            del migrations.MIGRATIONS[25:]
            migrations.migrate(sqlite_utils.Database(sys.argv[1]))
            """
        #expect(try LLM.python(script, self.directory.database, in: self.directory).status == 0)
        let old = try LogFile(self.directory.database)
        #expect(try old.integer("SELECT count(*) FROM _llm_migrations") == 25)
        #expect(try self.schema(of: old)["turns"] == nil)
        let file = try self.open()
        #expect(try self.schemaOfLLM(of: file) == whole)
        #expect(try file.integer("SELECT count(*) FROM _llm_migrations") == 30)
    }

    @Test func aFileWhoseTablesLLMMustChangeFirstIsRefusedUntilItHas() throws {
        try self.execute(
            """
            CREATE TABLE _llm_migrations (name TEXT PRIMARY KEY, applied_at TEXT);
            INSERT INTO _llm_migrations VALUES ('m001_initial', ''), ('m023_message_store', '');
            """)
        let error = #expect(throws: LogStoreError.self) { _ = try self.open() }
        #expect(error?.remedy == .intervention)
        #expect(error?.description.contains("llm logs -d \(self.directory.database)") == true)
        #expect(try LogFile(self.directory.database).integer("SELECT count(*) FROM _llm_migrations") == 2)
    }

    @Test func aNewerLLMThatKeepsTheTablesIsWelcome() throws {
        _ = try self.open()
        try self.execute(
            """
            INSERT INTO _llm_migrations VALUES ('m099_from_the_future', '');
            ALTER TABLE turns ADD COLUMN mood TEXT;
            \(Self.dropsAllButTheFirstMigration)
            """)
        let file = try self.open()
        #expect(try file.integer("SELECT count(*) FROM _llm_migrations") == 31)
    }

    @Test(arguments: ["CREATE TABLE turns (mine TEXT)", "CREATE TABLE schemas (mine TEXT)"])
    func aTableOfLLMsNameThatIsNotLLMsIsRefusedAndUntouched(definition: String) throws {
        try self.execute(definition)
        let error = #expect(throws: LogStoreError.self) { _ = try self.open() }
        #expect(error?.remedy == .intervention)
        #expect(try LogFile(self.directory.database).texts("SELECT sql FROM sqlite_schema") == [definition])
    }

    @Test func aMigratedFileWithoutATableThatIsWrittenIsRefused() throws {
        _ = try self.open()
        try self.execute("DELETE FROM grdb_migrations WHERE identifier = '2-llm'; DROP TABLE turn_search")
        let error = #expect(throws: LogStoreError.self) { _ = try self.open() }
        #expect(error?.description.contains("'turn_search'") == true)
    }

    @Test func aFileOfTheVersionBeforeKeepsItsRows() throws {
        let file = try self.open()
        try self.execute(
            """
            INSERT INTO requests (id, state, started_ms, provider, model) VALUES ('a', 'done', 1, 'p', 'm');
            \(Self.dropsAllButTheFirstMigration)
            """)
        try LogStore(path: self.directory.database, durability: .relaxed).close()
        let row = try #require(try file.rows().first)
        #expect(row["model"] == "m")
        #expect(row["conversation"] == nil)
        #expect(row["operation"] == "prompt")
    }

    /// Undoes in our own tables what the migrations after the first have done.
    private static let dropsAllButTheFirstMigration: String = {
        let indexes = ["conversation", "chain", "actor", "group"].map { "DROP INDEX requests_\($0);" }
        let columns = [
            "conversation", "parent_message_hash", "options_json", "turn", "schema_id", "tool_ids", "resolved_model",
            "operation", "chain", "user_groups", "unit", "caller", "actor", "purpose", "group_id", "key_name",
            "annotations",
        ].map { "ALTER TABLE requests DROP COLUMN \($0);" }
        let others = [
            "DROP TABLE bulkhead_output;", "DROP TABLE attempts;",
            "DELETE FROM grdb_migrations WHERE identifier <> '1-requests';",
        ]
        return (indexes + columns + others).joined(separator: "\n")
    }()
}
