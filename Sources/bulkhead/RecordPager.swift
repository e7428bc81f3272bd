import BulkheadClient

/// Reads rows page by page, until there are as many as were asked for.
struct RecordPager {
    /// How many rows; 0 means all.
    let count: Int

    /// - Parameters:
    ///   - fetch: Asks for a page: how many rows at most, and from where on.
    ///   - body: Gets the rows of each page that has some.
    func run<Row>(
        _ fetch: (_ limit: Int, _ before: String?) async throws -> RecordPage<Row>, _ body: ([Row]) throws -> Void
    ) async throws {
        var left = self.count == 0 ? Int.max : self.count
        var before: String?
        repeat {
            let page = try await fetch(min(left, BulkheadClient.pageRows), before)
            let rows = page.rows.prefix(left)
            if !rows.isEmpty { try body(Array(rows)) }
            left -= rows.count
            before = page.next
        } while before != nil && left > 0
    }
}

/// Prints a JSON array element by element, each on a line of its own.
struct JSONArrayPrinter {
    private let output = StandardStream.output
    private var isEmpty = true

    mutating func print(_ elements: [JSONValue]) throws(OutputClosed) {
        for element in elements {
            try self.output.write(self.isEmpty ? "[" : ",\n ")
            try self.output.write(self.output.isTerminal ? TerminalText.json(element.text()) : element.text())
            self.isEmpty = false
        }
    }

    func finish() throws(OutputClosed) { try self.output.write(self.isEmpty ? "[]\n" : "]\n") }
}
