import JSON
import Messages

/// A row of the table of attempts.
struct AttemptRow {
    /// The most that are shown of one request.
    private static let maximumCount = 32

    /// The row as a client reads it (proto/client.md, RequestsDone).
    let encoded: [UInt8]
    /// The values in it, at most.
    let nodes: Int

    /// Those of a request, in their order; none where it needed one attempt.
    static func all(of request: String, _ connection: ReadConnection) throws -> [AttemptRow] {
        var rows: [AttemptRow] = []
        try connection.rows(
            """
            SELECT number, provider, model, started_ms, duration_ms, input_tokens, output_tokens, usage_details,
                error_code, error_message, retry_after_ms, provider_request_id
            FROM attempts WHERE request = ? ORDER BY number
            """, [.text(request)]
        ) { row in
            rows.append(AttemptRow(row))
            return rows.count < Self.maximumCount
        }
        return rows
    }

    private init(_ row: PreparedStatement) {
        let usage = Usage(input: row.optionalInteger(5), output: row.optionalInteger(6), storedDetails: row.text(7))
        var object = JSONObjectBuilder(minimumCapacity: 256)
        object.add("attempt", row.integer(0))
        object.add("provider", row.text(1) ?? "")
        object.add("model", row.text(2) ?? "")
        object.add("started_at_ms", max(row.integer(3), 0))
        object.add("duration_ms", max(row.integer(4), 0))
        if let usage { object.add("usage", raw: usage.encoded) }
        if let code = row.text(8) {
            var error = JSONObjectBuilder()
            error.add("code", code)
            error.add("message", row.text(9) ?? "")
            error.add("retry_after_ms", ifPresent: row.optionalInteger(10))
            object.add("error", raw: error.finish())
        }
        object.add("provider_request_id", ifPresent: row.text(11))
        self.encoded = object.finish()
        // Details are bounded in bytes, and so in values.
        self.nodes = usage?.details == nil ? 16 : 16 + ProtocolBounds.usageDetails
    }
}
