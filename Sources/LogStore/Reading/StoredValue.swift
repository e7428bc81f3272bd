internal import GRDB
internal import GRDBSQLite

/// Values of one column of a table with row ids, read byte by byte and so without loading more than is asked for
/// (sqlite3_blob_open).
///
/// Texts come as their bytes, with what follows a NUL. It keeps the state of the file that it saw until it is closed.
final class StoredValue {
    private let connection: OpaquePointer
    private let table: String
    private let column: String
    private var handle: OpaquePointer?

    init(_ connection: ReadConnection, table: String, column: String) {
        self.connection = connection.handle
        self.table = table
        self.column = column
    }

    deinit { self.close() }

    func close() {
        sqlite3_blob_close(self.handle)
        self.handle = nil
    }

    /// The size in bytes of the value in a row, which must not be NULL.
    func size(row: Int) throws -> Int {
        try self.move(to: row)
        return Int(sqlite3_blob_bytes(self.handle))
    }

    /// The first bytes of the value in a row, which must not be NULL.
    func bytes(row: Int, atMost count: Int) throws -> [UInt8] {
        let size = min(try self.size(row: row), count)
        return try [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
            guard size > 0 else { return }
            try self.check(sqlite3_blob_read(self.handle, buffer.baseAddress, CInt(size), 0))
            initialized = size
        }
    }

    private func move(to row: Int) throws {
        if let handle = self.handle {
            let code = sqlite3_blob_reopen(handle, sqlite3_int64(row))
            // A handle that could not be moved is of no use any more.
            if code != SQLITE_OK { self.close() }
            return try self.check(code)
        }
        let code = sqlite3_blob_open(
            self.connection, "main", self.table, self.column, sqlite3_int64(row), 0, &self.handle)
        if code != SQLITE_OK { self.close() }
        try self.check(code)
    }

    private func check(_ code: CInt) throws {
        guard code == SQLITE_OK else {
            throw DatabaseError(
                resultCode: ResultCode(rawValue: code), message: String(cString: sqlite3_errmsg(self.connection)))
        }
    }
}
