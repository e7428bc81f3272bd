import Messages

// `op: models` with `refresh`: providers are asked which models they have. It is no request on record, for it costs nothing.
extension SupervisorCore {
    // MARK: The client

    mutating func listModels(
        _ request: ModelsRequest, id: RequestIdentifier, from connection: ConnectionID, at now: Now
    ) {
        guard request.refresh else { return self.sendModels(request, id: id, to: connection, at: now) }
        do throws(Failure) {
            try self.checkDoor(of: connection)
            try self.checkAdministrator(connection, "models with refresh")
            guard self.refresh == nil else {
                throw Failure(.tooManyRequests, "the models are being refreshed already; try again when that is done")
            }
            _ = try self.terms(of: Mandate(purpose: request.purpose), as: request.identity, from: connection)
            self.startRefresh(
                of: try self.refreshable(request.provider), request, id: id, from: connection, at: now)
        } catch {
            self.send(ClientAnswer.error(id: id, error), to: connection)
        }
    }

    /// The providers that can be asked: all of them, or the one of this name.
    private func refreshable(_ name: String?) throws(Failure) -> [Int] {
        guard let name else { return self.generation.entries.filter { self.providers[$0].settings.isOverHTTP } }
        guard let provider = self.generation.provider(named: name)?.entry else {
            let nearest = name.nearest(of: self.configuration.providers.map(\.name)).map { "; did you mean '\($0)'?" }
            throw Failure(.notFound, "there is no provider '\(name)'\(nearest ?? "; see op status")")
        }
        guard self.providers[provider].settings.isOverHTTP else {
            throw Failure(.notSupported, "provider '\(name)' has no list of models to ask for: its models are fixed")
        }
        return [provider]
    }

    private mutating func startRefresh(
        of providers: [Int], _ request: ModelsRequest, id: RequestIdentifier, from connection: ConnectionID,
        at now: Now
    ) {
        let number = RequestNumber(rawValue: self.nextNumber())
        self.connections[connection]!.requests[id] = number
        self.refresh = ModelRefresh(
            number: number, clientID: id, connection: connection, request: request,
            outcomes: providers.map { ($0, self.providers[$0].settings.name, nil) })
        for provider in providers { self.startListing(of: provider, at: now) }
        self.proceedWithRefresh(at: now)
    }

    /// Answers the client when the last provider has answered.
    private mutating func proceedWithRefresh(at now: Now) {
        guard let refresh = self.refresh, refresh.isComplete else { return }
        self.refresh = nil
        self.connections[refresh.connection]?.requests[refresh.clientID] = nil
        if refresh.hasList { self.actions.append(.saveModels(self.listedModels)) }
        self.sendModels(
            refresh.request, id: refresh.clientID, to: refresh.connection, refreshed: refresh.encoded, at: now)
    }

    /// Ends a refresh that its client gave up, or that the end of the daemon cuts short. What providers still say is passed over.
    ///
    /// - Parameter failure: What the client is told; `nil` where it has gone.
    mutating func endRefresh(_ number: RequestNumber?, _ failure: Failure?, at now: Now) {
        guard let refresh = self.refresh, number == nil || refresh.number == number else { return }
        self.refresh = nil
        self.connections[refresh.connection]?.requests[refresh.clientID] = nil
        if let failure { self.send(ClientAnswer.error(id: refresh.clientID, failure), to: refresh.connection) }
        for listing in self.listings.keys.sorted(by: { $0.rawValue < $1.rawValue }) { self.giveUp(listing, at: now) }
    }

    // MARK: The slots

    private mutating func startListing(of provider: Int, at now: Now) {
        let settings = self.providers[provider].settings
        if settings.keyName != nil, settings.key == nil {
            let failure = Failure(
                .noKey, "provider '\(settings.name)' has no key: set \(settings.keyName!) in the daemon's environment")
            self.refresh!.set(.failed(failure), of: provider)
        } else if case .parked(let until) = self.providers[provider].state {
            let failure = Failure(
                .providerUnavailable, self.parkedMessage(provider),
                retryAfterMilliseconds: until.milliseconds(since: now.instant))
            self.refresh!.set(.failed(failure), of: provider)
        } else if self.listings.values.contains(where: { $0.provider == provider }) {
            let failure = Failure(.providerUnavailable, "provider '\(settings.name)' is still at the question before")
            self.refresh!.set(.failed(failure), of: provider)
        } else {
            let number = RequestNumber(rawValue: self.nextNumber())
            let ulid = self.ulids.next(atMilliseconds: UInt64(now.wallMilliseconds), using: &self.random)
            self.listings[number] = SlotListing(ulid: ulid, provider: provider)
            self.setDeadline(.listing(number), at: now.instant + self.bounds.listingTimeout)
            self.dispatchListing(of: provider)
        }
    }

    /// Hands a question that waits to a slot, if there is one of both.
    mutating func dispatchListing(of provider: Int) {
        guard !self.listings.isEmpty,
            let (number, listing) = self.listings.first(where: {
                $0.value.provider == provider && $0.value.state == .waiting
            }),
            let worker = self.providers[provider].current,
            let index = self.workers[worker]?.takeSlot(forListing: number)
        else { return }
        let slot = SlotID(worker: worker, index: index)
        self.listings[number]!.state = .asked(slot)
        let frame = ModelListing(request: listing.ulid, key: self.providers[provider].settings.key).encoded
        self.actions.append(.sendSlot(slot, frame, reportsWritten: false))
    }

