import Foundation
import GRDB
import LogStore
import Messages
import Testing

@Suite struct LogStoreErrorTests {
    let directory: TemporaryDirectory

    init() throws { self.directory = try TemporaryDirectory() }

    private func errorOfOpening(_ path: String) -> LogStoreError? {
        #expect(throws: LogStoreError.self) { _ = try LogStore(path: path, durability: .relaxed) }
    }

    @Test(arguments: ["short", String(repeating: "no database at all, whatever its name may be. ", count: 200)])
    func aFileThatIsNoDatabaseIsRefusedAndUntouched(content: String) throws {
        try content.write(toFile: self.directory.database, atomically: false, encoding: .utf8)
        let error = self.errorOfOpening(self.directory.database)
        #expect(error?.remedy == .intervention)
        #expect(error?.description.contains(self.directory.database) == true)
        #expect(error?.description.contains("not a database") == true)
        #expect(try String(contentsOfFile: self.directory.database, encoding: .utf8) == content)
    }

    @Test func aDirectoryThatTakesNoFilesIsRefused() {
        // Not even root makes a file here.
        let error = self.errorOfOpening("/proc/logs.db")
        #expect(error?.remedy == .intervention)
        #expect(error?.description.contains("/proc/logs.db") == true)
    }

    @Test func aTableOfTheSameNameThatIsNotOursIsRefusedAndUntouched() throws {
        let file = try LogFile(self.directory.database)
        try file.queue.write { db in try db.execute(sql: "CREATE TABLE requests (mine TEXT)") }
        let error = self.errorOfOpening(self.directory.database)
        #expect(error?.remedy == .intervention)
        #expect(error?.description.contains("requests") == true)
        #expect(try file.texts("SELECT name FROM pragma_table_info('requests')") == ["mine"])
    }

    @Test func aFileOfANewerVersionIsRefusedAndSaysSo() throws {
        try LogStore(path: self.directory.database, durability: .relaxed).close()
        let file = try LogFile(self.directory.database)
        try file.queue.write { db in try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('99-from-the-future')") }
        let error = self.errorOfOpening(self.directory.database)
        #expect(error?.remedy == .intervention)
        #expect(error?.description.contains("newer version") == true)
    }

    @Test func tablesOfAnotherProgramInTheFileAreNoObstacle() throws {
        let file = try LogFile(self.directory.database)
        try file.queue.write { db in try db.execute(sql: "CREATE TABLE books (id TEXT PRIMARY KEY)") }
        let store = try LogStore(path: self.directory.database, durability: .relaxed)
        _ = try store.begin(session: Samples.ulid(), atMilliseconds: Samples.now)
        try store.commit(Samples.open(Samples.ulid()))
        #expect(try file.states() == ["open": 1])
    }
}
