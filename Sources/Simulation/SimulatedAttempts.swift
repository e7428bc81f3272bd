import Messages
import SupervisorCore

/// What became of a prompt that a slot was given.
struct SimulatedAttempt {
    let provider: String
    let model: String
    /// What the slot said; `nil` where it said no last event that counts: it was cut short, or died.
    var end: End?

    struct End {
        /// `nil` for a success.
        var code: ErrorCode?
        var usage: Usage?
    }
}

extension SimulatedPrompt {
    var hasFailedAttempt: Bool { if case .error? = self.slotEnd { self.isOver } else { false } }
}

// Prompts that are tried more than once: the world's own rules of when and by whom, kept from what docs/configuration.md promises.
extension Simulation {
    static let repeated: Set<ErrorCode> = [.providerRateLimited, .providerError, .providerUnreachable]
    private static let handedOn = repeated.union([.providerAuthentication])

    /// Whether the world knows all that is on record.
    var isLogHeard: Bool {
        self.logger.isAlive && self.logger.isReady && !self.logger.isKilled && !self.logger.isClosed
    }

    func providerName(of model: String) -> String { "p\(model.drop { !$0.isNumber })" }

    private func settings(of model: String, for prompt: SimulatedPrompt) -> ProviderSettings {
        self.settings(of: Int(model.drop { !$0.isNumber }) ?? 0, for: prompt)!
    }

    /// The models that may answer a prompt, in order.
    private func candidates(of prompt: SimulatedPrompt) -> [String] {
        // Vectors of another model are not what was asked for.
        guard prompt.embeddings == nil else { return [prompt.askedModel] }
        return [prompt.askedModel]
            + (self.rules(of: prompt).fallbacks[prompt.askedModel] ?? []).filter {
                !$0.hasPrefix("k") || self.settings(of: $0, for: prompt).key != nil
            }
    }

    // MARK: Failures

    /// What a provider fails with that fails much.
    mutating func drawnFailure() -> Failure {
        let code: ErrorCode =
            switch Int.random(in: 0..<20, using: &self.random) {
            case 0..<9: .providerRateLimited
            case 9..<14: .providerError
            case 14..<18: .providerUnreachable
            case 18: .providerAuthentication
            default: .providerRejected
            }
        let asksToWait = code == .providerRateLimited && self.chance(60)
        return Failure(
            code, "the provider said no",
            retryAfterMilliseconds: asksToWait ? Int.random(in: 0...4000, using: &self.random) : nil)
    }

    /// What must come of a failed attempt.
    private enum Outcome { case end, retry(latest: Instant), nextModel, unknown }

    private func outcome(of failure: Failure, _ key: SimulatedPrompt.Key) -> Outcome {
        let prompt = self.prompts[key]!
        guard prompt.spoken == 0 else { return .end }
        guard self.isLogHeard else { return .unknown }
        let tried = self.tried[key]!
        guard tried.count + prompt.passed.count < self.bounds.attempts.count else { return .end }
        let retries = tried.count(where: { $0.model == prompt.model }) - 1
        if Self.repeated.contains(failure.code), retries < self.settings(of: prompt.model, for: prompt).retries {
            let (earliest, latest) = self.wait(after: failure, retries: retries)
            let deadline = prompt.admittedAt + prompt.total
            if earliest <= self.bounds.attempts.longestWait || failure.retryAfterMilliseconds ?? 0 == 0 {
                if self.now + latest < deadline { return .retry(latest: self.now + latest) }
                if self.now + earliest < deadline { return .unknown }
            }
        }
        guard Self.handedOn.contains(failure.code), self.candidates(of: prompt).last != prompt.model else {
            return .end
        }
        return .nextModel
    }

    /// The shortest and the longest wait.
    private func wait(after failure: Failure, retries: Int) -> (Duration, Duration) {
        if let milliseconds = failure.retryAfterMilliseconds, milliseconds > 0 {
            return (.milliseconds(milliseconds), .milliseconds(milliseconds) * 11 / 10)
        }
        let full = min(self.bounds.attempts.minimumWait * (1 << retries), self.bounds.attempts.maximumWait)
        return (full / 2, full)
    }

