import Messages
import Policy

// Requests for embeddings. From their admission on they go the way of prompts that are not streamed; of their texts and
// vectors nothing goes on record. They are tried again like any, but by no other model: vectors of two models mean nothing to each
// other, and whoever keeps them would not notice.
extension SupervisorCore {
    /// Admits a request for embeddings, or says why not.
    mutating func admit(
        _ embed: EmbedRequest, id: RequestIdentifier, from connectionID: ConnectionID, at now: Now
    ) {
        let number = RequestNumber(rawValue: self.nextNumber())
        do throws(Failure) {
            try self.checkDoor(of: connectionID)
            let terms = try self.terms(of: embed.mandate, from: connectionID)
            try self.takeRequest(number, of: terms.caller)
            try self.enter(.embed(embed), number, under: terms, id: id, from: connectionID, at: now)
        } catch {
            self.callerRequests.release(number)
            self.send(ClientAnswer.error(id: id, error), to: connectionID)
        }
    }

    /// - Returns: The request with the options that are configured, and whom it goes to.
    func checkAdmission(
        of embed: EmbedRequest, under terms: Terms, at now: Now
    ) throws(Failure) -> (embed: EmbedRequest, route: Route) {
        let (provider, model) = try self.resolveEmbeddingModel(embed.model, under: terms)
        if let refusal = terms.refusal(of: model.id) { throw refusal }
        var embed = embed
        embed.options = OptionDefaults.fill(embed.options, with: terms.rules.options(for: model.id)).options
        try ModelFit.checkEmbedding(options: embed.options, of: model, title: self.title(of: provider))
        let asked = Attempts.Candidate(provider: provider, model: model)
        return (embed, try self.route(from: asked, under: terms, at: now) { _ in false })
    }

    /// Opens a request for embeddings.
    ///
    /// - Parameter receivedAt: When it came.
    /// - Throws: Why it is refused. Nothing that is refused here has a row.
    mutating func open(
        _ embed: EmbedRequest, _ number: RequestNumber, under terms: Terms, id: RequestIdentifier,
        from connectionID: ConnectionID, since receivedAt: Instant, at now: Now
    ) throws(Failure) {
        let (embed, route) = try self.checkAdmission(of: embed, under: terms, at: now)
        let (asked, provider, model) = (route.asked, route.asked.provider, route.asked.model)
        try self.checkMemory()
        let settings = self.providers[provider].settings
        let ulid = self.ulids.next(atMilliseconds: UInt64(now.wallMilliseconds), using: &self.random)
        let key = self.key(for: asked, under: terms)
        let opening = OpenRecord(
            request: ulid, atMilliseconds: now.wallMilliseconds, peer: self.connections[connectionID]!.peer,
            provider: settings.name, model: model.id, stream: false, operation: .embed,
            mandate: terms.mandate, caller: terms.caller.name, keyName: key.nameIfNamed,
            annotations: terms.annotations)
        try self.checkRoom(for: opening)
        let frame = SlotRequest.encodeEmbed(
            embed, request: ulid, model: self.providersName(of: model.id, provider, under: terms),
            key: key.value)
        guard
            self.reserveFrame(of: number, frame.count, provider: provider, from: connectionID, isContinued: false)
        else {
            throw Failure(.overloaded, "the daemon's memory for waiting requests is full; try again later")
        }
        var request = Request(
            ulid: ulid, clientID: id, connection: connectionID, provider: provider, model: model.id,
            isStreamed: false, embeddings: embed.count, conversation: nil, timeouts: settings.timeouts,
            timeoutMilliseconds: embed.timeoutMilliseconds, frame: frame, receivedAt: receivedAt, terms: terms,
            at: now.instant)
        request.keyName = key.name
        self.begin(request, number, opening, on: route, at: now)
    }

    /// The model that the request names, or else the default for embeddings.
    func resolveEmbeddingModel(
        _ name: String?, under terms: Terms
    ) throws(Failure) -> (provider: Int, model: ModelDescription) {
        let named = name.flatMap { $0.isEmpty ? nil : $0 }
        guard let name = named ?? self.configuration.defaultEmbeddingModel else {
            throw Failure(.unknownModel, "the request names no model and no default_embedding_model is configured")
        }
        let (provider, model) = try self.model(named: name, under: terms)
        let settings = self.providers[provider].settings
        guard settings.kind.embeddings != nil else {
            throw Failure(
                .modelError,
                "model '\(model.id)' makes no embeddings: there are none to be had of a provider of type "
                    + "'\(settings.kind.rawValue)'; name an embedding model of another")
        }
        return (provider, model)
    }
}
