internal import GRDB
import Messages

/// The rows of `bulkhead_output`: pieces of answers whose requests are open.
struct OutputRows {
    private let insertion: PreparedStatement
    private let selection: PreparedStatement
    private let deletion: PreparedStatement

    init(_ db: Database) throws {
        self.insertion = try PreparedStatement(
            """
            INSERT INTO bulkhead_output (request, sequence, events)
            SELECT id, ?, ? FROM requests WHERE id = ? AND state = 'open' AND conversation IS NOT NULL
            ON CONFLICT (request, sequence) DO NOTHING
            """, in: db)
        self.selection = try PreparedStatement(
            "SELECT events FROM bulkhead_output WHERE request = ? ORDER BY sequence", in: db)
        self.deletion = try PreparedStatement("DELETE FROM bulkhead_output WHERE request = ?", in: db)
    }

    /// Keeps a piece; `false` if no open request takes it.
    func insert(_ record: OutputRecord, sequence: Int) throws -> Bool {
        try self.insertion.bind(sequence, at: 1)
        try self.insertion.bind(String(decoding: record.output, as: UTF8.self), at: 2)
        try self.insertion.bind(record.request.description, at: 3)
        return try self.insertion.run() == 1
    }

    /// Removes the pieces of a request and returns them in their order.
    func take(_ request: String) throws -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        try self.selection.bind(request, at: 1)
        while try self.selection.step() { pieces.append(Array((self.selection.text(0) ?? "").utf8)) }
        guard !pieces.isEmpty else { return [] }
        try self.deletion.bind(request, at: 1)
        try self.deletion.run()
        return pieces
    }
}

/// The pieces of answers that end in the same batch: they need no row of their own.
struct BatchOutput {
    private var pieces: [ULID: [[UInt8]]] = [:]

    init(_ records: [LogRecord]) {
        guard records.contains(where: { if case .output = $0 { true } else { false } }) else { return }
        for case .end(let record) in records { self.pieces[record.request] = [] }
    }

    /// Takes the piece, if its request ends in the batch.
    mutating func append(_ record: OutputRecord) -> Bool {
        guard self.pieces[record.request] != nil else { return false }
        self.pieces[record.request]!.append(record.output)
        return true
    }

    mutating func take(_ request: ULID) -> [[UInt8]] { self.pieces.removeValue(forKey: request) ?? [] }
}