    /// Providers fail what they run, so that a drain finds requests that wait for their next attempts.
    mutating func providersFail() {
        for id in self.workers.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            for index in self.workers[id]!.slots.indices where self.chance(80) {
                guard let worker = self.workers[id], !worker.isKilled, worker.slots[index].prompt != nil,
                    worker.slots[index].isRead, !worker.slots[index].hangs, !worker.slots[index].isCancelled
                else { continue }
                self.slotEnds(SlotID(worker: id, index: index), with: Failure(.providerError, "the provider is tired"))
            }
        }
    }

    mutating func slotFails(_ slot: SlotID, _ key: SimulatedPrompt.Key, _ failure: Failure, usage: Usage?) {
        let event = Event.slotEvent(slot, SlotEvent.error(failure, usage: usage).encoded)
        self.attemptEnds(key, failure.code, usage)
        guard let prompt = self.prompts[key] else { return self.post(event) }
        let outcome = self.outcome(of: failure, key)
        let tries = self.tried[key]!.count
        self.prompts[key]!.slotEnd = .error(failure.code)
        self.prompts[key]!.failedAt = self.now
        self.prompts[key]!.retryAfter = failure.retryAfterMilliseconds.map { .milliseconds($0) }
        if case .retry(let latest) = outcome { self.prompts[key]!.latestRetry = latest }
        if case .nextModel = outcome { self.prompts[key]!.isElsewhere = true }
        self.post(event)
        let hasEnded = self.prompts[key].map { $0.end != nil } ?? true
        switch outcome {
        case .end:
            if !hasEnded, self.isLogHeard { self.fail("request \(key.text) goes on after \(failure)") }
            if tries + prompt.passed.count == self.bounds.attempts.count { self.mark("ran out of attempts") }
        case .retry:
            if hasEnded, self.hasRoomForAll { self.fail("request \(key.text) is not tried again after \(failure)") }
            self.mark(hasEnded ? "no room to be tried again" : "attempt failed")
        case .nextModel:
            if hasEnded, self.hasRoomForAll, self.rules(of: prompt).durability == .commit,
                self.prompts[key].map({ $0.passed.count == prompt.passed.count }) ?? false
            {
                self.fail("request \(key.text) is not handed on")
            }
            if failure.retryAfterMilliseconds.map({ .milliseconds($0) > self.bounds.attempts.longestWait }) ?? false {
                self.mark("too long a Retry-After not waited")
            }
        case .unknown: self.prompts[key]?.isElsewhere = true
        }
    }

    /// Whether every request that may be tried again is kept.
    private var hasRoomForAll: Bool { self.bounds.retryMemory >= 1 << 20 }

    mutating func attemptEnds(_ key: SimulatedPrompt.Key, _ code: ErrorCode?, _ usage: Usage?) {
        guard let last = self.tried[key]?.indices.last else { return }
        self.tried[key]![last].end = SimulatedAttempt.End(code: code, usage: usage)
    }

    // MARK: Attempts

    /// A slot is given the prompt: for the first time, or because the attempt before failed.
    mutating func attemptBegins(_ key: SimulatedPrompt.Key, _ model: String) {
        let prompt = self.prompts[key]!
        let candidates = self.candidates(of: prompt)
        guard let before = candidates.firstIndex(of: prompt.model), let place = candidates.firstIndex(of: model),
            before <= place
        else { return self.fail("request \(key.text) went to \(model), which is not to answer it") }
        if prompt.slot != nil { self.checkRepetition(of: prompt, key, by: model) }
        self.tried[key, default: []].append(SimulatedAttempt(provider: self.providerName(of: model), model: model))
        if self.tried[key]!.count > self.bounds.attempts.count {
            self.fail("request \(key.text) has too many attempts")
        }
        self.prompts[key]!.model = model
        self.prompts[key]!.provider = Int(model.drop { !$0.isNumber }) ?? 0
        self.prompts[key]!.isElsewhere = false
        self.prompts[key]!.isOver = false
        self.prompts[key]!.slotEnd = nil
        self.prompts[key]!.latestRetry = nil
    }

    private mutating func checkRepetition(of prompt: SimulatedPrompt, _ key: SimulatedPrompt.Key, by model: String) {
        guard prompt.isOver, prompt.cut == nil, case .error(let code)? = prompt.slotEnd else {
            return self.fail("request \(key.text) was dispatched twice")
        }
        if prompt.spoken > 0 { self.fail("request \(key.text) was tried again after output") }
        if prompt.end != nil { self.fail("request \(key.text) was tried again after its end") }
        if prompt.admittedAt + prompt.total < self.now { self.fail("request \(key.text) was tried again too late") }
        guard model == prompt.model else {
            if !Self.handedOn.contains(code) { self.fail("request \(key.text) was handed on after \(code)") }
            return
        }
        let tries = self.tried[key]!.count(where: { $0.model == model })
        if !Self.repeated.contains(code) || tries > self.settings(of: model, for: prompt).retries {
            self.fail("request \(key.text) was tried again after \(tries) attempts and \(code)")
        }
        let failure = Failure(code, "", retryAfterMilliseconds: prompt.retryAfter.map { Int($0 / .milliseconds(1)) })
        if self.now < prompt.failedAt + self.wait(after: failure, retries: tries - 1).0 {
            self.fail("request \(key.text) was tried again too early")
        }
        if let asked = prompt.retryAfter, asked > .zero { self.mark("Retry-After honoured") }
    }

    /// The logger is told of an attempt.
    mutating func recordTried(_ record: AttemptRecord) {
        let name = record.request.description
        guard let key = self.names[name] else { return self.fail("an attempt of a request that is not opened") }
        guard self.prompts[key] != nil, record.isPassed,
            !self.prompts[key]!.passed.contains("\(record.number) \(record.model)")
        else { return }
        self.mark("model passed over")
        self.prompts[key]!.passed.append("\(record.number) \(record.model)")
        self.prompts[key]!.isElsewhere = true
    }

    // MARK: Books

    mutating func checkStart(_ event: ClientEvent, of key: SimulatedPrompt.Key, startedBefore: Bool) {
        let models = self.tried[key]!.map(\.model)
        if startedBefore, models.count < 2 || models.last == models[models.count - 2] {
            self.fail("request \(key.text) started twice")
        }
        self.checkCount(event.attempts, of: key)
        if startedBefore { self.mark("started again") }
    }

    /// A client is told how many attempts there were, if there were several.
    mutating func checkCount(_ count: Int?, of key: SimulatedPrompt.Key) {
        let known = (self.tried[key]?.count ?? 0) + self.prompts[key]!.passed.count
        if count == 1 || count ?? 1 > self.bounds.attempts.count {
            self.fail("request \(key.text): \(count!) attempts")
        }
        // What was passed over may not be on record yet.
        let isRight = self.isLogHeard ? count ?? 1 == max(known, 1) : count ?? 1 >= known
        if !isRight { self.fail("request \(key.text) had \(known) attempts, its client is told of \(count ?? 1)") }
    }

    mutating func markSuccess(of key: SimulatedPrompt.Key) {
        let tried = self.tried[key]!
        if tried.count > 1 {
            self.mark(tried[0].model == tried.last!.model ? "retried and succeeded" : "fell back and succeeded")
        } else if tried[0].model != self.prompts[key]!.askedModel {
            self.mark("passed over and succeeded")
        }
    }

    /// Frames are kept of those requests only that may be tried again.
    mutating func checkKeptFrames(_ bytes: Int) {
        if bytes > self.bounds.retryMemory { self.fail("\(bytes) bytes of requests are kept") }
        guard bytes > 0, self.isLogHeard else { return }
        if !self.prompts.values.contains(where: {
            $0.end == nil && $0.cut == nil && $0.spoken == 0 && ($0.slot != nil || $0.isElsewhere)
        }) {
            self.fail("\(bytes) bytes of requests are kept that are not tried again")
        }
    }

    /// On disk is what slots were given, and how that ended.
    mutating func checkAttempts(of name: String, _ row: SimulatedDisk.Row) {
        guard let key = self.names[name] else { return }
        let tried = self.tried[key] ?? []
        guard !row.attempts.isEmpty else {
            if tried.count > 1 { self.fail("\(tried.count) attempts of request \(name) are not on disk") }
            return
        }
        if row.attempts.map(\.number) != Array(1...row.attempts.count) { self.fail("attempts are missing of \(name)") }
        if row.attempts.count > self.bounds.attempts.count { self.fail("request \(name) has too many attempts") }
        let run = row.attempts.filter { !$0.isPassed }
        if run.map(\.model) != tried.map(\.model) || run.map(\.provider) != tried.map(\.provider) {
            self.fail("on disk are other attempts of \(name) than its slots were given")
        }
        for (attempt, tried) in zip(run, tried) {
            guard let end = tried.end, attempt.failure?.code != .answerTooLarge else { continue }
            if attempt.failure?.code != end.code || attempt.usage != end.usage {
                self.fail("an attempt of \(name) ended otherwise than its row says")
            }
        }
        if row.model != row.attempts.last!.model { self.fail("the row of \(name) names another model") }
    }
}

extension AttemptRecord {
    /// Whether no slot was given it. A chain for which there is no memory is overloaded too, in the middle of an answer.
    fileprivate var isPassed: Bool {
        guard let failure = self.failure, !failure.message.hasPrefix("the memory for what is said in chains") else {
            return false
        }
        return [.noKey, .overloaded, .providerUnavailable].contains(failure.code)
    }
}
