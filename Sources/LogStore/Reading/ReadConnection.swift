internal import GRDB
internal import GRDBSQLite

/// A connection that only reads, and the statements that questions use again and again.
///
/// It holds a question to its time and to a bounded memory: SQLite's cache, and values that are read by column, have
/// bounds here; values that may be larger are read with ``StoredValue``.
final class ReadConnection {
    /// What SQLite keeps of the file, in KiB.
    private static let cacheKibibytes = 8 << 10
    /// The longest value that a column may yield, in bytes: the options of a client's largest prompt, and no more.
    private static let maximumValueLength = 24 << 20
    /// How many of SQLite's operations run between two looks at the clock: some tenths of a millisecond.
    private static let operationsPerLook: CInt = 20_000

    let handle: OpaquePointer
    let clock: QuestionClock
    private let db: Database
    private var statements: [String: PreparedStatement] = [:]

    /// - Parameter db: A read-only connection, which must outlive this.
    init(_ db: Database, clock: QuestionClock) throws {
        guard let handle = db.sqliteConnection else { preconditionFailure("the connection is open") }
        self.db = db
        self.handle = handle
        self.clock = clock
        try db.execute(sql: "PRAGMA cache_size = -\(Self.cacheKibibytes)")
        sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, CInt(Self.maximumValueLength))
        sqlite3_progress_handler(
            handle, Self.operationsPerLook,
            { Unmanaged<QuestionClock>.fromOpaque($0!).takeUnretainedValue().isOver ? 1 : 0 },
            Unmanaged.passUnretained(clock).toOpaque())
    }

    /// A value for a parameter of a statement.
    enum Binding {
        case text(String)
        case integer(Int)
    }

    /// Runs the statement and calls `body` with each row until it returns `false`.
    ///
    /// `body` may run other statements, not this one again.
    func rows(
        _ sql: String, _ bindings: [Binding] = [], _ body: (PreparedStatement) throws -> Bool
    ) throws {
        let statement = try self.statement(sql)
        // A statement that is not reset would keep the state of the file that it saw.
        defer { statement.reset() }
        for (index, binding) in bindings.enumerated() {
            switch binding {
            case .text(let text): try statement.bind(text, at: CInt(index + 1))
            case .integer(let integer): try statement.bind(integer, at: CInt(index + 1))
            }
        }
        while try statement.step() {
            guard try body(statement) else { return }
        }
    }

    /// What `body` makes of the first row; `nil` without one.
    func row<Value>(
        _ sql: String, _ bindings: [Binding] = [], _ body: (PreparedStatement) throws -> Value
    ) throws -> Value? {
        var value: Value?
        try self.rows(sql, bindings) { row in
            value = try body(row)
            return false
        }
        return value
    }

    private func statement(_ sql: String) throws -> PreparedStatement {
        if let statement = self.statements[sql] { return statement }
        let statement = try PreparedStatement(sql, in: self.db)
        self.statements[sql] = statement
        return statement
    }
}

/// How long the question that is being answered may still take.
final class QuestionClock {
    private let patience: Duration
    private let slice: Duration
    private var start = ContinuousClock.now
    private var sliceStart = ContinuousClock.now

    /// - Parameters:
    ///   - patience: After which a question is ended, so that the others are answered too.
    ///   - slice: After which a search through rows stops with those it has.
    init(patience: Duration, slice: Duration) {
        self.patience = patience
        self.slice = slice
    }

    func begin() {
        self.start = .now
        self.sliceStart = self.start
    }

    /// Begins another slice of the same question.
    func beginSlice() { self.sliceStart = .now }

    /// Whether the question is to be ended.
    var isOver: Bool { ContinuousClock.now - self.start > self.patience }

    /// Whether what can go on later should.
    var isSliceOver: Bool { ContinuousClock.now - self.sliceStart > self.slice }
}
