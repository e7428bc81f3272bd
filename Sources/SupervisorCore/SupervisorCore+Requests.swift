import Messages

// A prompt's way from the door to its last frame.
extension SupervisorCore {
    // MARK: Admission

    /// Admits a prompt, or says why not.
    mutating func admit(_ prompt: PromptRequest, id: RequestIdentifier, from connectionID: ConnectionID, at now: Now) {
        do throws(Failure) {
            try self.checkDoor(of: connectionID)
            let number = RequestNumber(rawValue: self.nextNumber())
            try self.open(prompt, number, id: id, from: connectionID, following: nil, at: now)
        } catch {
            self.send(ClientAnswer.error(id: id, error), to: connectionID)
        }
    }

    /// Opens a request: a prompt, or the next round of the chain with this number.
    ///
    /// - Parameter precedent: What it follows, where it continues a conversation on record.
    /// - Throws: Why it is refused. Nothing that is refused here has a row.
    mutating func open(
        _ prompt: PromptRequest, _ number: RequestNumber, id: RequestIdentifier, from connectionID: ConnectionID,
        following precedent: Precedent?, at now: Now
    ) throws(Failure) {
        let (provider, model) = try self.checkAdmission(of: prompt, after: precedent?.history, at: now)
        let settings = self.providers[provider].settings
        let ulid = self.ulids.next(atMilliseconds: UInt64(now.wallMilliseconds), using: &self.random)
        let opening = self.opening(
            of: prompt, ulid, provider: settings.name, model: model.id, from: connectionID,
            parent: precedent?.history.tip, chain: self.chains[number], at: now)
        guard self.log.hasRoom(for: opening) else {
            throw self.logger.isReady
                ? Failure(.overloaded, "too many requests are open; try again later")
                : Failure(.logUnavailable, "the logger does not answer and its backlog is full; try again later")
        }
        let frame = SlotRequest.encodePrompt(
            prompt, request: ulid, model: self.providersName(of: model.id, provider), messages: precedent?.messages,
            key: model.needsKey ? settings.key : nil)
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
        self.chains[number]?.begin(ulid, model: model.id, conversation: conversation)
        let receivedAt = self.chains[number]?.receivedAt ?? precedent?.continuation.receivedAt ?? now.instant
        self.requests[number] = Request(
            ulid: ulid, clientID: id, connection: connectionID, provider: provider, model: model.id, prompt: prompt,
            conversation: conversation, round: self.chains[number]?.round, timeouts: settings.timeouts, frame: frame,
            receivedAt: receivedAt, at: now.instant)
        self.connections[connectionID]!.requests[id] = number
        self.counters.admitted += 1
        self.updateDeadline(ofRequest: number)
        let sequence = self.record(opening: opening, at: now)
        switch self.configuration.durability {
        case .commit:
            self.requests[number]!.state = .recording(sequence: sequence)
            self.providers[provider].recording += 1
            self.logger.waiting.append((sequence, number))
        case .relaxed:
            self.enqueue(number, at: now)
        }
    }

