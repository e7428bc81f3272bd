import Messages
import Policy

// Requests that are tried more than once: by the same model after a while, or by another one.
extension SupervisorCore {
    /// The models that may answer a request.
    struct Route {
        /// The one that was asked for.
        var asked: Attempts.Candidate
        /// Those that cannot be asked now, and why.
        var passed: [(candidate: Attempts.Candidate, failure: Failure)] = []
        /// The one that it begins with.
        var first: Attempts.Candidate
        /// Those after it, in order.
        var alternatives: [Attempts.Candidate]
    }

    // MARK: Admission

    /// The first model that can be asked now, beginning with the one that was asked for, and those that come after it.
    ///
    /// - Parameter mayAnswer: Whether another model may answer in its place.
    /// - Throws: Why the one that was asked for cannot be, if none can.
    func route(
        from asked: Attempts.Candidate, under terms: Terms, at now: Now, mayAnswer: (Attempts.Candidate) -> Bool
    ) throws(Failure) -> Route {
        let alternatives = self.alternatives(to: asked.model, under: terms).filter(mayAnswer)
        var route = Route(asked: asked, first: asked, alternatives: alternatives)
        guard let refusal = self.refusal(by: asked, under: terms, at: now) else { return route }
        // Who is passed over goes on record, of which enough waits.
        guard !self.log.isBehind else { throw refusal }
        route.passed.append((asked, refusal))
        while !route.alternatives.isEmpty, route.passed.count < self.bounds.attempts.count - 1 {
            route.first = route.alternatives.removeFirst()
            guard let refusal = self.refusal(by: route.first, under: terms, at: now) else { return route }
            route.passed.append((route.first, refusal))
        }
        throw refusal
    }

    /// The models that are configured to answer in place of another, but for those that may not be asked or have no key.
    func alternatives(to model: ModelDescription, under terms: Terms) -> [Attempts.Candidate] {
        let generation = self.generation(terms.generation)
        guard let names = terms.rules.fallbacks ?? generation.configuration.fallbacks[model.id] else { return [] }
        return names.compactMap { name in
            guard let found = generation.findModel(name), found.model.id != model.id else { return nil }
            let candidate = Attempts.Candidate(provider: found.provider, model: found.model)
            let isUsable = self.key(for: candidate, under: terms).isUsable
            return isUsable && terms.refusal(of: found.model.id) == nil ? candidate : nil
        }
    }

    /// Why a model cannot be asked now; `nil` where it can.
    private func refusal(by candidate: Attempts.Candidate, under terms: Terms, at now: Now) -> Failure? {
        let provider = self.providers[candidate.provider]
        let settings = provider.settings
        if candidate.model.needsKey, let failure = self.key(for: candidate, under: terms).failure(candidate.model.id) {
            return failure
        }
        if case .parked(let until) = provider.state {
            return Failure(
                .providerUnavailable, self.parkedMessage(candidate.provider),
                retryAfterMilliseconds: until.milliseconds(since: now.instant))
        }
        guard provider.queue.count + provider.recording + provider.retrying < self.bounds.queuedRequestsPerProvider
        else {
            return Failure(
                .overloaded,
                "\(self.bounds.queuedRequestsPerProvider) requests wait for provider '\(settings.name)'; try again later"
            )
        }
        return nil
    }

    /// A request was admitted: puts on record which models it passed over.
    mutating func begin(_ number: RequestNumber, on route: Route, at now: Now) {
        self.requests[number]!.attempts = Attempts(
            retries: self.providers[route.first.provider].settings.retries, alternatives: route.alternatives,
            bounds: self.bounds.attempts)
        for (candidate, failure) in route.passed { self.pass(candidate, number, failure, at: now) }
        if !route.passed.isEmpty { self.counters.fallbacks += 1 }
    }

    // MARK: Failures

    /// The slot of a request says that it failed: it is tried again, or ends.
    mutating func attemptFailed(_ number: RequestNumber, _ failure: Failure, usage: Usage?, at now: Now) {
        let request = self.requests[number]!
        // What was said cannot be unsaid, and what was not kept cannot be sent again.
        guard !request.frame.isEmpty, let deadline = request.totalDeadline else {
            return self.end(number, with: Request.Ending(failure), usage: usage, at: now)
        }
        let next = self.requests[number]!.attempts.next(
            after: failure, at: now.instant, deadline: deadline, using: &self.random)
        switch next {
        case .end:
            self.end(number, with: Request.Ending(failure), usage: usage, at: now)
        case .retry(let instant):
            self.closeAttempt(number, failure, usage: usage, isLast: false, at: now)
            self.releaseFrame(of: number)
            self.requests[number]!.waits(until: instant)
            self.providers[request.provider].retrying += 1
            self.counters.retries += 1
            self.updateDeadline(ofRequest: number)
        case .nextModel:
            self.closeAttempt(number, failure, usage: usage, isLast: false, at: now)
            self.handOn(number, after: failure, usage: usage, at: now)
        }
    }

