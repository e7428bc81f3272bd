internal import GRDB
import Messages

/// The rows of the table `requests`.
struct RequestRows {
    private let insertion: PreparedStatement
    private let closing: PreparedStatement

    init(_ db: Database) throws {
        self.insertion = try PreparedStatement(
            """
            INSERT INTO requests (id, session, state, started_ms, uid, gid, pid, provider, model, stream,
                conversation, parent_message_hash, options_json, schema_id, tool_ids, chain, operation,
                user_groups, unit, caller, actor, purpose, group_id, key_name, annotations)
            VALUES (?, ?, 'open', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO NOTHING
            """, in: db)
        self.closing = try PreparedStatement(
            """
            UPDATE requests SET state = ?, ended_ms = ?, duration_ms = ?, input_tokens = ?, output_tokens = ?,
                usage_details = ?, finish_reason = ?, error_code = ?, error_message = ?, provider_request_id = ?,
                resolved_model = ?, turn = CASE WHEN ? AND conversation IS NOT NULL THEN id END
            WHERE id = ? AND state = 'open'
            RETURNING conversation, parent_message_hash, options_json, model, started_ms, schema_id, tool_ids
            """, in: db)
    }

    /// Inserts a row that is open; `false` if the id is taken.
    ///
    /// - Parameter prompt: `nil` where prompts are not stored.
    func insert(
        _ record: OpenRecord, session: String, prompt: StoredPrompt? = nil,
        _ definitions: PromptDefinitions = PromptDefinitions()
    ) throws -> Bool {
        let statement = self.insertion
        try statement.bind(record.request.description, at: 1)
        try statement.bind(session, at: 2)
        try statement.bind(record.atMilliseconds, at: 3)
        try statement.bind(record.peer.uid, at: 4)
        try statement.bind(record.peer.gid, at: 5)
        try statement.bind(record.peer.pid, at: 6)
        try statement.bind(record.provider, at: 7)
        try statement.bind(record.model, at: 8)
        try statement.bind(record.stream ? 1 : 0, at: 9)
        try statement.bind(prompt?.conversation, at: 10)
        try statement.bind(prompt?.hash, at: 11)
        try statement.bind(prompt?.options, at: 12)
        try statement.bind(definitions.schema, at: 13)
        try statement.bind(definitions.tools, at: 14)
        try statement.bind(record.chain?.description, at: 15)
        try statement.bind(record.operation.rawValue, at: 16)
        try statement.bind(Self.array(record.peer.groups), at: 17)
        try statement.bind(record.peer.unit, at: 18)
        try statement.bind(record.caller, at: 19)
        try statement.bind(record.mandate.actor, at: 20)
        try statement.bind(record.mandate.purpose, at: 21)
        try statement.bind(record.mandate.group?.description, at: 22)
        try statement.bind(record.keyName, at: 23)
        try statement.bind(record.annotations.map { String(decoding: $0, as: UTF8.self) }, at: 24)
        return try statement.run() == 1
    }

    /// A JSON array; `nil` where there is nothing in it.
    private static func array(_ numbers: [Int]) -> String? {
        numbers.isEmpty ? nil : "[\(numbers.map(String.init).joined(separator: ","))]"
    }

    /// Closes the row, if it is open: the first end stays.
    ///
    /// - Parameter hasTurn: Whether a turn is to be named, where the prompt is stored.
    func close(_ ending: Ending, hasTurn: Bool) throws -> ClosedRequest? {
        let statement = self.closing
        try statement.bind(ending.state.rawValue, at: 1)
        try statement.bind(ending.atMilliseconds, at: 2)
        try statement.bind(ending.durationMilliseconds, at: 3)
        try statement.bind(ending.usage?.input, at: 4)
        try statement.bind(ending.usage?.output, at: 5)
        try statement.bind(ending.usage?.details.map { String(decoding: $0, as: UTF8.self) }, at: 6)
        try statement.bind(ending.finishReason, at: 7)
        try statement.bind(ending.errorCode, at: 8)
        try statement.bind(ending.errorMessage, at: 9)
        try statement.bind(ending.providerRequestID, at: 10)
        try statement.bind(ending.resolvedModel, at: 11)
        try statement.bind(hasTurn ? 1 : 0, at: 12)
        try statement.bind(ending.request, at: 13)
        guard try statement.step() else { return nil }
        let request = ClosedRequest(
            conversation: statement.text(0), parent: statement.text(1), options: statement.text(2),
            model: statement.text(3) ?? "", startedMilliseconds: statement.integer(4),
            schema: statement.text(5), tools: statement.text(6))
        try statement.run()
        return request
    }
}

/// What the row of a request that ended says of its beginning.
struct ClosedRequest {
    /// `nil` where its prompt is not stored.
    let conversation: String?
    /// The hash of the message that the answer follows; `nil` where there is none.
    let parent: String?
    let options: String?
    let model: String
    let startedMilliseconds: Int
    let schema: String?
    let tools: String?
}

/// What of a prompt is stored beside its messages.
struct PromptDefinitions {
    /// The id of its schema.
    var schema: String?
    /// The ids of its tools, a JSON array.
    var tools: String?
}

/// How a request ended, or that nobody knows.
struct Ending {
    let request: String
    let state: EndRecord.State
    let atMilliseconds: Int
    var durationMilliseconds: Int?
    var usage: Usage?
    var finishReason: String?
    var errorCode: String?
    var errorMessage: String?
    var providerRequestID: String?
    /// The model that answered, where it is another than was asked.
    var resolvedModel: String?

    init(_ record: EndRecord) {
        self.request = record.request.description
        self.state = record.state
        self.atMilliseconds = record.atMilliseconds
        self.durationMilliseconds = record.durationMilliseconds
        self.usage = record.usage
        self.finishReason = record.finishReason
        self.errorCode = record.failure?.code.rawValue
        self.errorMessage = record.failure?.message
        self.providerRequestID = record.providerRequestID ?? record.failure?.providerRequestID
        self.resolvedModel = record.resolvedModel
    }

    /// The end of a request whose supervisor ended before it did.
    init(lost request: String, atMilliseconds milliseconds: Int) {
        self.request = request
        self.state = .lost
        self.atMilliseconds = milliseconds
        self.errorMessage = "the supervisor ended before the request did"
    }
}
