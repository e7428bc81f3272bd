internal import GRDB
import JSON
import Messages

/// A row of the table of requests.
struct RequestRow {
    let id: String
    let state: String
    let startedMilliseconds: Int
    let endedMilliseconds: Int?
    let durationMilliseconds: Int?
    let uid: Int?
    let gid: Int?
    let pid: Int?
    let origin: RequestOrigin
    let provider: String
    let model: String
    let isStream: Bool?
    let usage: Usage?
    let finishReason: String?
    let errorCode: String?
    let errorMessage: String?
    let providerRequestID: String?
    let conversation: String?
    let parent: String?
    let turn: String?
    let operation: String
    let chain: String?
    /// What was tried, where one attempt was not enough.
    private(set) var attempts: [AttemptRow] = []

    /// `nil` if there is no such row.
    init?(_ id: String, _ connection: ReadConnection) throws {
        let row = try connection.row(
            """
            SELECT state, started_ms, ended_ms, duration_ms, uid, gid, pid, provider, model, stream, input_tokens,
                output_tokens, usage_details, finish_reason, error_code, error_message, provider_request_id,
                conversation, parent_message_hash, turn, chain, operation, \(RequestOrigin.columns)
            FROM requests WHERE id = ?
            """, [.text(id)]
        ) { row in RequestRow(id, row) }
        guard let row else { return nil }
        self = row
        self.attempts = try AttemptRow.all(of: id, connection)
    }

    private init(_ id: String, _ row: PreparedStatement) {
        self.id = id
        self.state = row.text(0) ?? ""
        self.startedMilliseconds = max(row.integer(1), 0)
        self.endedMilliseconds = row.optionalInteger(2).map { max($0, 0) }
        self.durationMilliseconds = row.optionalInteger(3).map { max($0, 0) }
        self.uid = row.optionalInteger(4)
        self.gid = row.optionalInteger(5)
        self.pid = row.optionalInteger(6)
        self.provider = row.text(7) ?? ""
        self.model = row.text(8) ?? ""
        self.isStream = row.optionalInteger(9).map { $0 != 0 }
        self.usage = Usage(input: row.optionalInteger(10), output: row.optionalInteger(11), storedDetails: row.text(12))
        self.finishReason = row.text(13)
        self.errorCode = row.text(14)
        self.errorMessage = row.text(15)
        self.providerRequestID = row.text(16)
        self.conversation = row.text(17)
        self.parent = row.text(18)
        self.turn = row.text(19)
        self.chain = row.text(20)
        self.origin = RequestOrigin(row, from: 22)
        self.operation = row.text(21) ?? OpenRecord.Operation.prompt.rawValue
    }

    /// The row as a client reads it (proto/client.md, RequestsDone).
    var encoded: EncodedRow {
        var object = JSONObjectBuilder(minimumCapacity: 512)
        object.add("id", self.id)
        object.add("state", self.state)
        object.add("started_at_ms", self.startedMilliseconds)
        object.add("ended_at_ms", ifPresent: self.endedMilliseconds)
        object.add("duration_ms", ifPresent: self.durationMilliseconds)
        object.add("uid", ifPresent: self.uid)
        object.add("gid", ifPresent: self.gid)
        object.add("pid", ifPresent: self.pid)
        self.origin.appendPeer(to: &object)
        self.origin.appendMandate(to: &object)
        object.add("provider", self.provider)
        object.add("model", self.model)
        object.add("key_name", ifPresent: self.origin.keyName)
        if let isStream = self.isStream { object.add("stream", isStream) }
        if self.operation != OpenRecord.Operation.prompt.rawValue { object.add("operation", self.operation) }
        if let usage = self.usage { object.add("usage", raw: usage.encoded) }
        object.add("finish_reason", ifPresent: self.finishReason)
        object.add("provider_request_id", ifPresent: self.providerRequestID)
        if let error = self.encodedError { object.add("error", raw: error) }
        object.add("conversation", ifPresent: self.conversation)
        object.add("turn", ifPresent: self.turn)
        object.add("chain", ifPresent: self.chain)
        if let annotations = self.origin.annotations { object.add("annotations", annotations) }
        if !self.attempts.isEmpty { object.add("attempts", rawElements: self.attempts.map(\.encoded)) }
        // Details are bounded in bytes, and so in values.
        let details = self.usage?.details == nil ? 0 : ProtocolBounds.usageDetails
        let nodes = self.attempts.reduce(40 + self.origin.nodes + details) { $0 + $1.nodes }
        return EncodedRow(bytes: object.finish(), nodes: nodes)
    }

    /// Why the request failed; `nil` where it did not.
    var encodedError: [UInt8]? {
        guard self.errorCode != nil || self.errorMessage != nil else { return nil }
        var object = JSONObjectBuilder()
        object.add("code", self.errorCode ?? self.state)
        object.add("message", self.errorMessage ?? "")
        return object.finish()
    }
}

extension Usage {
    /// `nil` where nothing is known. Details that are no JSON object are left out.
    init?(input: Int?, output: Int?, storedDetails: String?) {
        let details = storedDetails.flatMap { text -> [UInt8]? in
            guard text.utf8.count <= ProtocolBounds.usageDetails,
                let value = try? JSONValue(parsing: text, bounds: StoredJSON.bounds), value.members != nil
            else { return nil }
            return value.serialized()
        }
        guard input != nil || output != nil || details != nil else { return nil }
        self.init(input: input, output: output, details: details)
    }
}
