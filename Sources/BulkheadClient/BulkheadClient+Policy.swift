import Messages

// What may be asked, by whom, and what for.
extension BulkheadClient {
    /// The models that can be asked, the default first.
    ///
    /// - Parameters:
    ///   - purpose: What for; `nil` for requests without a purpose.
    ///   - identity: Whom the list is for; `nil` for this process. Only an administrator may ask for another.
    ///   - all: Whether those are listed too that cannot be asked, with the reason (``Model/reason``).
    public func models(
        for purpose: String? = nil, as identity: Identity? = nil, all: Bool = false
    ) async throws(ClientError) -> [Model] {
        let request = ModelsRequest(purpose: purpose, identity: identity, all: all)
        guard let models = try await self.completion(of: .models(request)).models else {
            throw .protocolViolation("an answer to 'models' without models")
        }
        return try Model.list(decoding: models)
    }

    /// The purposes that are configured and that this process may use; an administrator sees the others too.
    public func purposes() async throws(ClientError) -> [PurposeDescription] {
        guard let elements = try await self.completion(of: .purposes).purposes?.array else {
            throw .protocolViolation("an answer to 'purposes' without purposes")
        }
        return try Self.read { () throws(MessageError) in
            try elements.map { element throws(MessageError) in try PurposeDescription(decoding: element) }
        }
    }

    /// Whom the daemon takes this process for, and what it may do.
    public func whoami() async throws(ClientError) -> CallerDescription {
        guard let whoami = try await self.completion(of: .whoami).whoami else {
            throw .protocolViolation("an answer to 'whoami' that does not say who")
        }
        return try Self.read { () throws(MessageError) in try CallerDescription(decoding: whoami) }
    }

    /// How a request would be resolved, without sending it. One that would be refused is explained too.
    public func explain(_ request: ExplainRequest) async throws(ClientError) -> Explanation {
        guard let explanation = try await self.completion(of: .explain(request)).explanation else {
            throw .protocolViolation("an answer to 'explain' without an explanation")
        }
        return try Self.read { () throws(MessageError) in try Explanation(decoding: explanation) }
    }

    private static func read<Value>(_ read: () throws(MessageError) -> Value) throws(ClientError) -> Value {
        do throws(MessageError) { return try read() } catch { throw .protocolViolation("\(error)") }
    }
}