    /// The slot that was asked says something.
    mutating func listingEvent(_ number: RequestNumber, _ event: SlotEventEnvelope, _ slot: SlotID, at now: Now) {
        guard let listing = self.listings[number] else { return }
        switch (listing.state, event.kind) {
        case (_, .output), (_, .progress), (_, .done):
            self.workerMisbehaved(
                slot.worker, "a slot that was asked for models said something else", culprit: nil, at: now)
        case (.asked, .models(let models)):
            let added = self.takeList(models, of: listing.provider)
            self.finishListing(number, .listed(count: models.count, added: added), at: now)
            self.slotLetGo(slot, at: now)
        case (.asked, .error(let failure, _)):
            self.finishListing(number, .failed(failure), at: now)
            self.slotLetGo(slot, at: now)
        case (.givenUp, .models), (.givenUp, .error):
            self.forgetListing(number)
            self.slotLetGo(slot, at: now)
        case (.waiting, .models), (.waiting, .error):
            preconditionFailure("a slot answers a question that waits for one")
        }
    }

    mutating func listingExpired(_ number: RequestNumber, at now: Now) {
        guard let listing = self.listings[number] else { return }
        let name = self.providers[listing.provider].settings.name
        switch listing.state {
        case .waiting:
            let failure = Failure(.providerUnavailable, "no slot of provider '\(name)' was free in time; see op status")
            self.finishListing(number, .failed(failure), at: now)
        case .asked:
            let failure = Failure(
                .timeout, "provider '\(name)' did not list its models within \(self.bounds.listingTimeout)")
            self.refresh?.set(.failed(failure), of: listing.provider)
            self.giveUp(number, at: now)
            self.proceedWithRefresh(at: now)
        case .givenUp(let slot):
            self.forgetListing(number)
            self.listingHung(slot, at: now)
        }
    }

    /// Nobody waits for the answer any more.
    private mutating func giveUp(_ number: RequestNumber, at now: Now) {
        guard let listing = self.listings[number] else { return }
        switch listing.state {
        case .waiting: self.forgetListing(number)
        case .givenUp: break
        case .asked(let slot):
            self.listings[number]!.state = .givenUp(slot)
            self.actions.append(.sendSlot(slot, SlotRequest.encodeCancel(listing.ulid), reportsWritten: false))
            self.readAgain(slot)
            let timeouts = self.providers[listing.provider].settings.timeouts
            self.setDeadline(.listing(number), at: now.instant + .milliseconds(timeouts.cancel))
        }
    }

    /// The slot ignored that nobody waits: its process is replaced, as for a request that hangs.
    private mutating func listingHung(_ slot: SlotID, at now: Now) {
        guard let worker = self.workers[slot.worker], worker.state != .dying else { return }
        let fields = ["provider": self.providers[worker.provider].settings.name]
        self.actions.append(.log(LogEntry(.warning, "slot hangs: its worker is replaced", fields)))
        self.answerMemory.release(.slotFrame(slot))
        self.workers[slot.worker]!.slotHung(slot.index)
        self.actions.append(.pauseSlot(slot))
        if self.providers[worker.provider].current == slot.worker { self.retireWorker(slot.worker, at: now) }
        if self.workers[slot.worker]?.busySlots == 0 { self.killWorker(slot.worker, "one of its slots hung", at: now) }
    }

    /// The process is gone, or is being ended: what it was asked is not answered.
    mutating func endListings(of worker: WorkerID, _ reason: String, at now: Now) {
        guard !self.listings.isEmpty else { return }
        for (number, listing) in self.listings where listing.slot?.worker == worker {
            let name = self.providers[listing.provider].settings.name
            let failure = Failure(
                .workerCrashed, "the worker of provider '\(name)' ended while it was asked: \(reason)")
            self.finishListing(number, .failed(failure), at: now)
        }
    }

    /// New requests do not ask the provider any more, so nobody needs to know which models it has.
    mutating func endListings(ofRetired provider: Int, _ failure: Failure, at now: Now) {
        for number in self.listings.keys.sorted(by: { $0.rawValue < $1.rawValue })
        where self.listings[number]!.provider == provider {
            if case .givenUp = self.listings[number]!.state { continue }
            self.refresh?.set(.failed(failure), of: provider)
            self.giveUp(number, at: now)
        }
        self.proceedWithRefresh(at: now)
    }

    private mutating func finishListing(_ number: RequestNumber, _ outcome: ModelRefresh.Outcome, at now: Now) {
        guard let listing = self.listings[number] else { return }
        self.forgetListing(number)
        if case .givenUp = listing.state { return }
        self.refresh?.set(outcome, of: listing.provider)
        self.proceedWithRefresh(at: now)
    }

    private mutating func forgetListing(_ number: RequestNumber) {
        self.listings[number] = nil
        self.setDeadline(.listing(number), at: nil)
    }
}
