import Messages

// The lives of worker processes.
extension SupervisorCore {
    // MARK: Starting

    /// Starts a process for the provider's new requests.
    mutating func startWorker(of index: Int, at now: Now) {
        guard self.phase == .running || self.isDraining, self.providers[index].current == nil,
            self.providers[index].state != .stopped, !self.providers[index].isRetired || self.isNeeded(index)
        else { return }
        let id = WorkerID(self.nextNumber())
        let settings = self.providers[index].settings
        self.workers[id] = Worker(
            id: id, provider: index, slots: settings.slots, at: now.instant, bounds: self.bounds)
        self.providers[index].current = id
        self.providers[index].state = .starting
        self.providers[index].starts += 1
        self.setDeadline(.provider(index), at: nil)
        self.actions.append(.startWorker(id, provider: settings.name, slots: settings.slots))
        self.actions.append(.sendWorker(id, WorkerControl.configure(settings).encoded))
        self.updateDeadline(ofWorker: id)
    }

    mutating func workerFailedToStart(_ id: WorkerID, _ reason: String, at now: Now) {
        self.workerEnded(id, "it could not be started: \(reason)", isHopeless: false, at: now)
    }

    mutating func workerReport(_ id: WorkerID, _ payload: [UInt8], at now: Now) {
        guard let worker = self.workers[id], worker.state != .dying else { return }
        let report: WorkerReport
        do {
            report = try WorkerReport(decoding: payload)
        } catch {
            return self.workerMisbehaved(id, "a report could not be read: \(error)", culprit: nil, at: now)
        }
        switch report {
        case .hello(let hello): self.workerSaidHello(id, hello, at: now)
        case .pong(let number):
            guard self.workers[id]!.saidPong(number: number, at: now.instant, bounds: self.bounds) else {
                return self.workerMisbehaved(id, "a pong that nobody asked for", culprit: nil, at: now)
            }
            self.updateDeadline(ofWorker: id)
        }
    }

    private mutating func workerSaidHello(_ id: WorkerID, _ hello: WorkerHello, at now: Now) {
        let provider = self.workers[id]!.provider
        let settings = self.providers[provider].settings
        guard hello.protocolVersion == ProtocolVersion.current, hello.provider == settings.name,
            hello.slots == settings.slots
        else {
            return self.workerMisbehaved(
                id,
                "its hello is of protocol \(hello.protocolVersion), provider '\(hello.provider)', \(hello.slots) slots",
                culprit: nil, at: now)
        }
        guard self.workers[id]!.saidHello(at: now.instant, bounds: self.bounds) else {
            return self.workerMisbehaved(id, "it said hello twice", culprit: nil, at: now)
        }
        self.providers[provider].state = .ready
        self.actions.append(
            .log(LogEntry(.info, "worker ready", ["provider": settings.name, "pid": "\(self.workers[id]!.pid ?? 0)"])))
        self.updateDeadline(ofWorker: id)
        self.dispatchQueue(of: provider, at: now)
    }

    // MARK: Ending

    /// No more requests for this process; the next one is started at once, unless too many have died.
    mutating func retireWorker(_ id: WorkerID, at now: Now) {
        let index = self.workers[id]!.provider
        self.providers[index].current = nil
        self.providers[index].retiring.append(id)
        self.noteDeath(of: self.workers[id]!, "a slot hung", isHopeless: false, startsAtOnce: true, at: now)
        if self.providers[index].retiring.count > self.bounds.retiringWorkers {
            let oldest = self.providers[index].retiring[0]
            self.failRequests(
                of: oldest, .workerHung, "the request's worker was stopped: one of its other requests hung", at: now)
            self.killWorker(oldest, "one of its slots hung", at: now)
        }
    }

    /// The process lied, or cannot be understood: it is killed.
    ///
    /// - Parameter culprit: The slot that did it, if one did. Its request is told so; the others only that their worker is gone.
    mutating func workerMisbehaved(_ id: WorkerID, _ reason: String, culprit: SlotID?, at now: Now) {
        guard let worker = self.workers[id], worker.state != .dying else { return }
        let name = self.providers[worker.provider].settings.name
        self.actions.append(
            .log(LogEntry(.warning, "worker broke the protocol", ["provider": name, "reason": reason])))
        if let culprit, case .busy(let number) = worker.slots[culprit.index].state {
            self.endWithWorker(
                number, Failure(.workerMisbehaved, "the worker of provider '\(name)' broke the protocol: \(reason)"),
                at: now)
        }
        self.failRequests(of: id, .workerCrashed, "the worker of provider '\(name)' was stopped: \(reason)", at: now)
        self.killWorker(id, reason, at: now)
    }

    mutating func workerExpired(_ id: WorkerID, at now: Now) {
        guard let name = self.workers[id].map({ self.providers[$0.provider].settings.name }) else { return }
        switch self.workers[id]!.expiry(at: now.instant, bounds: self.bounds) {
        case .none:
            break
        case .ping(let number):
            self.actions.append(.sendWorker(id, WorkerControl.ping(number: number).encoded))
        case .noHello:
            self.actions.append(.log(LogEntry(.warning, "worker did not say hello in time", ["provider": name])))
            self.killWorker(id, "it did not say hello in time", at: now)
        case .noPong:
            self.actions.append(.log(LogEntry(.warning, "worker does not answer: killed", ["provider": name])))
            self.failRequests(
                of: id, .workerHung, "the worker of provider '\(name)' stopped answering and was killed", at: now)
            self.killWorker(id, "it stopped answering", at: now)
        case .noExit:
            self.actions.append(.killWorker(id))
        }
        self.updateDeadline(ofWorker: id)
    }

