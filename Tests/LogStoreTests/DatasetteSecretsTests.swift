import Foundation
import GRDB
import JSON
import LogStore
import Testing

/// The table of datasette-secrets as it is read for an import.
@Suite struct DatasetteSecretsTests {
    private let directory: TemporaryDirectory
    private var path: String { self.directory.database + ".datasette" }

    init() throws { self.directory = try TemporaryDirectory() }

    /// As datasette-secrets makes it.
    private static let schema = """
        create table datasette_secrets (id integer primary key, name text not null, note text,
          version integer not null default 1, encrypted blob, encryption_key_name text not null, created_at text,
          created_by text, updated_at text, updated_by text, deleted_at text, deleted_by text, last_used_at text,
          last_used_by text)
        """

    private func make(_ rows: [(name: String, version: Int, token: String?, note: String?, deleted: String?)]) throws {
        let queue = try DatabaseQueue(path: self.path)
        try queue.write { db in
            try db.execute(sql: Self.schema)
            for row in rows {
                try db.execute(
                    sql: """
                        insert into datasette_secrets (name, version, encrypted, note, deleted_at, encryption_key_name)
                        values (?, ?, ?, ?, ?, 'default')
                        """,
                    arguments: [row.name, row.version, row.token.map { Data($0.utf8) }, row.note, row.deleted])
            }
        }
        try queue.close()
    }

    @Test func theNewestVersionOfEachNameIsReadUnlessItIsDeleted() throws {
        try self.make([
            ("B", 1, "old", nil, nil), ("B", 2, "new", "a note", nil), ("A", 1, "only", "", nil),
            ("GONE", 1, "was there", nil, nil), ("GONE", 2, "is not", nil, "2025-01-01"), ("EMPTY", 1, nil, nil, nil),
        ])
        let lines = try DatasetteSecrets.read(self.path).map { String(decoding: $0, as: UTF8.self) }
        #expect(
            lines == [
                #"{"name":"A","token":"only"}"#, #"{"name":"B","token":"new","note":"a note"}"#,
                #"{"name":"EMPTY","token":""}"#,
            ])
    }

    @Test func whatIsNoSuchDatabaseIsSaid() throws {
        #expect(throws: DatasetteSecrets.Fault.self) { try DatasetteSecrets.read("/nowhere/internal.db") }
        try Data("no database, and long enough to be one, were it not text".utf8).write(to: URL(filePath: self.path))
        #expect(throws: DatasetteSecrets.Fault.self) { try DatasetteSecrets.read(self.path) }
        try FileManager.default.removeItem(atPath: self.path)
        try DatabaseQueue(path: self.path).close()
        let fault = #expect(throws: DatasetteSecrets.Fault.self) { try DatasetteSecrets.read(self.path) }
        #expect(fault?.description.contains("no table") == true)
        #expect(!FileManager.default.fileExists(atPath: "/nowhere/internal.db"))
    }
}
