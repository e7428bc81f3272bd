import Messages

// Who may hold how much of the memory that is shared.
extension SupervisorCore {
    /// All that is held, in bytes.
    var memoryInUse: Int {
        self.memory.used + self.answerMemory.used + self.historyMemory.used + self.smallRequestMemory.used
            + self.chainMemory.used + self.retryMemory.used
    }

    /// Takes room for a request that waits for a slot. A large one has it already: its frame was read into it, or, where it
    /// continues a conversation, the history was, which is most of it.
    mutating func reserveFrame(
        of number: RequestNumber, _ bytes: Int, provider: Int, from connection: ConnectionID, isContinued: Bool
    ) -> Bool {
        guard bytes <= self.bounds.smallFrame else {
            if isContinued {
                self.historyMemory.charge(.request(number), bytes)
                return true
            }
            let isAgreed = self.memory.held(by: .consultation(number)) > 0
            return self.memory.reserve(
                .request(number), bytes, heldBy: isAgreed ? .consultation(number) : .clientFrame(connection))
        }
        guard self.providers[provider].smallRequestBytes + bytes <= self.bounds.smallRequestMemory / 2,
            self.smallRequestMemory.reserve(.request(number), bytes)
        else { return false }
        self.providers[provider].smallRequestBytes += bytes
        return true
    }

    /// Gives the room back: the slot has the request, or it is over.
    mutating func releaseFrame(of number: RequestNumber) {
        self.memory.release(.request(number))
        if self.historyMemory.used > 0 { self.historyMemory.release(.request(number)) }
        guard let provider = self.requests[number]?.provider else { return }
        self.providers[provider].smallRequestBytes -= self.smallRequestMemory.release(.request(number))
    }

    /// Takes room for a prompt that waits for its history. A large one is going to be held twice: on its way to a slot, and on
    /// its way to the disk. Small ones leave room for prompts that begin a conversation.
    mutating func reserveContinuation(_ number: RequestNumber, _ bytes: Int, from connection: ConnectionID) -> Bool {
        guard bytes <= self.bounds.smallFrame else {
            return self.memory.reserve(.continuation(number), 2 * bytes, heldBy: .clientFrame(connection))
        }
        guard self.smallContinuationBytes + bytes <= self.bounds.smallRequestMemory / 2,
            self.smallRequestMemory.reserve(.continuation(number), bytes)
        else { return false }
        self.smallContinuationBytes += bytes
        return true
    }

    mutating func releaseContinuation(_ number: RequestNumber) {
        self.memory.release(.continuation(number))
        self.smallContinuationBytes -= self.smallRequestMemory.release(.continuation(number))
    }

    /// Takes room for a request that hooks are asked about, which is there twice: as it came, and as the question. What it follows has
    /// been read into a budget of its own, and it has held as much itself while it waited for that.
    mutating func reserveConsultation(
        _ number: RequestNumber, _ wish: Consultation.Wish, from connection: ConnectionID
    ) -> Bool {
        let bytes = 2 * wish.length
        let isSmall = wish.length <= self.bounds.smallFrame
        if let precedent = wish.precedent {
            self.historyMemory.charge(.consultation(number), precedent.history.messages.count)
            if !isSmall { self.memory.charge(.consultation(number), bytes) }
        } else if !isSmall {
            return self.memory.reserve(.consultation(number), bytes, heldBy: .clientFrame(connection))
        }
        guard isSmall else { return true }
        guard self.smallConsultationBytes + bytes <= self.bounds.smallRequestMemory / 2,
            self.smallRequestMemory.reserve(.consultation(number), bytes)
        else {
            self.releaseConsultation(number)
            return false
        }
        self.smallConsultationBytes += bytes
        return true
    }

    mutating func releaseConsultation(_ number: RequestNumber) {
        self.releaseSmallConsultation(number)
        self.memory.release(.consultation(number))
        if self.historyMemory.used > 0 { self.historyMemory.release(.consultation(number)) }
    }

