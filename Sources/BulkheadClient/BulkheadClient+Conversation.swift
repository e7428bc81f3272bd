import Glibc
public import Messages

extension BulkheadClient {
    /// How many pages of the record are looked through for a conversation.
    private static let pageBound = 20

    /// The conversation of the newest prompt that this process's user asked; `nil` where there is none on record.
    ///
    /// An administrator's record holds what other users asked, and what llm itself wrote. That is passed over, but not to
    /// the end of a long record: what lies behind its newest pages has to be named.
    public func newestConversation() async throws(ClientError) -> String? {
        let user = Int(geteuid())
        var request = LogsRequest()
        // For most users the newest row is the one.
        request.limit = 1
        for _ in 0..<Self.pageBound {
            let page = try await self.completion(of: .logs(request))
            guard let rows = page.rows?.array else {
                throw .protocolViolation("an answer to 'logs' without rows")
            }
            for row in rows where row["uid"]?.integer == user {
                if let conversation = row["conversation"]?.string { return conversation }
            }
            guard let next = page.next else { return nil }
            request.before = next
            request.limit = ProtocolBounds.pageRows
        }
        return nil
    }
}

extension ClientEvent.Event {
    /// The conversation that the answer is on record in, of `start` and of a prompt's `done`: what the next prompt
    /// continues. `nil` for other events, and where the daemon stores no prompts.
    public var conversation: String? {
        switch self {
        case .start(_, _, _, let conversation): conversation
        case .done(let completion): completion.conversation
        case .text, .reasoning, .toolCall, .error, .unknown: nil
        }
    }
}
