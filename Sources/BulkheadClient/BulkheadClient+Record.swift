import JSON
public import Messages

extension BulkheadClient {
    /// How many rows a page may have.
    public static let pageRows = ProtocolBounds.pageRows

    /// What was asked and answered, newest first, a page at a time.
    ///
    ///     var request = LogsRequest()
    ///     repeat {
    ///         let page = try await client.logs(request)
    ///         for row in page.rows { print(row.prompt, row.response) }
    ///         request.before = page.next
    ///     } while request.before != nil
    public func logs(_ request: LogsRequest = LogsRequest()) async throws(ClientError) -> RecordPage<LogRow> {
        let completion = try await self.completion(of: .logs(request))
        var rows: [LogRow] = []
        for row in try Self.rows(completion, of: "logs") { rows.append(try LogRow(decoding: row)) }
        return RecordPage(rows: rows, next: completion.next)
    }

    /// The rows of the table of requests, newest first, a page at a time, as ``logs(_:)`` gives them.
    public func requests(
        _ request: RequestsRequest = RequestsRequest()
    ) async throws(ClientError) -> RecordPage<RequestRow> {
        let completion = try await self.completion(of: .requests(request))
        var rows: [RequestRow] = []
        for row in try Self.rows(completion, of: "requests") { rows.append(try RequestRow(decoding: row)) }
        return RecordPage(rows: rows, next: completion.next)
    }

    private static func rows(
        _ completion: ClientEvent.Completion, of name: String
    ) throws(ClientError) -> [JSONValue] {
        guard let rows = completion.rows?.array else { throw .protocolViolation("an answer to '\(name)' without rows") }
        return rows
    }
}