    /// What goes on record of the admission.
    private func opening(
        of prompt: PromptRequest, _ request: ULID, provider: String, model: String, from connection: ConnectionID,
        parent: String?, chain: Chain?, at now: Now
    ) -> OpenRecord {
        var record = OpenRecord(
            request: request, atMilliseconds: now.wallMilliseconds, peer: self.connections[connection]!.peer,
            provider: provider, model: model, stream: prompt.stream)
        if let chain { record.chain = chain.round?.chain ?? request }
        guard self.configuration.storesPrompts else { return record }
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

    private func checkAdmission(
        of prompt: PromptRequest, after history: ReaderReply.History?, at now: Now
    ) throws(Failure) -> (provider: Int, model: ModelDescription) {
        let (provider, model) = try self.resolveModel(prompt.model, after: history)
        let settings = self.providers[provider].settings
        try ModelFit.check(prompt, of: model, title: self.title(of: provider), isContinued: history?.model != nil)
        guard !model.needsKey || settings.key != nil else {
            let hint = settings.keyName.map { ": set \($0) in the daemon's environment and restart it" } ?? ""
            throw Failure(.noKey, "the model '\(model.id)' needs a key and provider '\(settings.name)' has none\(hint)")
        }
        if case .parked(let until) = self.providers[provider].state {
            throw Failure(
                .providerUnavailable, self.parkedMessage(provider),
                retryAfterMilliseconds: until.milliseconds(since: now.instant))
        }
        guard self.memory.used + self.answerMemory.used < self.bounds.memory else {
            throw Failure(.overloaded, "the daemon's memory for frames is full; try again later")
        }
        let waiting = self.providers[provider].queue.count + self.providers[provider].recording
        guard waiting < self.bounds.queuedRequestsPerProvider else {
            throw Failure(
                .overloaded,
                "\(self.bounds.queuedRequestsPerProvider) requests wait for provider '\(settings.name)'; try again later"
            )
        }
        return (provider, model)
    }

    /// The model that the request names, or else that of the conversation, or else the default.
    private func resolveModel(
        _ name: String?, after history: ReaderReply.History?
    ) throws(Failure) -> (provider: Int, model: ModelDescription) {
        let named = name.flatMap { $0.isEmpty ? nil : $0 }
        if named == nil, let last = history?.model {
            guard let found = self.findModel(last) else {
                throw Failure(
                    .unknownModel, "the conversation's model '\(last)' is not served any more; name another 'model'")
            }
            return found
        }
        guard let name = named ?? self.configuration.defaultModel else {
            throw Failure(.unknownModel, "the request names no model and no default_model is configured")
        }
        guard let found = self.findModel(name) else {
            let hint =
                name.nearest(of: self.models.keys.sorted()).map { "; did you mean '\($0)'?" } ?? "; see op models"
            throw Failure(.unknownModel, "unknown model '\(name)'\(hint)")
        }
        return found
    }

    // MARK: Dispatch

    /// Its row is on disk, or need not be: it may run.
    mutating func enqueue(_ number: RequestNumber, at now: Now) {
        let provider = self.requests[number]!.provider
        if case .recording = self.requests[number]!.state { self.providers[provider].recording -= 1 }
        self.requests[number]!.state = .queued
        self.providers[provider].queue.append(number)
        if case .parked = self.providers[provider].state {
            return self.end(
                number, with: Request.Ending(Failure(.providerUnavailable, self.parkedMessage(provider))), at: now)
        }
        self.dispatchQueue(of: provider, at: now)
    }

    /// Hands waiting requests to idle slots while there are both.
    mutating func dispatchQueue(of provider: Int, at now: Now) {
        self.dispatchListing(of: provider)
        while let workerID = self.providers[provider].current, let number = self.providers[provider].queue.first,
            let index = self.workers[workerID]?.takeSlot(for: number)
        {
            self.providers[provider].queue.remove(number)
            self.dispatch(number, to: SlotID(worker: workerID, index: index), at: now)
        }
    }

    private mutating func dispatch(_ number: RequestNumber, to slot: SlotID, at now: Now) {
        let frame = self.requests[number]!.frame
        let settings = self.providers[self.requests[number]!.provider].settings
        self.requests[number]!.dispatched(to: slot, timeouts: settings.timeouts, at: now.instant)
        let isLarge = frame.count > self.bounds.smallFrame
        if !isLarge { self.releaseFrame(of: number) }
        self.actions.append(.sendSlot(slot, frame, reportsWritten: isLarge))
        let request = self.requests[number]!
        if let connection = request.connection {
            if request.isStreamed || request.round != nil {
                self.send(
                    ClientAnswer.start(
                        id: request.clientID, request: request.ulid, model: request.model, provider: settings.name,
                        conversation: request.conversation, round: request.round),
                    to: connection)
            }
            if self.connections[connection]!.isBlocked { self.setPausedForClient(number, true, at: now) }
        }
        if self.areSlotsPausedForLog { self.setPausedForLog(slot, at: now) }
        self.updateDeadline(ofRequest: number)
    }

    // MARK: Cancelling

    /// `op: cancel`.
    mutating func cancel(
        _ target: RequestIdentifier, id: RequestIdentifier, from connectionID: ConnectionID, at now: Now
    ) {
        guard let number = self.connections[connectionID]!.requests[target] else {
            let text = String(decoding: target.encoded, as: UTF8.self)
            let failure = Failure(
                .notFound, "no request of this connection with the id \(text) is open; it may have ended")
            return self.send(ClientAnswer.error(id: id, failure), to: connectionID)
        }
        self.send(ClientAnswer.done(id: id), to: connectionID)
        let ending = Request.Ending(Failure(.cancelled, "the client cancelled the request"))
        guard let request = self.requests[number] else { return self.endUnadmitted(number, ending.failure, at: now) }
        switch request.state {
        case .cancelling(let slot, _):
            // It was being cut short already; the client is told what it asked for.
            self.requests[number]!.state = .cancelling(slot, ending)
        case .ending:
            // One that is over ends as it was to end; the chain of a round that is over does not go on.
            self.chains[number]?.failure = ending.failure
        case .recording, .queued, .running:
            self.cutShort(number, ending, at: now)
        }
    }

    /// The client's connection is gone.
    mutating func clientLeft(_ number: RequestNumber, at now: Now) {
        guard self.requests[number] != nil else { return self.endUnadmitted(number, nil, at: now) }
        self.requests[number]!.connection = nil
        if case .ending = self.requests[number]!.state {
            self.forget(number, at: now)
        } else {
            self.cutShort(number, Request.Ending(Failure(.cancelled, "the client went away")), at: now)
        }
    }

    /// Ends a request before its time: at once, or as soon as its slot lets go of it.
    mutating func cutShort(_ number: RequestNumber, _ ending: Request.Ending, at now: Now) {
        guard let request = self.requests[number] else { return }
        switch request.state {
        case .recording, .queued:
            self.end(number, with: ending, at: now)
        case .running(let slot):
            let timeouts = self.providers[request.provider].settings.timeouts
            self.requests[number]!.cancelled(slot, ending, timeouts: timeouts, at: now.instant)
            self.actions.append(.sendSlot(slot, SlotRequest.encodeCancel(request.ulid), reportsWritten: false))
            // A slot that is blocked in a write sees no cancel: read it again, and discard.
            self.readAgain(slot)
            self.updateDeadline(ofRequest: number)
        case .cancelling, .ending:
            break
        }
    }

    mutating func requestExpired(_ number: RequestNumber, at now: Now) {
        guard let request = self.requests[number] else { return self.unadmittedExpired(number, at: now) }
        switch request.expiry(at: now.instant) {
        case .none: self.updateDeadline(ofRequest: number)
        case .timedOut(let reason): self.cutShort(number, Request.Ending(Failure(.timeout, reason)), at: now)
        case .slotHung: self.slotHung(number, at: now)
        }
    }

    /// Ends what a client asked for and is no request on record: a question, or a prompt that is not admitted yet.
    private mutating func endUnadmitted(_ number: RequestNumber, _ failure: Failure?, at now: Now) {
        self.endRefresh(number, failure, at: now)
        self.endContinuation(number, failure)
        self.endChain(number, failure)
        self.endLookup(number, failure.map { failure in { ClientAnswer.error(id: $0.clientID, failure) } })
    }

    private mutating func unadmittedExpired(_ number: RequestNumber, at now: Now) {
        if self.chains[number] != nil {
            self.chainExpired(number, at: now)
        } else if self.continuations[number] != nil {
            self.endContinuation(
                number,
                Failure(
                    .timeout,
                    "the conversation could not be continued in time: another prompt of it is open, or its record was not read"
                ))
        } else {
            self.endUnadmitted(
                number, Failure(.logUnavailable, "the record was not read in time; try again later"), at: now)
        }
    }

    // MARK: The end

    /// Ends a request that failed.
    ///
    /// - Parameter usage: What it used all the same, where that is known.
    mutating func end(_ number: RequestNumber, with ending: Request.Ending, usage: Usage? = nil, at now: Now) {
        guard let request = self.requests[number] else { return }
        let output = self.requests[number]!.output.take()
        let record = EndRecord(
            request: request.ulid, atMilliseconds: now.wallMilliseconds, state: ending.state,
            durationMilliseconds: now.instant.milliseconds(since: request.admittedAt), usage: usage,
            providerRequestID: ending.failure.providerRequestID, failure: ending.failure, output: output)
        let frame = ClientAnswer.error(id: request.clientID, ending.failure, request: request.ulid, usage: usage)
        self.finish(number, record, lastFrame: frame, at: now)
    }

    /// Ends a request that succeeded. `event` is the slot's last, as it came.
    mutating func complete(_ number: RequestNumber, _ outcome: SlotOutcome, event: [UInt8], at now: Now) {
        guard let request = self.requests[number] else { return }
        if request.conversation != nil, !request.isStreamed {
            self.requests[number]!.output.append(outcome.answer, of: event)
            // What is added to each tool call may make it longer than a record may be.
            guard self.requests[number]!.output.total <= self.bounds.recordedAnswer else {
                self.requests[number]!.output = OutputBuffer()
                return self.end(
                    number, with: Request.Ending(self.answerIsTooLarge), usage: outcome.usage, at: now)
            }
        }
        let output = self.requests[number]!.output.take()
        let duration = now.instant.milliseconds(since: request.admittedAt)
        let record = EndRecord(
            request: request.ulid, atMilliseconds: now.wallMilliseconds, state: .done, durationMilliseconds: duration,
            usage: outcome.usage, finishReason: outcome.finishReason, providerRequestID: outcome.providerRequestID,
            output: output, resolvedModel: outcome.resolvedModel)
        let frame =
            if request.round != nil {
                self.roundIsDone(number, outcome, event: event, durationMilliseconds: duration)
            } else {
                ClientAnswer.done(
                    id: request.clientID, request: request.ulid, model: request.model,
                    provider: self.providers[request.provider].settings.name, conversation: request.conversation,
                    durationMilliseconds: duration, event)
            }
        self.finish(number, record, lastFrame: frame, at: now)
    }

    var answerIsTooLarge: Failure {
        Failure(
            .answerTooLarge,
            "the answer is longer than the \(self.bounds.recordedAnswer >> 20) MiB that are recorded of one"
        )
    }

    /// Puts the end on record, and lets the last frame go when it may.
    private mutating func finish(_ number: RequestNumber, _ record: EndRecord, lastFrame: [UInt8], at now: Now) {
        let request = self.requests[number]!
        if case .queued = request.state { self.providers[request.provider].queue.remove(number) }
        if case .recording = request.state { self.providers[request.provider].recording -= 1 }
        self.releaseFrame(of: number)
        self.setDeadline(.request(number), at: nil)
        self.counters.count(record.state)
        let sequence = self.record(ending: record, at: now)
        if !self.conversations.isEmpty, let conversation = request.conversation,
            !(self.chains[number]?.goesOn ?? false)
        {
            self.conversationWasFreed(conversation, by: number)
        }
        guard let connection = request.connection else { return self.forget(number, at: now) }
        // A client that must wait slows down; without that, a logger that is slower than all clients together would fill up
        // until new requests are refused.
        guard self.configuration.durability == .commit || self.log.isCrowded else {
            self.send(self.leaving(lastFrame, of: number), to: connection)
            return self.forget(number, at: now)
        }
        self.requests[number]!.ended(lastFrame: lastFrame, sequence: sequence)
        // A logger that does not answer keeps it here: it counts, and keeps large frames and new requests out.
        self.answerMemory.charge(.lastFrame(number), lastFrame.count)
        self.logger.waiting.append((sequence, number))
    }

    /// A record of the request is on disk. One that ended before its opening was there waits for its ending.
    mutating func recorded(_ number: RequestNumber, sequence: Int, at now: Now) {
        guard let request = self.requests[number] else { return self.settled(number, sequence: sequence) }
        switch request.state {
        case .recording(sequence):
            self.enqueue(number, at: now)
        case .ending(sequence, let lastFrame):
            if let connection = request.connection { self.send(self.leaving(lastFrame, of: number), to: connection) }
            self.forget(number, at: now)
        case .recording, .queued, .running, .cancelling, .ending:
            break
        }
    }

    private mutating func forget(_ number: RequestNumber, at now: Now) {
        guard let request = self.requests.removeValue(forKey: number) else { return }
        self.answerMemory.release(.lastFrame(number))
        if self.chains[number]?.goesOn ?? false {
            guard request.connection != nil else { return self.endChain(number, nil) }
            return self.roundHasEnded(number, at: now)
        }
        self.forgetChain(number)
        if let connection = request.connection { self.connections[connection]?.requests[request.clientID] = nil }
    }

    mutating func updateDeadline(ofRequest number: RequestNumber) {
        self.setDeadline(.request(number), at: self.requests[number]?.deadline)
    }
}

extension SupervisorCore.Counters {
    fileprivate mutating func count(_ state: EndRecord.State) {
        switch state {
        case .done: self.done += 1
        case .error: self.error += 1
        case .cancelled: self.cancelled += 1
        case .crashed: self.crashed += 1
        case .lost: preconditionFailure("only the logger finds a request lost")
        }
    }
}