    /// Gives back what a small one holds: it takes other room when it is let in.
    mutating func releaseSmallConsultation(_ number: RequestNumber) {
        self.smallConsultationBytes -= self.smallRequestMemory.release(.consultation(number))
    }

    /// Keeps the frame of a request that is dispatched, if it may be tried again and there is room; forgets it otherwise.
    ///
    /// Nobody waits for this room, and who finds none goes on without: so no request can keep another from being served.
    mutating func keepFrame(of number: RequestNumber) {
        let bytes = self.requests[number]!.frame.count
        if self.requests[number]!.attempts.hasMore, self.reserveKept(number, bytes) { return }
        self.forgetFrame(of: number)
    }

    /// Takes room for a frame that is kept; it may have some already. A chain has its own, for as long as it lasts.
    mutating func reserveKept(_ number: RequestNumber, _ bytes: Int) -> Bool {
        if self.chains[number] != nil { return true }
        self.retryMemory.release(.request(number))
        return self.retryMemory.reserve(.request(number), bytes)
    }

    /// The request will not be tried again. A large frame that is on its way holds its room until it has left.
    mutating func forgetFrame(of number: RequestNumber) {
        self.requests[number]!.frame = []
        if !self.requests[number]!.isFrameOnItsWay { self.retryMemory.release(.request(number)) }
    }

    /// A large request has left this process.
    mutating func slotWritten(_ slot: SlotID) {
        guard case .busy(let number) = self.workers[slot.worker]?.slots[slot.index].state else { return }
        self.releaseFrame(of: number)
        self.requests[number]!.isFrameOnItsWay = false
        if self.requests[number]!.frame.isEmpty { self.retryMemory.release(.request(number)) }
    }

    /// A frame begins to arrive from a slot.
    mutating func slotFrameBegun(_ slot: SlotID, _ length: Int, at now: Now) {
        guard let worker = self.workers[slot.worker], worker.state != .dying else { return }
        switch worker.slots[slot.index].state {
        case .idle:
            return self.workerMisbehaved(slot.worker, "a slot spoke without a request", culprit: nil, at: now)
        case .hung:
            return
        case .busy, .listing:
            break
        }
        // A large answer is held twice: on its way to the client, and on its way to the disk.
        let bytes = self.configuration.storesPrompts ? 2 * length : length
        guard length > self.bounds.smallFrame, !self.answerMemory.reserveOrWait(.slotFrame(slot), bytes) else {
            return
        }
        if self.isCancelling(slot) {
            // Its end must be read, whatever it costs.
            self.answerMemory.grantAtOnce(.slotFrame(slot))
        } else {
            self.changePause(of: slot, at: now) { $0.isPausedForMemory = true }
        }
    }

    /// Lets those read on who wait for room, while there is some.
    mutating func grantMemory(at now: Now) {
        while let holder = self.memory.grantNext() ?? self.answerMemory.grantNext() ?? self.historyMemory.grantNext() {
            switch holder {
            case .clientFrame(let id):
                guard self.connections[id] != nil else { continue }
                self.connections[id]!.memoryWasGranted(at: now.instant)
                if self.connections[id]!.isRead { self.actions.append(.resumeClient(id)) }
                self.updateDeadline(ofConnection: id)
            case .slotFrame(let slot):
                self.changePause(of: slot, at: now) { $0.isPausedForMemory = false }
            case .readerReply:
                self.replyWasGranted(at: now)
            case .clientOutput, .request, .lastFrame, .record, .continuation, .consultation, .chain:
                preconditionFailure("\(holder) does not wait for memory")
            }
        }
    }

    /// Gives back the room of records that are on disk.
    mutating func releaseRecords(_ sequences: [Int]) {
        for sequence in sequences {
            self.memory.release(.record(sequence))
            self.answerMemory.release(.record(sequence))
        }
    }
}
