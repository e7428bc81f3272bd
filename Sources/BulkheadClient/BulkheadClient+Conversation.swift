public import Messages

extension BulkheadClient {
    /// The conversation of the newest prompt that this process's user asked; `nil` where there is none on record.
    public func newestConversation() async throws(ClientError) -> String? {
        var request = LogsRequest()
        (request.limit, request.own) = (1, true)
        repeat {
            let page = try await self.logs(request)
            if let row = page.rows.first { return row.conversation }
            request.before = page.next
        } while request.before != nil
        return nil
    }
}

extension ClientEvent.Event {
    /// The conversation that the answer is on record in, of `start` and of a prompt's `done`: what the next prompt
    /// continues. `nil` for other events, and where the daemon stores no prompts.
    public var conversation: String? {
        switch self {
        case .start(let start): start.conversation
        case .done(let completion), .round(let completion, _): completion.conversation
        case .text, .reasoning, .toolCall, .toolResult, .metadata, .error, .unknown: nil
        }
    }
}
