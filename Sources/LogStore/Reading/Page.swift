/// Rows as JSON objects, newest first, up to a bound of bytes and one of values.
struct Page {
    /// About how many bytes the rows of a page may have. The first row is taken, however large it is.
    private static let maximumLength = 1 << 20
    /// How many JSON values the rows of a page may hold, which leaves room for what is around them.
    private static let maximumNodes = 240_000

    private(set) var rows: [[UInt8]] = []
    /// The `before` of the next page; `nil` on the last one.
    var next: String?
    private var length = 0
    private var nodes = 0

    /// Takes the row, unless it is too much for this page.
    mutating func append(_ row: EncodedRow) -> Bool {
        guard
            self.rows.isEmpty
                || self.length + row.bytes.count <= Self.maximumLength && self.nodes + row.nodes <= Self.maximumNodes
        else { return false }
        self.rows.append(row.bytes)
        self.length += row.bytes.count
        self.nodes += row.nodes
        return true
    }

    /// The rows as a JSON array.
    var encodedRows: [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "[")]
        bytes.reserveCapacity(self.length + self.rows.count + 2)
        for (index, row) in self.rows.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(contentsOf: row)
        }
        bytes.append(UInt8(ascii: "]"))
        return bytes
    }
}

/// A row as a JSON object, and about how many values it holds.
struct EncodedRow {
    let bytes: [UInt8]
    let nodes: Int
}
