import Messages
import SupervisorCore

// Slots that are asked which models their provider has.
extension Simulation {
    mutating func slotIsAskedForModels(_ slot: SlotID, _ listing: ModelListing) {
        let worker = self.workers[slot.worker]!
        let state = worker.slots[slot.index]
        guard worker.hasHello, !worker.isRetired, state.isIdle else {
            return self.fail("a slot was asked for models that takes no requests")
        }
        let settings = self.settings[worker.stamp]!
        if !settings.isOverHTTP { self.fail("a provider was asked for models that has no list") }
        if !self.isPresent(worker) { self.fail("a retired provider was asked for its models") }
        if listing.key != self.configuration.providers.first(where: { $0.stamp == worker.stamp })?.key {
            self.fail("a key went where it should not, or did not go")
        }
        if self.isDraining { self.fail("models were asked for after the drain began") }
        self.workers[slot.worker]!.slots[slot.index] = SimulatedSlot(listing: listing.request, isRead: state.isRead)
    }

    /// - Returns: Whether the slot is asked for models, and is told that nobody waits for them.
    mutating func listingIsCancelled(_ slot: SlotID, _ request: ULID) -> Bool {
        let state = self.workers[slot.worker]!.slots[slot.index]
        guard state.listing == request, !state.isCancelled else { return false }
        self.workers[slot.worker]!.slots[slot.index].cancelledAt = self.now
        self.mark("models given up")
        return true
    }

    mutating func listingActs(_ slot: SlotID) {
        switch Int.random(in: 0..<40, using: &self.random) {
        case 0: self.lies(slot.worker, .slotEvent(slot, SlotEvent.text("psst").encoded))
        case 1: self.lies(slot.worker, .slotEvent(slot, SlotEvent.done(SlotCompletion()).encoded))
        case 2: self.lies(slot.worker, .slotEvent(slot, Array(#"{"event":"models","models":[{"id":"a b"}]}"#.utf8)))
        case 3..<12: self.listingEnds(slot)
        default: break
        }
    }

    /// The provider lists its models, or does not.
    mutating func listingEnds(_ slot: SlotID) {
        let state = self.workers[slot.worker]!.slots[slot.index]
        self.workers[slot.worker]!.slots[slot.index] = SimulatedSlot(isRead: state.isRead)
        if self.chance(20) {
            self.mark("models refused")
            return self.post(
                .slotEvent(slot, SlotEvent.error(Failure(.providerError, "no list"), usage: nil).encoded))
        }
        self.mark(state.isCancelled ? "models that nobody waits for" : "models listed")
        let count = Int.random(in: 0...6, using: &self.random)
        let models = (0..<count).map { _ in
            ModelDescription(id: "listed\(Int.random(in: 0..<8, using: &self.random))")
        }
        self.post(.slotEvent(slot, SlotEvent.models(models).encoded))
    }

    mutating func modelsAreSaved(_ file: [UInt8]) {
        self.mark("models saved")
        guard let listed = try? ListedModels(decoding: file) else { return self.fail("a list that nobody can read") }
        let ids = listed.providers.flatMap { $0.models.map(\.id) }
        if Set(ids).count != ids.count { self.fail("two providers have a model of one name") }
        if ids.count > self.bounds.listedModels { self.fail("\(ids.count) models are kept") }
    }
}
