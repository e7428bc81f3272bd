internal import GRDB
import Messages

/// The rows of `threads` and `turns`.
struct TurnRows {
    private let threadInsertion: PreparedStatement
    private let tipUpdate: PreparedStatement
    private let insertion: PreparedStatement
    private let tipSelection: PreparedStatement

    init(_ db: Database) throws {
        self.threadInsertion = try PreparedStatement(
            """
            INSERT INTO threads (id, name, tip_message_hash, datetime_utc) VALUES (?, ?, ?, ?)
            ON CONFLICT (id) DO NOTHING
            """, in: db)
        self.tipUpdate = try PreparedStatement("UPDATE threads SET tip_message_hash = ? WHERE id = ?", in: db)
        self.insertion = try PreparedStatement(
            """
            INSERT INTO turns (id, thread_id, parent_message_hash, tip_message_hash, model, options_json, input_tokens,
                output_tokens, token_details, duration_ms, datetime_utc, resolved_model, schema_id)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO NOTHING
            """, in: db)
        self.tipSelection = try PreparedStatement(
            """
            SELECT COALESCE(turns.tip_message_hash, requests.parent_message_hash) FROM requests
            LEFT JOIN turns ON turns.id = requests.turn WHERE requests.id = ?
            """, in: db)
    }

    /// The hash of the last message of a request's turn; where it has none, of the message that its answer was to follow.
    func tip(of request: ULID) throws -> String? {
        try self.tipSelection.bind(request.description, at: 1)
        defer { self.tipSelection.reset() }
        return try self.tipSelection.step() ? self.tipSelection.text(0) : nil
    }

    /// Stores the thread if it is new, and moves its end to `tip` if the turn is whole.
    ///
    /// A thread that begins with a turn that is not whole has no end yet.
    func insertThread(_ conversation: String, name: String, tip: String?, isWhole: Bool, at milliseconds: Int) throws {
        try self.threadInsertion.bind(conversation, at: 1)
        try self.threadInsertion.bind(name, at: 2)
        try self.threadInsertion.bind(isWhole ? tip : nil, at: 3)
        try self.threadInsertion.bind(InstantText.thread(milliseconds: milliseconds), at: 4)
        guard try self.threadInsertion.run() == 0, isWhole else { return }
        try self.tipUpdate.bind(tip, at: 1)
        try self.tipUpdate.bind(conversation, at: 2)
        try self.tipUpdate.run()
    }

    func insertTurn(_ ending: Ending, of request: ClosedRequest, tip: String?) throws {
        try self.insertion.bind(ending.request, at: 1)
        try self.insertion.bind(request.conversation, at: 2)
        try self.insertion.bind(request.parent, at: 3)
        try self.insertion.bind(tip, at: 4)
        try self.insertion.bind(request.model, at: 5)
        try self.insertion.bind(request.options, at: 6)
        try self.insertion.bind(ending.usage?.input, at: 7)
        try self.insertion.bind(ending.usage?.output, at: 8)
        try self.insertion.bind(ending.usage?.details.flatMap(PythonObject.text), at: 9)
        try self.insertion.bind(ending.durationMilliseconds, at: 10)
        try self.insertion.bind(InstantText.turn(milliseconds: request.startedMilliseconds), at: 11)
        try self.insertion.bind(ending.resolvedModel, at: 12)
        try self.insertion.bind(request.schema, at: 13)
        try self.insertion.run()
    }
}
