import Messages
import Policy

// The door: what a prompt needs to be let in.
extension SupervisorCore {
    /// Admits a prompt, or begins a chain with it, or says why not.
    mutating func admit(
        _ prompt: PromptRequest, as chain: ChainRequest?, id: RequestIdentifier, from connectionID: ConnectionID,
        at now: Now
    ) {
        let number = RequestNumber(rawValue: self.nextNumber())
        do throws(Failure) {
            try self.checkDoor(of: connectionID)
            let terms = try self.terms(of: prompt.mandate, from: connectionID)
            try self.takeRequest(number, of: terms.caller)
            if let conversation = prompt.conversation {
                try self.continueConversation(
                    conversation, prompt, as: chain, number, under: terms, id: id, from: connectionID, at: now)
            } else {
                try self.enter(
                    .prompt(prompt, chain: chain, following: nil), number, under: terms, id: id, from: connectionID,
                    at: now)
            }
        } catch {
            self.callerRequests.release(number)
            self.send(ClientAnswer.error(id: id, error), to: connectionID)
        }
    }

    /// Opens a request: a prompt, or the next round of the chain with this number.
    ///
    /// - Parameters:
    ///   - precedent: What it follows, where it continues a conversation on record.
    ///   - receivedAt: When it came, where that was not just now.
    /// - Throws: Why it is refused. Nothing that is refused here has a row.
    mutating func open(
        _ prompt: PromptRequest, _ number: RequestNumber, under terms: Terms, id: RequestIdentifier,
        from connectionID: ConnectionID, following precedent: Precedent?, since receivedAt: Instant? = nil, at now: Now
    ) throws(Failure) {
        let route = try self.checkAdmission(
            of: prompt, under: terms, by: self.chains[number]?.candidate, after: precedent?.history, at: now)
        let (prompt, defaulted) = prompt.filled(with: terms.rules.options(for: route.first.model.id))
        let key = self.key(for: route.first, under: terms)
        // A chain that has begun has its room.
        if self.chains[number]?.round == nil { try self.checkMemory() }
        let (provider, model) = (route.first.provider, route.first.model)
        let asked = self.providers[route.asked.provider].settings
        let ulid = self.ulids.next(atMilliseconds: UInt64(now.wallMilliseconds), using: &self.random)
        var opening = self.opening(
            of: prompt, ulid, provider: asked.name, model: route.asked.model.id, under: terms, from: connectionID,
            parent: precedent?.history.tip, chain: self.chains[number], at: now)
        opening.keyName = key.nameIfNamed
        try self.checkRoom(for: opening)
        let frame = SlotRequest.encodePrompt(
            prompt, request: ulid, model: self.providersName(of: model.id, provider, under: terms),
            messages: precedent?.messages, key: key.value)
        if self.chains[number] != nil { try self.checkLength(ofRound: frame, opening) }
        // A chain has its own room.
        guard
            self.chains[number] != nil
                || self.reserveFrame(
                    of: number, frame.count, provider: provider, from: connectionID, isContinued: precedent != nil)
        else {
            throw Failure(.overloaded, "the daemon's memory for waiting requests is full; try again later")
        }
        let conversation = opening.content?.conversation
        self.chains[number]?.begin(ulid, by: route.first, conversation: conversation)
        let receivedAt =
            self.chains[number]?.receivedAt ?? precedent?.continuation.receivedAt ?? receivedAt ?? now.instant
        var request = Request(
            ulid: ulid, clientID: id, connection: connectionID, provider: provider, model: model.id,
            isStreamed: prompt.stream, conversation: conversation, round: self.chains[number]?.round,
            timeouts: asked.timeouts, timeoutMilliseconds: prompt.timeoutMilliseconds, frame: frame,
            receivedAt: receivedAt, terms: terms, at: now.instant)
        request.defaultedOptions = defaulted
        request.keyName = key.name
        self.begin(request, number, opening, on: route, at: now)
    }

    /// Takes in a request that is admitted, and puts its opening on record.
    mutating func begin(
        _ request: Request, _ number: RequestNumber, _ opening: OpenRecord, on route: Route, at now: Now
    ) {
        self.requests[number] = request
        self.hold(generation: request.terms.generation)
        let durability = self.generation(request.terms.generation).configuration.durability
        self.requests[number]!.isDurable = durability == .commit
        if !self.hooks.isEmpty, let connection = request.connection {
            self.requests[number]!.subject = self.subject(of: connection, under: request.terms)
        }
        if let connection = request.connection { self.connections[connection]!.requests[request.clientID] = number }
        self.join(number, opening.mandate.group)
        if let group = opening.mandate.group { self.groups[group]!.count() }
        self.counters.admitted += 1
        self.updateDeadline(ofRequest: number)
        let sequence = self.record(opening: opening, at: now)
        self.begin(number, on: route, at: now)
        switch durability {
        case .commit:
            self.requests[number]!.state = .recording(sequence: sequence)
            self.providers[request.provider].recording += 1
            self.logger.waiting.append((sequence, number))
        case .relaxed:
            self.enqueue(number, at: now)
        }
    }

