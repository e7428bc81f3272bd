// Who may hold how much of the memory that is shared.
extension SupervisorCore {
    /// Takes room for a request that waits for a slot.
    mutating func reserveFrame(of number: RequestNumber, _ bytes: Int, provider: Int) -> Bool {
        guard bytes <= self.bounds.smallFrame else { return self.memory.reserve(.request(number), bytes) }
        guard self.providers[provider].smallRequestBytes + bytes <= self.bounds.smallRequestMemory / 2,
            self.smallRequestMemory.reserve(.request(number), bytes)
        else { return false }
        self.providers[provider].smallRequestBytes += bytes
        return true
    }

    /// Gives the room back: the slot has the request, or it is over.
    mutating func releaseFrame(of number: RequestNumber) {
        self.memory.release(.request(number))
        guard let provider = self.requests[number]?.provider else { return }
        self.providers[provider].smallRequestBytes -= self.smallRequestMemory.release(.request(number))
    }

    /// A large request has left this process.
    mutating func slotWritten(_ slot: SlotID) {
        guard case .busy(let number) = self.workers[slot.worker]?.slots[slot.index].state else { return }
        self.releaseFrame(of: number)
    }

    /// A large frame begins to arrive from a slot.
    mutating func slotFrameBegun(_ slot: SlotID, _ length: Int, at now: Now) {
        guard let worker = self.workers[slot.worker], worker.state != .dying else { return }
        guard length > self.bounds.smallFrame, !self.memory.reserveOrWait(.slotFrame(slot), length) else { return }
        if self.isCancelling(slot) {
            // Its end must be read, whatever it costs.
            self.memory.release(.slotFrame(slot))
            return self.memory.charge(.slotFrame(slot), length)
        }
        self.changePause(of: slot, at: now) { $0.isPausedForMemory = true }
    }

    /// Lets those read on who wait for room, while there is some.
    mutating func grantMemory(at now: Now) {
        while let holder = self.memory.grantNext() {
            switch holder {
            case .clientFrame(let id):
                guard self.connections[id] != nil else { continue }
                self.connections[id]!.memoryWasGranted(at: now.instant, bounds: self.bounds)
                if self.connections[id]!.isRead { self.actions.append(.resumeClient(id)) }
                self.updateDeadline(ofConnection: id)
            case .slotFrame(let slot):
                self.changePause(of: slot, at: now) { $0.isPausedForMemory = false }
            case .clientOutput, .request:
                preconditionFailure("\(holder) does not wait for memory")
            }
        }
    }
}
