import Messages

// What slots say, and when they are read.
extension SupervisorCore {
    mutating func slotEvent(_ slot: SlotID, _ payload: [UInt8], at now: Now) {
        guard let state = self.workers[slot.worker]?.stateUnlessDying(of: slot.index) else { return }
        self.answerMemory.release(.slotFrame(slot))
        let event: SlotEventEnvelope
        do {
            event = try self.decode(payload, from: state)
        } catch {
            return self.workerMisbehaved(
                slot.worker, "a slot's event could not be read: \(error)", culprit: slot, at: now)
        }
        switch state {
        case .busy(let number): self.requestEvent(number, event, slot, at: now)
        case .listing(let number): self.listingEvent(number, event, slot, at: now)
        case .idle: self.workerMisbehaved(slot.worker, "a slot spoke without a request", culprit: nil, at: now)
        case .hung: break
        }
    }

    private func decode(_ payload: [UInt8], from slot: Worker.SlotState) throws(MessageError) -> SlotEventEnvelope {
        guard case .busy(let number) = slot, let count = self.requests[number]!.embeddings else {
            return try SlotEventEnvelope(decoding: payload)
        }
        return try SlotEventEnvelope(decoding: payload, embeddingsOf: count)
    }

    private mutating func requestEvent(_ number: RequestNumber, _ event: SlotEventEnvelope, _ slot: SlotID, at now: Now)
    {
        if case .output(let output) = event.kind, self.requests[number]!.isRunning {
            return self.outputArrived(output, of: event.bytes, number, slot, at: now)
        }
        let request = self.requests[number]!
        switch (request.state, event.kind) {
        case (.running, .output):
            preconditionFailure("the output of a running request is not its end")
        case (.running, .progress):
            let timeouts = self.providers[request.provider].settings.timeouts
            let isPaused = self.workers[slot.worker]!.slots[slot.index].isPaused
            // The deadline only moves later: the timer finds out when it fires.
            self.requests[number]!.progressed(isPaused: isPaused, timeouts: timeouts, at: now.instant)
        case (.running, .done(let outcome)):
            // Its client would be told what is not recorded.
            guard !request.isStreamed || outcome.answer.isEmpty else {
                return self.workerMisbehaved(
                    slot.worker, "a slot answered whole what it was to stream", culprit: slot, at: now)
            }
            self.complete(number, outcome, event: event.bytes, at: now)
            self.slotLetGo(slot, at: now)
        case (.running, .error(let failure, let usage)):
            self.attemptFailed(number, failure, usage: usage, at: now)
            self.slotLetGo(slot, at: now)
        case (.cancelling, .output), (.cancelling, .progress):
            break
        case (.cancelling(_, let ending), .done(let outcome)):
            self.end(number, with: ending, usage: outcome.usage, at: now)
            self.slotLetGo(slot, at: now)
        case (.cancelling(_, let ending), .error(_, let usage)):
            self.end(number, with: ending, usage: usage, at: now)
            self.slotLetGo(slot, at: now)
        case (.running, .models), (.cancelling, .models):
            self.workerMisbehaved(
                slot.worker, "a slot listed models when it was asked a prompt", culprit: slot, at: now)
        case (.recording, _), (.queued, _), (.waiting, _), (.ending, _):
            preconditionFailure("a slot runs a request in state \(request.state)")
        }
    }

    /// A slot said more of its answer. There are many of these: what is not needed is not touched.
    private mutating func outputArrived(
        _ output: SlotOutput, of event: [UInt8], _ number: RequestNumber, _ slot: SlotID, at now: Now
    ) {
        let isPaused = self.workers[slot.worker]!.slots[slot.index].isPaused
        let timeouts = self.providers[self.requests[number]!.provider].settings.timeouts
        guard
            let listeners = self.requests[number]!.outputArrived(
                isPaused: isPaused, timeouts: timeouts, at: now.instant)
        else {
            return self.workerMisbehaved(
                slot.worker, "a slot streamed what was asked for whole", culprit: slot, at: now)
        }
        if listeners.isFirst {
            self.forgetFrame(of: number)
            // From the second event on the deadline only moves later: the timer finds out when it fires.
            self.updateDeadline(ofRequest: number)
        }
        if let connection = listeners.connection {
            self.send(ClientAnswer.event(id: listeners.clientID, event), to: connection)
        }
        if listeners.hasChain { self.gather(output, of: event, inChain: number, at: now) }
        if listeners.hasRecord { self.gather(output, of: event, number, at: now) }
    }

    /// Keeps what a slot said for the record, and sends it when it is enough.
    private mutating func gather(_ output: SlotOutput, of event: [UInt8], _ number: RequestNumber, at now: Now) {
        let count = self.requests[number]!.output.append(output, of: event)
        guard count >= self.bounds.outputPiece else { return }
        let ulid = self.requests[number]!.ulid
        if let piece = self.requests[number]!.output.take() {
            self.record(output: OutputRecord(request: ulid, output: piece), at: now)
        }
        guard self.requests[number]!.output.total > self.bounds.recordedAnswer else { return }
        self.cutShort(number, Request.Ending(self.answerIsTooLarge), at: now)
    }

