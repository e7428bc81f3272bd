internal import GRDB
public import Messages

/// The record of every request: one SQLite file, and this is its only writer (docs/log.md).
///
/// It knows rows and sequence numbers, and nothing of channels or processes. What a call returns from is in the file:
/// with ``ServiceConfiguration/Durability/commit`` it survives a loss of power, with `relaxed` the death of any process.
/// After an error nothing of the call is in the file.
public final class LogStore {
    public let path: String
    /// The last sequence number of the session that is in the file.
    public private(set) var acknowledged = 0

    private let queue: DatabaseQueue
    private var writer: RecordWriter?
    private var session: ULID?

    /// How long to wait for another program that is writing into the file.
    private static let busyTimeoutSeconds = 10.0

    /// How much of the file SQLite keeps in memory, at most.
    ///
    /// The names of messages are digests, so that each goes to another page of its index; with SQLite's 2 MB those are
    /// read again and again.
    private static let cacheKibibytes = 16 << 10
    /// After how many pages of the write-ahead log they move into the file: 32 MiB of pages of 4 KiB.
    ///
    /// A page that changes in many transactions moves once.
    private static let checkpointPages = 8_192

    /// Opens the file, or makes it, and brings its tables up to date. Its directory must exist.
    public init(path: String, durability: ServiceConfiguration.Durability) throws(LogStoreError) {
        self.path = path
        do {
            self.queue = try Self.open(path, durability: durability)
            self.writer = try self.queue.inDatabase(RecordWriter.init)
        } catch {
            throw LogStoreError(opening: path, error)
        }
    }

    private static func open(_ path: String, durability: ServiceConfiguration.Durability) throws -> DatabaseQueue {
        var configuration = GRDB.Configuration()
        configuration.label = "log"
        configuration.journalMode = .wal
        // Every key that is written is one that was written before it, or looked up; llm checks none either. Having SQLite
        // check them costs a tenth of the time.
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(Self.busyTimeoutSeconds)
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        // GRDB sets `NORMAL` when it switches to WAL, so this must follow the opening.
        try queue.inDatabase { db in
            try db.execute(sql: durability == .commit ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL")
            try db.execute(sql: "PRAGMA cache_size = \(-Self.cacheKibibytes)")
            try db.execute(sql: "PRAGMA wal_autocheckpoint = \(Self.checkpointPages)")
        }
        try LogSchema.migrate(queue)
        return queue
    }

    /// Names the session that the next records belong to, and returns the last of its sequence numbers in the file.
    ///
    /// The session that the file knows goes on where it was. Any other starts at 0, and what the one before it left open
    /// is closed as `lost`: nobody is left who could say how it ended.
    public func begin(session: ULID, atMilliseconds milliseconds: Int) throws(LogStoreError) -> Int {
        var sequence = 0
        do {
            let writer = self.openWriter
            try self.queue.inTransaction(.immediate) { db in
                sequence = try Self.begin(session: session, atMilliseconds: milliseconds, in: db, writer)
                return .commit
            }
        } catch {
            throw LogStoreError(writing: self.path, error)
        }
        self.session = session
        self.acknowledged = sequence
        return sequence
    }

    private static func begin(
        session: ULID, atMilliseconds milliseconds: Int, in db: Database, _ writer: RecordWriter
    ) throws -> Int {
        let known = try Int.fetchOne(
            db, sql: "SELECT sequence FROM bulkhead_session WHERE session = ?", arguments: [session.description])
        if let known { return known }
        for request in try String.fetchAll(db, sql: "SELECT id FROM requests WHERE state = 'open'") {
            try writer.lose(request, atMilliseconds: milliseconds)
        }
        // Sequence numbers begin again, so nothing of another session may stay.
        try db.execute(sql: "DELETE FROM bulkhead_output")
        try db.execute(
            sql: """
                INSERT INTO bulkhead_session (id, session, sequence) VALUES (1, ?, 0)
                ON CONFLICT (id) DO UPDATE SET session = excluded.session, sequence = 0
                """,
            arguments: [session.description])
        return 0
    }

    /// Writes the batch, all of it or nothing, and returns the requests whose record fitted no row and was left out.
    ///
    /// That is an end or a piece of an answer without an open row, or a second row for one id: it takes a file that was
    /// replaced or edited while the daemon ran. Such a record counts as committed, since sending it again could not help.
    public func commit(_ batch: RecordBatch) throws(LogStoreError) -> [ULID] {
        guard !batch.isEmpty else { return [] }
        precondition(batch.firstSequence == self.acknowledged + 1, "a batch must follow what is in the file")
        guard let session = self.session else { preconditionFailure("a batch before the session it belongs to") }
        var unmatched: [ULID] = []
        do {
            let writer = self.openWriter
            try self.queue.inTransaction(.immediate) { db in
                unmatched = try writer.write(batch.records, lastSequence: batch.lastSequence, session: session)
                try db.cachedStatement(sql: "UPDATE bulkhead_session SET sequence = ?")
                    .execute(arguments: [batch.lastSequence])
                return .commit
            }
        } catch {
            self.writer?.forget()
            throw LogStoreError(writing: self.path, error)
        }
        self.acknowledged = batch.lastSequence
        return unmatched
    }

    /// Moves what the write-ahead log holds into the file, as far as readers allow, and closes the file.
    ///
    /// Nothing is lost if that fails: the write-ahead log stays, and whoever opens the file next reads it.
    public func close() {
        self.writer = nil
        try? self.queue.inDatabase { db in _ = try db.checkpoint(.passive) }
        try? self.queue.close()
    }

    private var openWriter: RecordWriter {
        guard let writer = self.writer else { preconditionFailure("the log is closed") }
        return writer
    }
}
