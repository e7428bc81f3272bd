import Foundation
import GRDB
import JSON
import Messages

/// The table of datasette-secrets, which only this program can read: no other knows SQLite.
///
/// A secret is a row of the highest version of its name; one whose newest version is deleted is none. Values stay encrypted.
public enum DatasetteSecrets {
    /// Why there are none to be read.
    public struct Fault: Error, CustomStringConvertible {
        public let description: String
    }

    private static let query = """
        SELECT name, note, encrypted FROM datasette_secrets AS secret
        WHERE deleted_at IS NULL
          AND id = (SELECT id FROM datasette_secrets WHERE name = secret.name ORDER BY version DESC, id DESC LIMIT 1)
        ORDER BY name LIMIT \(SecretBounds.count + 1)
        """

    /// Reads the secrets of a database: a JSON object of `name`, `token` and perhaps `note` for each.
    public static func read(_ path: String) throws -> [[UInt8]] {
        guard FileManager.default.fileExists(atPath: path) else { throw Fault(description: "there is no file \(path)") }
        var configuration = GRDB.Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        do {
            return try DatabaseQueue(path: path, configuration: configuration).read { db in
                guard try db.tableExists("datasette_secrets") else {
                    throw Fault(
                        description: "\(path) has no table datasette_secrets; it is in Datasette's internal database "
                            + "(datasette --internal FILE)")
                }
                let rows = try Row.fetchAll(db, sql: Self.query)
                guard rows.count <= SecretBounds.count else {
                    throw Fault(description: "\(path) holds more than \(SecretBounds.count) secrets")
                }
                return rows.compactMap(Self.line)
            }
        } catch let error as DatabaseError {
            throw Fault(description: "\(path) cannot be read: \(error.message ?? error.resultCode.description)")
        }
    }

    private static func line(_ row: Row) -> [UInt8]? {
        guard let name = String.fromDatabaseValue(row["name"]) else { return nil }
        let token = Data.fromDatabaseValue(row["encrypted"]).map { String(decoding: $0, as: UTF8.self) }
        var object = JSONObjectBuilder()
        object.add("name", name)
        object.add("token", token ?? "")
        if let note = String.fromDatabaseValue(row["note"]), !note.isEmpty { object.add("note", note) }
        return object.finish()
    }
}
