import Messages

// A request's way from its admission to its last frame.
extension SupervisorCore {
    // MARK: Dispatch

    /// Its row is on disk, or need not be: it may run. So it may when its next attempt is due.
    mutating func enqueue(_ number: RequestNumber, at now: Now) {
        let provider = self.requests[number]!.provider
        self.leaveCount(self.requests[number]!)
        self.requests[number]!.state = .queued
        self.providers[provider].queue.append(number)
        if case .parked = self.providers[provider].state {
            return self.cannotBegin(number, Failure(.providerUnavailable, self.parkedMessage(provider)), at: now)
        }
        self.dispatchQueue(of: provider, at: now)
    }

    /// It is no more among those that are on their way to their provider's queue.
    private mutating func leaveCount(_ request: Request) {
        switch request.state {
        case .recording: self.providers[request.provider].recording -= 1
        case .waiting: self.providers[request.provider].retrying -= 1
        case .queued, .running, .cancelling, .ending: break
        }
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
        self.requests[number]!.dispatched(to: slot, timeouts: settings.timeouts, at: now)
        let isLarge = frame.count > self.bounds.smallFrame
        self.requests[number]!.isFrameOnItsWay = isLarge
        self.keepFrame(of: number)
        if !isLarge { self.releaseFrame(of: number) }
        self.actions.append(.sendSlot(slot, frame, reportsWritten: isLarge))
        if let name = self.requests[number]!.keyName { self.keyWasUsed(name, at: now) }
        let request = self.requests[number]!
        if let connection = request.connection {
            if request.needsStart, request.isStreamed || request.round != nil {
                self.requests[number]!.needsStart = false
                self.send(
                    ClientAnswer.start(
                        id: request.clientID, request: request.ulid, model: request.model, provider: settings.name,
                        conversation: request.conversation, attempt: request.attempts.countIfSeveral,
                        round: request.round),
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
        case .recording, .queued, .waiting, .running:
            self.cutShort(number, ending, at: now)
        }
    }

    /// The client's connection is gone.
    mutating func clientLeft(_ number: RequestNumber, uid: Int, at now: Now) {
        guard let request = self.requests[number] else { return self.endUnadmitted(number, nil, at: now) }
        self.requests[number]!.connection = nil
        switch request.state {
        case .ending:
            self.forget(number, at: now)
        case .recording, .queued, .waiting, .running:
            if request.terms.finishes, self.finishing.take(number, of: uid, bounds: self.bounds) {
                // Nobody holds up what nobody reads.
                self.setPausedForClient(number, false, at: now)
            } else {
                self.cutShort(number, Request.Ending(Failure(.cancelled, "the client went away")), at: now)
            }
        case .cancelling:
            break
        }
    }

    /// Ends a request before its time: at once, or as soon as its slot lets go of it.
    mutating func cutShort(_ number: RequestNumber, _ ending: Request.Ending, at now: Now) {
        guard let request = self.requests[number] else { return }
        switch request.state {
        case .recording, .queued, .waiting:
            self.end(number, with: ending, at: now)
        case .running(let slot):
            self.forgetFrame(of: number)
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
        case .due:
            self.enqueue(number, at: now)
            self.updateDeadline(ofRequest: number)
        case .slotHung: self.slotHung(number, at: now)
        }
    }

    /// Ends what a client asked for and is no request on record: a question, or a prompt that is not admitted yet.
    private mutating func endUnadmitted(_ number: RequestNumber, _ failure: Failure?, at now: Now) {
        self.endRefresh(number, failure, at: now)
        self.endSecrets(number, failure)
        self.endContinuation(number, failure)
        self.endConsultation(number, failure)
        self.endChain(number, failure)
        self.endGroupEnd(number, failure)
        self.endReload(number, failure)
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
        } else if let consultation = self.consultations[number] {
            let hooks = self.hooks.filter { consultation.awaited.contains($0.id) }.map { "'\($0.settings.name)'" }
            self.endConsultation(
                number,
                Failure(.timeout, "timeout_ms has passed while hooks were asked (\(hooks.joined(separator: ", ")))"))
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
        self.closeAttempt(number, ending.failure, usage: usage, isLast: true, at: now)
        let failure = self.requests[number]!.attempts.told(ending.failure)
        let output = self.requests[number]!.output.take()
        let record = EndRecord(
            request: request.ulid, atMilliseconds: now.wallMilliseconds, state: ending.state,
            durationMilliseconds: now.instant.milliseconds(since: request.admittedAt), usage: usage,
            providerRequestID: failure.providerRequestID, failure: failure, output: output)
        let frame = ClientAnswer.error(
            id: request.clientID, failure, request: request.ulid, usage: usage,
            attempts: request.attempts.countIfSeveral)
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
        self.closeAttempt(
            number, nil, usage: outcome.usage, providerRequestID: outcome.providerRequestID, isLast: true, at: now)
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
                    durationMilliseconds: duration, attempts: request.attempts.countIfSeveral, event)
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
        self.leaveCount(request)
        self.releaseFrame(of: number)
        self.retryMemory.release(.request(number))
        self.setDeadline(.request(number), at: nil)
        self.release(generation: request.terms.generation)
        self.counters.count(record.state)
        let sequence = self.record(ending: record, at: now)
        self.tellHooks(of: request, record, at: now)
        if !self.conversations.isEmpty, let conversation = request.conversation,
            !(self.chains[number]?.goesOn ?? false)
        {
            self.conversationWasFreed(conversation, by: number)
        }
        guard let connection = request.connection else { return self.forget(number, at: now) }
        // A client that must wait slows down; without that, a logger that is slower than all clients together would fill up
        // until new requests are refused.
        guard request.isDurable || self.log.isCrowded else {
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
        case .recording, .queued, .waiting, .running, .cancelling, .ending:
            break
        }
    }

    private mutating func forget(_ number: RequestNumber, at now: Now) {
        guard let request = self.requests.removeValue(forKey: number) else { return }
        self.answerMemory.release(.lastFrame(number))
        self.finishing.release(number)
        if self.chains[number]?.goesOn ?? false {
            guard request.connection != nil else { return self.endChain(number, nil) }
            return self.roundHasEnded(number, at: now)
        }
        self.forgetChain(number)
        self.callerRequests.release(number)
        self.leaveGroup(number)
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
