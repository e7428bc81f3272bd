internal import GRDB
internal import GRDBSQLite

/// A statement that is compiled once and run many times.
///
/// It binds bytes with their length: a text may hold NUL, at which GRDB's binding ends. And it costs a third of GRDB's
/// statement, which matters where some twenty run for each request.
final class PreparedStatement {
    private let handle: OpaquePointer
    private let connection: OpaquePointer

    init(_ sql: String, in db: Database) throws {
        self.connection = db.sqliteConnection!
        var handle: OpaquePointer?
        let code = sqlite3_prepare_v3(
            self.connection, sql, -1, CUnsignedInt(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard code == SQLITE_OK, let handle else { throw Self.error(code, self.connection) }
        self.handle = handle
    }

    deinit { sqlite3_finalize(self.handle) }

    /// Tells SQLite to copy what is bound (SQLITE_TRANSIENT).
    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    func bind(_ text: String?, at index: CInt) throws {
        guard var text else { return try self.check(sqlite3_bind_null(self.handle, index)) }
        try self.check(
            text.withUTF8 { utf8 in
                utf8.withMemoryRebound(to: CChar.self) {
                    // An empty buffer may have no address, which would bind NULL.
                    sqlite3_bind_text64(
                        self.handle, index, $0.baseAddress ?? UnsafePointer(bitPattern: 1), UInt64($0.count),
                        Self.copied, UInt8(SQLITE_UTF8))
                }
            })
    }

    func bind(blob: [UInt8]?, at index: CInt) throws {
        guard let blob else { return try self.check(sqlite3_bind_null(self.handle, index)) }
        try self.check(
            blob.withUnsafeBytes {
                sqlite3_bind_blob64(
                    self.handle, index, $0.baseAddress ?? UnsafeRawPointer(bitPattern: 1), UInt64($0.count), Self.copied
                )
            })
    }

    func bind(_ integer: Int?, at index: CInt) throws {
        guard let integer else { return try self.check(sqlite3_bind_null(self.handle, index)) }
        try self.check(sqlite3_bind_int64(self.handle, index, Int64(integer)))
    }

    /// Runs the statement to its end, whatever rows it has, and returns how many rows it changed.
    @discardableResult
    func run() throws -> Int {
        while try self.step() {}
        return Int(sqlite3_changes(self.connection))
    }

    /// Moves to the next row; `false`, and ready to run again, after the last one.
    func step() throws -> Bool {
        let code = sqlite3_step(self.handle)
        if code == SQLITE_ROW { return true }
        self.reset()
        guard code == SQLITE_DONE else { throw Self.error(code, self.connection) }
        return false
    }

    /// Makes the statement ready to run again, before its last row, and lets go of the texts that are bound.
    func reset() {
        sqlite3_reset(self.handle)
        sqlite3_clear_bindings(self.handle)
    }

    /// The text in a column of the row, from 0; `nil` for NULL.
    func text(_ column: CInt) -> String? {
        guard let text = sqlite3_column_text(self.handle, column) else { return nil }
        let bytes = UnsafeBufferPointer(start: text, count: Int(sqlite3_column_bytes(self.handle, column)))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The integer in a column of the row, from 0; 0 for NULL.
    func integer(_ column: CInt) -> Int { Int(sqlite3_column_int64(self.handle, column)) }

    /// The integer in a column of the row, from 0; `nil` for NULL.
    func optionalInteger(_ column: CInt) -> Int? {
        sqlite3_column_type(self.handle, column) == SQLITE_NULL ? nil : self.integer(column)
    }

    private func check(_ code: CInt) throws {
        guard code == SQLITE_OK else { throw Self.error(code, self.connection) }
    }

    private static func error(_ code: CInt, _ connection: OpaquePointer) -> DatabaseError {
        DatabaseError(resultCode: ResultCode(rawValue: code), message: String(cString: sqlite3_errmsg(connection)))
    }
}