    /// The slot is free. A process that only finishes what it has ends with its last request.
    mutating func slotLetGo(_ slot: SlotID, at now: Now) {
        if self.workers[slot.worker]!.slots[slot.index].isPaused { self.actions.append(.resumeSlot(slot)) }
        self.workers[slot.worker]!.releaseSlot(slot.index)
        let worker = self.workers[slot.worker]!
        if worker.state == .retiring, worker.busySlots == 0 {
            self.killWorker(slot.worker, "one of its slots hung", at: now)
        } else {
            self.dispatchQueue(of: worker.provider, at: now)
        }
    }

    /// A slot ignored its cancel for too long: its request ends as it was to end, and its process is replaced.
    ///
    /// The replacement starts first; neighbours in the old process finish, then it is killed.
    mutating func slotHung(_ number: RequestNumber, at now: Now) {
        guard case .cancelling(let slot, let ending) = self.requests[number]!.state else { return }
        let provider = self.requests[number]!.provider
        self.actions.append(
            .log(
                LogEntry(
                    .warning, "slot hangs: its worker is replaced",
                    ["provider": self.providers[provider].settings.name, "request": "\(self.requests[number]!.ulid)"])))
        self.end(number, with: ending, at: now)
        self.answerMemory.release(.slotFrame(slot))
        self.workers[slot.worker]!.slotHung(slot.index)
        // Whatever it may still write, nobody needs it.
        self.actions.append(.pauseSlot(slot))
        if self.providers[provider].current == slot.worker { self.retireWorker(slot.worker, at: now) }
        if self.workers[slot.worker]?.busySlots == 0 { self.killWorker(slot.worker, "one of its slots hung", at: now) }
    }

    // MARK: Back-pressure

    /// The client of a request takes no more output, or takes it again.
    mutating func setPausedForClient(_ number: RequestNumber, _ isPaused: Bool, at now: Now) {
        guard case .running(let slot) = self.requests[number]?.state else { return }
        self.changePause(of: slot, at: now) { $0.isPausedForClient = isPaused }
    }

    /// Stops reading slots when the logger is behind with what they said, and reads them again when it has caught up.
    mutating func followLog(at now: Now) {
        guard self.log.isBehind != self.areSlotsPausedForLog else { return }
        self.areSlotsPausedForLog = self.log.isBehind
        for id in self.workers.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            for index in self.workers[id]!.slots.indices {
                self.setPausedForLog(SlotID(worker: id, index: index), at: now)
            }
        }
    }

    /// A slot that runs a request is read only while the logger keeps up.
    mutating func setPausedForLog(_ slot: SlotID, at now: Now) {
        guard case .busy(let number) = self.workers[slot.worker]!.slots[slot.index].state,
            case .running = self.requests[number]!.state
        else { return }
        let isBehind = self.areSlotsPausedForLog
        self.changePause(of: slot, at: now) { $0.isPausedForLog = isBehind }
    }

    /// Reads a slot whatever the reason why it was not read.
    mutating func readAgain(_ slot: SlotID) {
        guard self.workers[slot.worker]!.slots[slot.index].isPaused else { return }
        self.answerMemory.grantAtOnce(.slotFrame(slot))
        self.workers[slot.worker]!.slots[slot.index].isPausedForClient = false
        self.workers[slot.worker]!.slots[slot.index].isPausedForMemory = false
        self.workers[slot.worker]!.slots[slot.index].isPausedForLog = false
        self.actions.append(.resumeSlot(slot))
    }

    func isCancelling(_ slot: SlotID) -> Bool {
        guard case .busy(let number) = self.workers[slot.worker]!.slots[slot.index].state,
            case .cancelling = self.requests[number]!.state
        else { return false }
        return true
    }

    /// Changes why a slot is not read, and stops or resumes reading it accordingly.
    ///
    /// While a slot is not read its silence is ours: the deadlines of its request's progress stand still.
    mutating func changePause(of slot: SlotID, at now: Now, _ change: (inout Worker.Slot) -> Void) {
        guard let worker = self.workers[slot.worker], worker.state != .dying else { return }
        let before = worker.slots[slot.index].isPaused
        change(&self.workers[slot.worker]!.slots[slot.index])
        let after = self.workers[slot.worker]!.slots[slot.index].isPaused
        guard before != after else { return }
        self.actions.append(after ? .pauseSlot(slot) : .resumeSlot(slot))
        guard case .busy(let number) = worker.slots[slot.index].state else { return }
        if after {
            self.requests[number]!.slotPaused()
        } else {
            let timeouts = self.providers[self.requests[number]!.provider].settings.timeouts
            self.requests[number]!.slotResumed(timeouts: timeouts, at: now.instant)
        }
        self.updateDeadline(ofRequest: number)
    }
}