    mutating func workerExited(_ id: WorkerID, _ status: TerminationStatus, at now: Now) {
        // 78 is EX_CONFIG of sysexits.h: another try would end the same way.
        self.workerEnded(id, "\(status)", isHopeless: status == .exited(code: 78), at: now)
    }

    private mutating func workerEnded(_ id: WorkerID, _ reason: String, isHopeless: Bool, at now: Now) {
        guard let worker = self.workers[id] else { return }
        let index = worker.provider
        let name = self.providers[index].settings.name
        let reason = worker.verdict ?? reason
        self.failRequests(
            of: id, .workerCrashed, "the worker of provider '\(name)' died (\(reason)) while it ran the request",
            at: now)
        self.endListings(of: id, reason, at: now)
        for slot in worker.slots.indices { self.answerMemory.release(.slotFrame(SlotID(worker: id, index: slot))) }
        self.workers[id] = nil
        self.setDeadline(.worker(id), at: nil)
        self.providers[index].retiring.removeAll { $0 == id }
        self.providers[index].lastExit = reason
        guard self.providers[index].current == id else { return }
        self.providers[index].current = nil
        self.noteDeath(of: worker, reason, isHopeless: isHopeless, startsAtOnce: false, at: now)
    }

    /// Counts a death and decides when the provider's next process starts.
    private mutating func noteDeath(
        of worker: Worker, _ reason: String, isHopeless: Bool, startsAtOnce: Bool, at now: Now
    ) {
        let index = worker.provider
        guard self.phase == .running || self.isDraining, self.providers[index].state != .stopped else {
            return self.providers[index].state = .stopped
        }
        self.providers[index].deaths += 1
        let verdict = self.providers[index].backoff.processDied(
            startedAt: worker.startedAt, isHopeless: isHopeless, at: now.instant, using: &self.random)
        let fields = ["provider": self.providers[index].settings.name, "reason": reason]
        switch verdict {
        case .retry(let instant):
            self.actions.append(.log(LogEntry(.warning, "worker died", fields)))
            if startsAtOnce { return self.startWorker(of: index, at: now) }
            self.providers[index].state = .waiting(until: instant)
        case .park(let until):
            self.actions.append(.log(LogEntry(.error, "provider parked: its workers keep dying", fields)))
            self.providers[index].state = .parked(until: until)
            for number in self.providers[index].queue.all {
                self.cannotBegin(number, Failure(.providerUnavailable, self.parkedMessage(index)), at: now)
            }
        }
        self.setDeadline(.provider(index), at: self.providers[index].deadline)
    }

    /// Kills a process that has no requests any more.
    ///
    /// - Parameter verdict: Why, for status and the log.
    mutating func killWorker(_ id: WorkerID, _ verdict: String, at now: Now) {
        guard let worker = self.workers[id], worker.state != .dying else { return }
        precondition(worker.busySlots == 0, "a worker was killed under its requests")
        for slot in worker.slots.indices { self.answerMemory.release(.slotFrame(SlotID(worker: id, index: slot))) }
        self.endListings(of: id, verdict, at: now)
        self.workers[id]!.dismissed(at: now.instant, timeout: nil)
        self.workers[id]!.verdict = verdict
        self.actions.append(.killWorker(id))
        self.updateDeadline(ofWorker: id)
    }

    /// Ends every request that the process runs.
    private mutating func failRequests(of id: WorkerID, _ code: ErrorCode, _ message: String, at now: Now) {
        guard let worker = self.workers[id] else { return }
        for number in worker.requests { self.endWithWorker(number, Failure(code, message), at: now) }
    }

    /// Ends a request whose worker is gone: as it was to end, if it had been cut short before.
    private mutating func endWithWorker(_ number: RequestNumber, _ failure: Failure, at now: Now) {
        switch self.requests[number]!.state {
        case .running(let slot):
            self.end(number, with: Request.Ending(failure), at: now)
            self.workers[slot.worker]!.releaseSlot(slot.index)
        case .cancelling(let slot, let ending):
            self.end(number, with: ending, at: now)
            self.workers[slot.worker]!.releaseSlot(slot.index)
        case .recording, .queued, .waiting, .ending:
            preconditionFailure("a worker ran a request in state \(self.requests[number]!.state)")
        }
    }

    func parkedMessage(_ provider: Int) -> String {
        let settings = self.providers[provider].settings
        let reason = self.providers[provider].lastExit.map { " (the last: \($0))" } ?? ""
        return
            "the workers of provider '\(settings.name)' keep dying\(reason); it is tried again soon, see op status and the daemon's log"
    }

    mutating func updateDeadline(ofWorker id: WorkerID) {
        self.setDeadline(.worker(id), at: self.workers[id]?.deadline)
    }
}
