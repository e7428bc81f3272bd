public import Messages

/// A group of requests of one connection: one piece of work, for one purpose and one actor. See ``BulkheadClient/group``.
///
/// What is asked through it belongs to it, whatever its request says; what the same connection is asked elsewhere does not.
public struct PromptGroup: Sendable {
    let client: BulkheadClient
    /// Its name on record.
    public let name: ULID

    /// As ``BulkheadClient/prompt(_:)``.
    public func prompt(_ request: PromptRequest) -> Answer { self.client.prompt(self.joined(request)) }

    /// As ``BulkheadClient/complete(_:)``.
    public func complete(_ request: PromptRequest) async throws(ClientError) -> ClientEvent.Completion {
        try await self.client.complete(self.joined(request))
    }

    /// As ``BulkheadClient/chain(_:tools:options:)``.
    public func chain(_ request: PromptRequest, tools: [Tool], options: ChainOptions = ChainOptions()) -> Chain {
        self.client.chain(self.joined(request), tools: tools, options: options)
    }

    /// As ``BulkheadClient/embed(_:)``.
    public func embed(_ request: EmbedRequest) async throws(ClientError) -> Embeddings {
        var request = request
        request.mandate.group = self.name
        return try await self.client.embed(request)
    }

    private func joined(_ request: PromptRequest) -> PromptRequest {
        var request = request
        request.mandate.group = self.name
        return request
    }
}

extension BulkheadClient {
    /// Begins a group of requests, and ends it when `body` is over, well or badly.
    ///
    ///     let rows = try await client.group(purpose: "enrichments") { group in
    ///         try await group.complete(PromptRequest(prompt: "…")).text
    ///     }
    ///
    /// It returns when the requests of the group have ended and whoever the daemon tells of that has heard it. An answer that
    /// `body` has neither read to its end nor dropped is waited for too, so it must be read elsewhere meanwhile.
    ///
    /// - Parameters:
    ///   - purpose: What its requests are for; `nil`: nothing in particular.
    ///   - model: What they ask, by an id or an alias; `nil`: each may name its own.
    ///   - actor: Whom they are for, where the caller may say so.
    /// - Throws: What `body` has thrown, or else why the group could not be begun, or its end not be waited for.
    public func group<Value: Sendable>(
        purpose: String? = nil, model: String? = nil, actor: String? = nil,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (PromptGroup) async throws -> Value
    ) async throws -> Value {
        let request = GroupBeginRequest(Mandate(purpose: purpose, actor: actor), model: model)
        guard let name = try await self.completion(of: .groupBegin(request)).group.flatMap({ ULID($0) }) else {
            throw ClientError.protocolViolation("an answer to 'group_begin' without a group")
        }
        let value: Value
        do { value = try await body(PromptGroup(client: self, name: name)) } catch {
            // What went wrong first is told.
            _ = try? await self.end(name)
            throw error
        }
        try await self.end(name)
        return value
    }

    /// Ends a group, and returns how many requests of it are on record.
    @discardableResult
    private func end(_ group: ULID) async throws(ClientError) -> Int {
        try await self.completion(of: .groupEnd(GroupEndRequest(group: group))).groupRequests ?? 0
    }
}
