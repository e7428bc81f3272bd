public import Messages

/// Runs a slot's requests with the slot's provider, one after the other.
public struct RequestRunner {
    private var provider: any Provider
    private let channel: any SlotChannel

    public init(_ provider: any Provider, channel: any SlotChannel) {
        self.provider = provider
        self.channel = channel
    }

    /// Runs `request` and writes its events, of which exactly one, the last, is `done` or `error`.
    ///
    /// - Returns: `false` if the slot was closed, so that no last frame could be written.
    public mutating func run(_ request: ModelRequest) -> Bool {
        do throws(RequestEnd) { return self.write(SlotEvent.done(try self.complete(request)).encoded) } catch {
            return self.end(error, key: request.key)
        }
    }

    /// Makes embeddings, in the same way.
    public mutating func run(_ request: EmbeddingRequest) -> Bool {
        do throws(RequestEnd) { return self.write(EmbeddingEvent.done(try self.complete(request)).encoded) } catch {
            return self.end(error, key: request.key)
        }
    }

    /// Asks the provider which models it has, and writes the one event that says so, or why not.
    public mutating func list(_ listing: ModelListing) -> Bool {
        do throws(RequestEnd) {
            return self.write(SlotEvent.models(try self.provider.listModels(key: listing.key)).encoded)
        } catch {
            return self.end(error, key: listing.key)
        }
    }

    /// Ends a request that could not even be read.
    public func refuse(_ failure: Failure) -> Bool { self.write(SlotEvent.error(failure, usage: nil).encoded) }

    private mutating func complete(_ request: ModelRequest) throws(RequestEnd) -> SlotCompletion {
        try self.checkServes(request.model)
        let output = AnswerOutput(for: request, channel: self.channel)
        var completion = try self.provider.run(request, into: output)
        completion.answer = output.takeAnswer()
        completion.providerRequestID = completion.providerRequestID?.withoutKey(request.key)
        completion.finishReason = completion.finishReason?.withoutKey(request.key)
        completion.resolvedModel = completion.resolvedModel?.withoutKey(request.key)
        return completion
    }

    private mutating func complete(_ request: EmbeddingRequest) throws(RequestEnd) -> EmbeddingCompletion {
        try self.checkServes(request.model)
        let output = EmbeddingOutput(for: request, channel: self.channel)
        var completion = try self.provider.embed(request, into: output)
        completion.embeddings = try output.takeEmbeddings()
        completion.providerRequestID = completion.providerRequestID?.withoutKey(request.key)
        completion.resolvedModel = completion.resolvedModel?.withoutKey(request.key)
        return completion
    }

    private func checkServes(_ model: String) throws(RequestEnd) {
        guard self.provider.serves(model) else {
            throw .failed(.modelError, "this provider serves no model '\(model)'")
        }
    }

    private func end(_ end: RequestEnd, key: String?) -> Bool {
        switch end {
        case .failed(let failure, let usage):
            self.write(SlotEvent.error(failure.withoutKey(key), usage: usage).encoded)
        case .cancelled: self.refuse(Failure(.cancelled, "the request was cancelled"))
        case .slotClosed: false
        }
    }

    private func write(_ event: [UInt8]) -> Bool {
        do throws(RequestEnd) {
            try self.channel.write(event)
            try self.channel.flush()
        } catch {
            return false
        }
        return true
    }
}

extension Failure {
    /// The failure without the key of the request, should its provider have repeated it.
    fileprivate func withoutKey(_ key: String?) -> Failure {
        Failure(
            self.code, self.message.withoutKey(key), retryAfterMilliseconds: self.retryAfterMilliseconds,
            providerRequestID: self.providerRequestID?.withoutKey(key))
    }
}
