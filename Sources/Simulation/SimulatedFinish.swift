import Messages
import SupervisorCore

// Requests that go on though their clients have gone, because their purpose says so.
extension Simulation {
    /// Whether a request, or a chain, is one that would go on.
    func finishes(_ key: SimulatedPrompt.Key, _ mandate: Mandate) -> Bool {
        (self.memberships[key].flatMap { self.groups[$0]?.purpose } ?? mandate.purpose) == "finish"
    }

    /// A client is gone, or about to be: some of what it asked goes on.
    mutating func promptsGoOn(withoutClient id: ConnectionID) {
        guard let uid = self.clients[id]?.uid else { return }
        let own = self.prompts.filter { key, prompt in
            // What has ended, or is being cut short, ends as it would have.
            if case .done? = prompt.slotEnd { return false }
            return key.connection == id && prompt.finishes && prompt.isAdmitted && !prompt.isAbandoned
                && prompt.end == nil && prompt.cut == nil && !prompt.wasCancelled
        }
        // The core may have less: it knows of an end before it is on record.
        let others = self.prompts.values.filter { $0.isFinishing && $0.end == nil }
        let isFull =
            others.count + own.count > self.bounds.finishing
            || others.count { $0.finishingUser == uid } + own.count > self.bounds.finishingPerUser
        for key in own.keys {
            self.prompts[key]!.finishingUser = uid
            self.prompts[key]!.mayBeCancelled = isFull
        }
    }

    /// A slot says something for a client that may be gone: it is to be on record all the same.
    mutating func isSaidToNobody(_ output: SlotEvent, of key: SimulatedPrompt.Key) {
        guard self.prompts[key]?.isFinishing ?? false else { return }
        self.delivered[key, default: Transcript()].append(output)
    }

    /// What went on without a client ended.
    mutating func checkFinish(_ record: EndRecord, of key: SimulatedPrompt.Key, _ prompt: SimulatedPrompt) {
        switch record.state {
        case .done:
            self.mark("finished without a client")
            if key.round > 0 { self.mark("round finished without a client") }
            if prompt.embeddings != nil { self.mark("embeddings finished without a client") }
            if self.isDraining { self.mark("drain waits for what nobody reads") }
        case .cancelled:
            self.mark("cancelled for want of room to finish")
            if !prompt.mayBeCancelled {
                self.fail("request \(key.text) was cancelled though it goes on without its client")
            }
        case .error, .crashed, .lost:
            self.mark("ended without a client")
        }
    }

    mutating func checkFinishing() {
        let count = self.core.footprint.finishing
        guard count > 0 else { return }
        if count > self.bounds.finishing { self.fail("\(count) requests go on without their clients") }
        if count > self.prompts.values.count(where: { $0.isFinishing && $0.end == nil }) {
            self.fail("a request goes on for a client that is there")
        }
    }
}
