internal import GRDB

/// The ids of rows from the newest on, and which of them are wanted: a query whose rows are `id, wanted`, in falling
/// order of ids.
///
/// Where few rows are wanted, a search through a large file goes on in the next page: it stops after a slice of time.
struct RowScan {
    private let sql: String
    private let bindings: [ReadConnection.Binding]

    /// How many rows pass between two looks at the clock.
    private static let rowsPerLook = 1_024
    /// Greater than any id.
    static let end = "\u{10FFFF}"

    init(_ sql: String, _ bindings: [ReadConnection.Binding]) {
        self.sql = sql
        self.bindings = bindings
    }

    /// Calls `take` with the wanted ids until it returns `false`, and returns where to go on; `nil` after the last row.
    func run(on connection: ReadConnection, _ take: (String) throws -> Bool) throws -> String? {
        var last: String?
        var wanted: String?
        var count = 0
        var resumption: String?
        try connection.rows(self.sql, self.bindings) { row in
            count += 1
            if row.integer(1) != 0, let id = row.text(0), id != wanted {
                guard try take(id) else {
                    resumption = last
                    return false
                }
                wanted = id
                last = id
            }
            guard count.isMultiple(of: Self.rowsPerLook) else { return true }
            last = row.text(0) ?? last
            guard connection.clock.isSliceOver else { return true }
            resumption = last
            return false
        }
        return resumption
    }
}

/// Conditions of a query, joined by AND, with the values of their parameters.
struct Conditions {
    private(set) var terms: [String] = []
    private(set) var bindings: [ReadConnection.Binding] = []

    mutating func add(_ term: String) { self.terms.append(term) }

    /// - Parameter term: With one `?`.
    mutating func add(_ term: String, _ text: String?) {
        guard let text else { return }
        self.terms.append(term)
        self.bindings.append(.text(text))
    }

    /// - Parameter term: With one `?`.
    mutating func add(_ term: String, _ integer: Int?) {
        guard let integer else { return }
        self.terms.append(term)
        self.bindings.append(.integer(integer))
    }

    /// - Parameter term: With as many `?` as there are bindings.
    mutating func add(_ term: String, _ bindings: [ReadConnection.Binding]) {
        self.terms.append(term)
        self.bindings += bindings
    }

    var sql: String { self.terms.isEmpty ? "1" : self.terms.joined(separator: " AND ") }
}