    /// Whether the record has room for one more request.
    func checkRoom(for opening: OpenRecord) throws(Failure) {
        guard self.log.hasRoom(for: opening) else {
            throw self.logger.isReady
                ? Failure(.overloaded, "too many requests are open; try again later")
                : Failure(.logUnavailable, "the logger does not answer and its backlog is full; try again later")
        }
    }

    /// What goes on record of the admission.
    private func opening(
        of prompt: PromptRequest, _ request: ULID, provider: String, model: String, under terms: Terms,
        from connection: ConnectionID, parent: String?, chain: Chain?, at now: Now
    ) -> OpenRecord {
        var record = OpenRecord(
            request: request, atMilliseconds: now.wallMilliseconds, peer: self.connections[connection]!.peer,
            provider: provider, model: model, stream: prompt.stream, mandate: terms.mandate, caller: terms.caller.name,
            annotations: terms.annotations)
        if let chain { record.chain = chain.round?.chain ?? request }
        guard self.generation(terms.generation).configuration.storesPrompts else { return record }
        // A conversation has the name of its first request.
        let conversation = chain?.conversation ?? prompt.conversation ?? request.description
        record.content = PromptContent(prompt, conversation: conversation, parent: parent)
        // What was said in the rounds before is on record.
        if let last = chain?.request { record.content?.follow(last) }
        return record
    }

    func checkPhase() throws(Failure) {
        guard self.phase == .running else {
            throw Failure(.shuttingDown, "the daemon is stopping; try again when it is back")
        }
    }

    func checkCount(of connection: Connection) throws(Failure) {
        guard connection.requests.count < self.bounds.requestsPerConnection else {
            throw Failure(
                .tooManyRequests,
                "\(self.bounds.requestsPerConnection) requests are open on this connection; wait for one of them to end"
            )
        }
    }

    /// Whether a prompt of this connection may come in at all.
    func checkDoor(of connection: ConnectionID) throws(Failure) {
        try self.checkPhase()
        try self.checkCount(of: self.connections[connection]!)
    }

    /// Whether the user at the other end may do what only administrators may.
    func checkAdministrator(_ connection: ConnectionID, _ operation: String) throws(Failure) {
        guard self.isAdministrator(connection) else {
            throw Failure(
                .notAllowed,
                "only an administrator (root, the user that the daemon runs as, or a caller with 'administrator') may ask for '\(operation)'"
            )
        }
    }

    /// - Parameter candidate: Who is to answer, where the prompt's name of a model does not decide it.
    func checkAdmission(
        of prompt: PromptRequest, under terms: Terms, by candidate: Attempts.Candidate?,
        after history: ReaderReply.History?, at now: Now
    ) throws(Failure) -> Route {
        let (provider, model): (Int, ModelDescription)
        if let candidate {
            (provider, model) = (candidate.provider, candidate.model)
        } else {
            (provider, model) = try self.resolveModel(prompt.model, under: terms, after: history)
            if let refusal = terms.refusal(of: model.id) { throw refusal }
        }
        let isContinued = history?.model != nil
        func check(_ candidate: Attempts.Candidate) throws(Failure) {
            let model = candidate.model
            try ModelFit.check(
                prompt.filled(with: terms.rules.options(for: model.id)).prompt, of: model,
                title: self.title(of: candidate.provider), isContinued: isContinued)
        }
        let asked = Attempts.Candidate(provider: provider, model: model)
        try check(asked)
        return try self.route(from: asked, under: terms, at: now) { (try? check($0)) != nil }
    }

    /// Whether there is memory for what another request may bring.
    func checkMemory() throws(Failure) {
        guard self.memory.used + self.answerMemory.used < self.bounds.memory else {
            throw Failure(.overloaded, "the daemon's memory for frames is full; try again later")
        }
    }

    /// The model that the request names, or else that of the conversation, or else the default.
    func resolveModel(
        _ name: String?, under terms: Terms, after history: ReaderReply.History?
    ) throws(Failure) -> (provider: Int, model: ModelDescription) {
        let named = name.flatMap { $0.isEmpty ? nil : $0 }
        if named == nil, let last = history?.model {
            guard let found = self.findModel(last, under: terms) else {
                throw Failure(
                    .unknownModel, "the conversation's model '\(last)' is not served any more; name another 'model'")
            }
            return found
        }
        guard let name = named ?? terms.rules.defaultModel else {
            throw Failure(
                .unknownModel,
                "the request names no model, and neither its purpose nor the configuration has a default ('default_model')"
            )
        }
        return try self.model(named: name, under: terms)
    }

    /// The model that a request names.
    func model(named name: String, under terms: Terms) throws(Failure) -> (provider: Int, model: ModelDescription) {
        guard let found = self.findModel(name, under: terms) else {
            let names = self.generation(terms.generation).models.keys.sorted()
            let hint =
                name.nearest(of: names).map { "; did you mean '\($0)'?" } ?? "; see op models"
            throw Failure(.unknownModel, "unknown model '\(name)'\(hint)")
        }
        return found
    }
}