    /// The provider of a request that waits for a slot has none: it goes to the next model, or ends.
    mutating func cannotBegin(_ number: RequestNumber, _ failure: Failure, at now: Now) {
        let request = self.requests[number]!
        self.providers[request.provider].queue.remove(number)
        guard request.attempts.count > 0 || !request.attempts.alternatives.isEmpty else {
            return self.end(number, with: Request.Ending(failure), at: now)
        }
        let model = ModelDescription(id: request.model)
        self.pass(Attempts.Candidate(provider: request.provider, model: model), number, failure, at: now)
        self.handOn(number, after: failure, usage: nil, at: now)
    }

    /// Hands a request to the next model that can be asked, or ends it.
    ///
    /// - Parameters:
    ///   - failure: What its client is told if there is none.
    ///   - usage: What the attempt used that failed so.
    private mutating func handOn(_ number: RequestNumber, after failure: Failure, usage: Usage?, at now: Now) {
        var (failure, usage) = (failure, usage)
        self.releaseFrame(of: number)
        while let next = self.requests[number]!.attempts.takeNext() {
            let terms = self.requests[number]!.terms
            if let refusal = self.refusal(by: next, under: terms, at: now) {
                self.pass(next, number, refusal, at: now)
                (failure, usage) = (refusal, nil)
                continue
            }
            let settings = self.providers[next.provider].settings
            let request = self.requests[number]!
            let (options, defaulted) = SlotRequest.options(
                of: request.frame, but: request.defaultedOptions, filledWith: terms.rules.options(for: next.model.id))
            let key = self.key(for: next, under: terms)
            let frame = SlotRequest.readdress(
                request.frame, model: self.providersName(of: next.model.id, next.provider, under: terms),
                options: options,
                key: key.value)
            guard self.reserveKept(number, frame.count) else { break }
            self.requests[number]!.defaultedOptions = defaulted
            self.requests[number]!.keyName = key.name
            self.requests[number]!.handedOn(to: next, retries: settings.retries, frame: frame)
            self.chains[number]?.handedOn(to: next)
            self.counters.fallbacks += 1
            return self.enqueue(number, at: now)
        }
        self.end(number, with: Request.Ending(failure), usage: usage, at: now)
    }

    // MARK: The record

    /// The present attempt of a request is over, if there is one. One that was the only one has no record of its own.
    ///
    /// - Parameter failure: `nil` for the one that succeeded.
    mutating func closeAttempt(
        _ number: RequestNumber, _ failure: Failure?, usage: Usage?, providerRequestID: String? = nil, isLast: Bool,
        at now: Now
    ) {
        if isLast, self.requests[number]!.attempts.count < 2 { return }
        let request = self.requests[number]!
        guard let beganAt = request.attemptBeganAt else { return }
        self.requests[number]!.attemptBeganAt = nil
        if failure != nil { self.requests[number]!.attempts.failed(request.model) }
        self.record(
            attempt: AttemptRecord(
                request: request.ulid, number: request.attempts.count,
                provider: self.providers[request.provider].settings.name, model: request.model,
                atMilliseconds: beganAt.wallMilliseconds,
                durationMilliseconds: now.instant.milliseconds(since: beganAt.instant), usage: usage,
                providerRequestID: providerRequestID ?? failure?.providerRequestID, failure: failure),
            at: now)
    }

    /// Puts on record that a model could not be asked: an attempt that did not begin.
    private mutating func pass(
        _ candidate: Attempts.Candidate, _ number: RequestNumber, _ failure: Failure, at now: Now
    ) {
        self.requests[number]!.attempts.begin()
        self.requests[number]!.attempts.failed(candidate.model.id)
        self.record(
            attempt: AttemptRecord(
                request: self.requests[number]!.ulid, number: self.requests[number]!.attempts.count,
                provider: self.providers[candidate.provider].settings.name, model: candidate.model.id,
                atMilliseconds: now.wallMilliseconds, durationMilliseconds: 0, failure: failure),
            at: now)
    }
}
