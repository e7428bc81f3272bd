import Messages
import SupervisorCore

// What slots do.
extension Simulation {
    mutating func slotActs() {
        let busy = self.workers.keys.sorted { $0.rawValue < $1.rawValue }.flatMap { id -> [SlotID] in
            let worker = self.workers[id]!
            guard !worker.isKilled, !worker.isClosed, worker.hasHello else { return [] }
            return worker.slots.indices.filter { worker.slots[$0].request != nil && worker.slots[$0].isRead && !worker.slots[$0].hangs }
                .map { SlotID(worker: id, index: $0) }
        }
        guard let slot = busy.randomElement(using: &self.random) else { return }
        let state = self.workers[slot.worker]!.slots[slot.index]
        if state.isCancelled, self.chance(40) { return self.slotEnds(slot) }
        switch Int.random(in: 0..<200, using: &self.random) {
        case 0..<110: if state.isStreamed { self.slotSpeaks(slot) }
        case 110..<190: self.slotEnds(slot)
        case 190..<193:
            self.post(.slotFrameBegun(slot, length: Int.random(in: self.bounds.smallFrame...self.bounds.memory, using: &self.random)))
        case 193: self.lies(slot, #"{"event":"text"}"#)
        case 194: self.lies(slot, #"{"event":"text","text":"x","id":1}"#)
        case 195: self.lies(slot, #"{"event":"error","error":{"code":"overloaded","message":"x","retryable":true}}"#)
        case 196: self.lies(slot, "not json")
        case 197: self.speaksOutOfTurn(slot)
        case 198: self.streamsWhatIsWanted(slot)
        default: break
        }
    }

    private mutating func slotSpeaks(_ slot: SlotID) {
        let text = String(repeating: "y", count: Int.random(in: 1...300, using: &self.random))
        self.post(.slotEvent(slot, SlotEvent.text(text).encoded))
    }

    /// The slot writes its last event.
    mutating func slotEnds(_ slot: SlotID) {
        let state = self.workers[slot.worker]!.slots[slot.index]
        self.workers[slot.worker]!.slots[slot.index] = SimulatedSlot(isRead: state.isRead)
        if state.isCancelled { self.mark("slot let go after a cancel") }
        let usage = Usage(input: 3, output: 4)
        switch Int.random(in: 0..<10, using: &self.random) {
        case 0 where !state.isCancelled:
            let codes = ErrorCode.allCases.filter { $0.mayComeFromWorker && $0 != .cancelled && $0 != .timeout }
            let failure = Failure(codes.randomElement(using: &self.random)!, "the provider said no")
            self.post(.slotEvent(slot, SlotEvent.error(failure, usage: self.chance(50) ? usage : nil).encoded))
        case 1..<8 where state.isCancelled:
            self.post(.slotEvent(slot, SlotEvent.error(Failure(.cancelled, "as told"), usage: usage).encoded))
        default:
            if state.isCancelled { self.mark("done arrived after a cancel") }
            let answer = state.isStreamed ? nil : SlotCompletion.Answer(text: "whole")
            self.post(.slotEvent(slot, SlotEvent.done(SlotCompletion(usage: usage, finishReason: "stop", answer: answer)).encoded))
        }
    }

    private mutating func lies(_ slot: SlotID, _ payload: String) { self.post(.slotEvent(slot, Array(payload.utf8))) }

    private mutating func speaksOutOfTurn(_ slot: SlotID) {
        guard let idle = self.workers[slot.worker]!.slots.firstIndex(where: { $0.request == nil }) else { return }
        self.post(.slotEvent(SlotID(worker: slot.worker, index: idle), SlotEvent.text("psst").encoded))
    }

    private mutating func streamsWhatIsWanted(_ slot: SlotID) {
        guard !self.workers[slot.worker]!.slots[slot.index].isStreamed else { return }
        self.slotSpeaks(slot)
    }
}
