import Messages
import SupervisorCore

// What slots do.
extension Simulation {
    mutating func slotActs() {
        let busy = self.workers.keys.sorted { $0.rawValue < $1.rawValue }.flatMap { id -> [SlotID] in
            let worker = self.workers[id]!
            guard !worker.isKilled, !worker.isClosed, worker.hasHello else { return [] }
            return worker.slots.indices.filter {
                !worker.slots[$0].isIdle && worker.slots[$0].isRead && !worker.slots[$0].hangs
            }
            .map { SlotID(worker: id, index: $0) }
        }
        guard let slot = busy.randomElement(using: &self.random) else { return }
        let state = self.workers[slot.worker]!.slots[slot.index]
        if state.listing != nil { return self.listingActs(slot) }
        if state.isCancelled, self.chance(40) { return self.slotEnds(slot) }
        switch Int.random(in: 0..<200, using: &self.random) {
        case 0..<110:
            if state.isStreamed { self.chance(8) ? self.slotMakesProgress(slot) : self.slotSpeaks(slot) }
            if state.embeddings != nil { self.slotProgresses(slot) }
        case 110..<190: self.slotEnds(slot)
        case 190..<193:
            guard !state.hasBegunFrame else { return }
            self.workers[slot.worker]!.slots[slot.index].hasBegunFrame = true
            self.post(
                .slotFrameBegun(
                    slot, length: Int.random(in: self.bounds.smallFrame...self.bounds.memory, using: &self.random)))
        case 193: self.lies(slot, #"{"event":"text"}"#)
        case 194: self.lies(slot, #"{"event":"text","text":"x","id":1}"#)
        case 195: self.lies(slot, #"{"event":"error","error":{"code":"overloaded","message":"x","retryable":true}}"#)
        case 196: self.lies(slot, "not json")
        case 197: self.speaksOutOfTurn(slot)
        case 198: self.answersInTheWrongWay(slot)
        case 199:
            self.lies(slot, nil)
        default: break
        }
    }

    /// The slot has nothing to tell yet, and is not silent.
    private mutating func slotMakesProgress(_ slot: SlotID) {
        let state = self.workers[slot.worker]!.slots[slot.index]
        guard let key = state.prompt, !state.hasBegunFrame else { return }
        self.mark("progress without output")
        self.prompts[key]?.lastHeard = self.now
        self.post(.slotEvent(slot, SlotProgress.encoded))
    }

    /// The slot says something, or several things before the core can do anything about it.
    private mutating func slotSpeaks(_ slot: SlotID) {
        for _ in 0..<(self.chance(80) ? 1 : 4) {
            guard let worker = self.workers[slot.worker], !worker.isKilled, let key = worker.slots[slot.index].prompt
            else { return }
            self.workers[slot.worker]!.slots[slot.index].hasBegunFrame = false
            self.prompts[key]?.spoken += 1
            self.prompts[key]?.lastHeard = self.now
            let number = self.prompts[key]?.spoken ?? 0
            let output = self.drawnOutput(number, of: key)
            let event = output.encoded
            self.prompts[key]?.spokenBytes += event.count
            if key.round > 0 { self.prompts[key]?.said.append(output) }
            if !worker.slots[slot.index].isCancelled { self.isSaidToNobody(output, of: key) }
            self.post(.slotEvent(slot, event))
            if worker.slots[slot.index].isCancelled { continue }
            if let prompt = self.prompts[key], !prompt.isAbandoned, prompt.received != prompt.spoken {
                self.fail("output was lost")
            }
        }
        // Its last event may be on its way too when the core stops reading.
        guard self.chance(25), let worker = self.workers[slot.worker], !worker.isKilled,
            worker.slots[slot.index].prompt != nil
        else { return }
        if !worker.slots[slot.index].isRead { self.mark("slot ended while it was not read") }
        self.slotEnds(slot)
    }

    private mutating func drawnOutput(_ number: Int, of key: SimulatedPrompt.Key) -> SlotEvent {
        let text = "\(number):" + String(repeating: "\"y", count: Int.random(in: 1...150, using: &self.random))
        switch Int.random(in: 0..<10, using: &self.random) {
        case 0: return .toolCall(self.drawnCall(number, of: key))
        case 3..<9 where key.round > 0: return .toolCall(self.drawnCall(number, of: key))
        case 1..<3: return .reasoning(text)
        default: return .text(text)
        }
    }

    private mutating func drawnCall(_ number: Int, of key: SimulatedPrompt.Key) -> ToolCall {
        guard key.round > 0 else {
            return ToolCall(id: "\(number):", name: "tool", arguments: Array(#"{"a":[1.0,"\n"]}"#.utf8))
        }
        let name = ["tool", "tool", "tool", "nope", "raw"].randomElement(using: &self.random)!
        return self.drawnChainCall(number, of: key, name: name)
    }

    private mutating func drawnAnswer(of key: SimulatedPrompt.Key) -> SlotCompletion.Answer {
        let length = Int.random(
            in: 1...(self.chance(key.round > 0 ? 70 : 90) ? 600 : self.bounds.recordedAnswer), using: &self.random)
        return SlotCompletion.Answer(
            text: String(repeating: "z\n", count: length / 2), reasoning: self.chance(20) ? "hm" : "",
            toolCalls: self.chance(key.round > 0 ? 60 : 20) ? (1...5).map { self.drawnCall($0, of: key) } : [])
    }

    private mutating func lastEvent(of slot: SimulatedSlot, _ usage: Usage) -> [UInt8] {
        if let count = slot.embeddings { return self.embeddingsDone(count, usage) }
        let answer = slot.isStreamed ? nil : self.drawnAnswer(of: slot.prompt!)
        if let key = slot.prompt, key.round > 0, let answer {
            self.prompts[key]?.said += [.reasoning(answer.reasoning), .text(answer.text)]
            self.prompts[key]?.said += answer.toolCalls.map { .toolCall($0) }
        }
        return SlotEvent.done(SlotCompletion(usage: usage, finishReason: "stop", answer: answer)).encoded
    }

    /// The slot writes its last event.
    ///
    /// - Parameter failure: What it is to be, where that is not left to chance.
    mutating func slotEnds(_ slot: SlotID, with failure: Failure? = nil) {
        let state = self.workers[slot.worker]!.slots[slot.index]
        self.workers[slot.worker]!.slots[slot.index] = SimulatedSlot(isRead: state.isRead)
        self.promptIsOver(state.prompt)
        if state.isCancelled { self.mark("slot let go after a cancel") }
        let usage = Usage(input: 3, output: 4)
        let isStormy = self.isStormy || state.embeddings != nil && self.chance(60)
        if failure != nil || isStormy && self.chance(60), !state.isCancelled, let key = state.prompt {
            return self.slotFails(slot, key, failure ?? self.drawnFailure(), usage: self.chance(50) ? usage : nil)
        }
        switch Int.random(in: 0..<10, using: &self.random) {
        case 0 where !state.isCancelled:
            let codes = ErrorCode.allCases.filter { $0.mayComeFromWorker && $0 != .cancelled && $0 != .timeout }
            let failure = Failure(codes.randomElement(using: &self.random)!, "the provider said no")
            guard let key = state.prompt else { return }
            self.slotFails(slot, key, failure, usage: self.chance(50) ? usage : nil)
        case 1..<8 where state.isCancelled:
            self.post(.slotEvent(slot, SlotEvent.error(Failure(.cancelled, "as told"), usage: usage).encoded))
        default:
            if state.isCancelled { self.mark("done arrived after a cancel") }
            if let key = state.prompt {
                self.prompts[key]?.slotEnd = .done
                if !state.isCancelled { self.attemptEnds(key, nil, usage) }
            }
            let event = self.lastEvent(of: state, usage)
            if let key = state.prompt { self.prompts[key]?.spokenBytes += event.count }
            self.post(.slotEvent(slot, event))
        }
    }

    /// - Parameter payload: `nil` for a frame that is longer than the channel allows.
    private mutating func lies(_ slot: SlotID, _ payload: String?) {
        guard let worker = self.workers[slot.worker], !worker.slots[slot.index].isHung else { return }
        self.lies(
            slot.worker,
            payload.map { .slotEvent(slot, Array($0.utf8)) } ?? .slotBrokeProtocol(slot, reason: "a frame of 99 GiB"))
    }

    private mutating func speaksOutOfTurn(_ slot: SlotID) {
        guard let idle = self.workers[slot.worker]!.slots.firstIndex(where: \.isIdle) else { return }
        self.lies(SlotID(worker: slot.worker, index: idle), #"{"event":"text","text":"psst"}"#)
    }

    private mutating func answersInTheWrongWay(_ slot: SlotID) {
        let state = self.workers[slot.worker]!.slots[slot.index]
        guard !state.isCancelled else { return }
        if let count = state.embeddings {
            let wrong = String(decoding: self.embeddingsDone(count + 1, Usage(input: 1, output: 1)), as: UTF8.self)
            self.lies(slot, self.chance(50) ? wrong : #"{"event":"done","text":"psst"}"#)
        } else {
            self.lies(slot, state.isStreamed ? #"{"event":"done","text":"psst"}"# : #"{"event":"text","text":"psst"}"#)
        }
    }
}
