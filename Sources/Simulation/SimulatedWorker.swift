import Messages
import SupervisorCore

/// A worker process as the world sees it.
struct SimulatedWorker {
    let provider: String
    /// Which settings of that name it was started with.
    var stamp = 0
    var slots: [SimulatedSlot]
    var hasHello = false
    /// A ping that it has not answered.
    var ping: Int?
    var pingedAt: Instant?
    /// A slot of it hangs: it takes no requests any more.
    var isRetired = false
    /// It broke the protocol.
    var hasLied = false
    let startedAt: Instant
    /// When it last said something on its control channel.
    var reportedAt: Instant?
    /// When its channels were closed.
    var closedAt: Instant?
    /// It answers no ping any more.
    var isStopped = false
    /// Its channels were closed: it is to end by itself.
    var isClosed = false
    /// It was killed: its exit is all that may still come.
    var isKilled = false
}

struct SimulatedSlot {
    /// What it runs.
    var prompt: SimulatedPrompt.Key?
    /// It was asked for models, under this name.
    var listing: ULID?
    var isStreamed = true
    /// How many texts it makes vectors of; `nil` while it runs a prompt.
    var embeddings: Int?
    var cancelledAt: Instant?
    /// It ignores whatever it is told.
    var hangs = false
    /// The core must have given it up.
    var isHung = false
    var isRead = true
    /// It began a large frame that it has not finished.
    var hasBegunFrame = false

    var isCancelled: Bool { self.cancelledAt != nil }
    var isIdle: Bool { self.prompt == nil && self.listing == nil }
}

extension Simulation {
    // MARK: What is done to workers

    mutating func workerIsStarted(_ id: WorkerID, _ provider: String, _ slots: Int) {
        self.workers[id] = SimulatedWorker(
            provider: provider, slots: Array(repeating: SimulatedSlot(), count: slots), startedAt: self.now)
    }

    /// The first thing that it is told: whose worker it is.
    private mutating func workerIsConfigured(_ id: WorkerID, _ settings: ProviderSettings) {
        let stamp = settings.stamp
        guard self.workers[id]!.stamp == 0, self.settings[stamp]?.slots == self.workers[id]!.slots.count else {
            return self.fail("a worker was configured twice, or as another")
        }
        self.workers[id]!.stamp = stamp
        var starts = self.starts[stamp] ?? SimulatedStarts()
        if starts.current != nil {
            self.fail("a second worker of \(settings.name) was started beside one that takes requests")
        } else if self.now < starts.earliest {
            self.fail("a worker of \(settings.name) was started before its back-off was over")
        }
        starts.startedAt = self.now
        starts.current = id
        starts.first = starts.first ?? id
        self.starts[stamp] = starts
        self.lastPID += 1
        if self.chance(3) {
            self.mark("worker failed to start")
            self.workerIsGone(id)
            self.followUps.append(.workerFailedToStart(id, reason: "no memory"))
        } else {
            self.followUps.append(.workerStarted(id, pid: self.lastPID))
        }
    }

    mutating func workerReceives(_ id: WorkerID, _ payload: [UInt8]) {
        guard let worker = self.workers[id] else {
            if !self.failedToStart(id) { self.fail("a control frame was sent to a worker that is gone") }
            return
        }
        if worker.isKilled || worker.isClosed { self.fail("a control frame was sent to a worker that was dismissed") }
        guard let control = try? WorkerControl(decoding: payload) else {
            return self.fail("a worker cannot read its control frame")
        }
        if case .configure(let settings) = control { self.workerIsConfigured(id, settings) }
        if case .ping(let number) = control {
            (self.workers[id]!.ping, self.workers[id]!.pingedAt) = (number, self.now)
        }
        if String(decoding: payload, as: UTF8.self).contains("secret") { self.fail("a control frame holds a key") }
    }

    mutating func slotReceives(_ slot: SlotID, _ payload: [UInt8], reportsWritten: Bool) {
        guard let worker = self.workers[slot.worker], !worker.isKilled, !worker.isClosed else {
            return self.fail("a request was sent to a worker that is gone")
        }
        guard let request = try? SlotRequest(decoding: payload) else {
            return self.fail("a slot cannot read its request")
        }
        switch request {
        case .prompt(let prompt):
            guard self.mayRun(worker, slot) else { return }
            self.promptIsDispatched(prompt, to: slot, of: worker)
            self.workers[slot.worker]!.slots[slot.index] = SimulatedSlot(
                prompt: SimulatedPrompt.Key(prompt), isStreamed: prompt.stream,
                isRead: worker.slots[slot.index].isRead)
            if reportsWritten { self.followUps.append(.slotWritten(slot)) }
        case .listModels(let listing): self.slotIsAskedForModels(slot, listing)
        case .embed(let embed):
            guard self.mayRun(worker, slot) else { return }
            self.embeddingsAreDispatched(embed, to: slot, of: worker)
            self.workers[slot.worker]!.slots[slot.index] = SimulatedSlot(
                prompt: SimulatedPrompt.Key(embed.input[0]), isStreamed: false, embeddings: embed.input.count,
                isRead: worker.slots[slot.index].isRead)
            if reportsWritten { self.followUps.append(.slotWritten(slot)) }
        case .cancel(let ulid):
            if self.listingIsCancelled(slot, ulid) { return }
            let running = worker.slots[slot.index]
            guard let key = running.prompt, self.names[ulid.description].map({ $0 == key }) ?? true,
                !running.isCancelled
            else {
                return self.fail("a slot was told to cancel what it does not run")
            }
            self.workers[slot.worker]!.slots[slot.index].cancelledAt = self.now
            if let prompt = self.prompts[key] {
                self.prompts[key]!.cut = SimulatedPrompt.Cut(
                    at: self.now, silence: prompt.lastHeard.duration(to: self.now), wasRead: running.isRead,
                    spoken: prompt.spoken)
            }
        }
    }

    /// Whether a slot may be given a request; it is a violation if not.
    private mutating func mayRun(_ worker: SimulatedWorker, _ slot: SlotID) -> Bool {
        if !worker.hasHello {
            self.fail("a request was sent to a worker that is not ready")
        } else if worker.isRetired {
            self.fail("a request was sent to a worker with a slot that hangs")
        } else if worker.slots[slot.index].prompt != nil {
            self.fail("a request was sent to a slot that is busy")
        } else {
            return true
        }
        return false
    }

    mutating func slotIsRead(_ slot: SlotID, _ isRead: Bool) {
        guard let worker = self.workers[slot.worker], !worker.isKilled else {
            return self.fail("a slot of a worker that is gone was paused or resumed")
        }
        guard worker.slots[slot.index].isRead != isRead else {
            return self.fail("a slot was \(isRead ? "resumed" : "paused") twice")
        }
        self.workers[slot.worker]!.slots[slot.index].isRead = isRead
        if isRead, let key = worker.slots[slot.index].prompt { self.prompts[key]?.lastHeard = self.now }
        self.mark(isRead ? "slot read again" : "slot not read")
    }

    mutating func workerIsClosed(_ id: WorkerID) {
        guard self.workers[id] != nil else {
            if !self.failedToStart(id) { self.fail("a worker that is gone was closed") }
            return
        }
        let isPresent = self.configuration.providers.contains { $0.stamp == self.workers[id]!.stamp }
        if !self.isDraining {
            self.mark("retired worker dismissed")
            if isPresent { self.fail("a worker was dismissed whose provider goes on") }
            // Should the provider come back, it begins afresh.
            self.starts[self.workers[id]!.stamp] = nil
        }
        if self.workers[id]!.slots.contains(where: { slot in
            slot.prompt.flatMap { self.prompts[$0] }.map { !$0.isOver && $0.end == nil } ?? false && !slot.isHung
        }), self.isLogHeard {
            self.fail("a worker was dismissed under its requests")
        }
        self.workers[id]!.isClosed = true
        self.workers[id]!.closedAt = self.now
    }

    mutating func workerIsKilled(_ id: WorkerID) {
        guard let worker = self.workers[id] else { return self.fail("a worker that is gone was killed") }
        if worker.isKilled { self.fail("a worker was killed twice") }
        if !worker.hasLied, self.lateness(of: worker, at: self.now) == nil { self.checkThatItMayBeKilled(worker) }
        self.workers[id]!.isKilled = true
        if worker.slots.contains(where: \.hangs) { self.mark("hung slot's worker killed") }
        for slot in worker.slots { self.promptIsOver(slot.prompt) }
    }

    /// A worker that did nothing wrong itself is killed because a slot hangs, and when its other slots are done; before that only
    /// if too many like it are left.
    private mutating func checkThatItMayBeKilled(_ worker: SimulatedWorker) {
        guard worker.isRetired else { return self.fail("a worker was killed without a reason") }
        let retired = self.workers.values.count { $0.stamp == worker.stamp && $0.isRetired }
        if retired <= self.bounds.retiringWorkers, worker.slots.contains(where: { $0.prompt != nil && !$0.isHung }) {
            self.fail("a worker was killed under requests that did nothing wrong")
        }
    }

    /// What a worker should have done by `instant`, and has not.
    func lateness(of worker: SimulatedWorker, at instant: Instant) -> String? {
        if let closedAt = worker.closedAt {
            return closedAt + self.bounds.workerStopTimeout <= instant ? "a worker that was told to end lives" : nil
        }
        if !worker.hasHello {
            return worker.startedAt + self.bounds.workerStartTimeout <= instant ? "a worker says no hello" : nil
        }
        guard worker.ping != nil, let pingedAt = worker.pingedAt else { return nil }
        return pingedAt + self.bounds.pongTimeout <= instant ? "a worker answers no ping" : nil
    }

    /// A process that could not be started has not been missed yet.
    private func failedToStart(_ id: WorkerID) -> Bool {
        self.followUps.contains { if case .workerFailedToStart(id, _) = $0 { true } else { false } }
    }

    // MARK: What workers do

    mutating func workerActs() {
        guard let id = self.workers.keys.sorted(by: { $0.rawValue < $1.rawValue }).randomElement(using: &self.random)
        else { return }
        let worker = self.workers[id]!
        if worker.isKilled || worker.isClosed {
            guard self.chance(50) else { return }
            return self.exits(id, worker.isKilled ? .signalled(9) : .exited(code: 0))
        }
        switch Int.random(in: 0..<100, using: &self.random) {
        case 0..<3:
            self.mark("worker crashed")
            self.exits(id, .signalled(11))
        case 3: self.exits(id, .exited(code: self.chance(10) ? 78 : 0))
        case 4: self.workers[id]!.isStopped = true
        case 5..<7:
            let slot = Int.random(in: 0..<worker.slots.count, using: &self.random)
            if !worker.slots[slot].isIdle { self.workers[id]!.slots[slot].hangs = true }
        case 7: if self.chance(20) { self.lies(id, .workerReport(id, Array(#"{"event":"pong","number":77777}"#.utf8))) }
        case 8: if self.chance(20) { self.lies(id, .workerBrokeProtocol(id, reason: "a frame of 99 GiB")) }
        default: self.workerReports(id)
        }
    }

    private mutating func workerReports(_ id: WorkerID) {
        guard let worker = self.workers[id], !worker.isStopped else { return }
        self.workers[id]!.reportedAt = self.now
        if !worker.hasHello {
            self.workers[id]!.hasHello = true
            var hello = WorkerHello(provider: worker.provider, slots: worker.slots.count, models: [])
            let truth = hello
            switch Int.random(in: 0..<100, using: &self.random) {
            case 0: hello.provider = "somebody else"
            case 1: hello.slots += 1
            case 2: hello.protocolVersion += 1
            default: break
            }
            let event = Event.workerReport(id, WorkerReport.hello(hello).encoded)
            if hello == truth { self.post(event) } else { self.lies(id, event) }
        } else if let ping = worker.ping {
            self.workers[id]!.ping = nil
            self.post(.workerReport(id, WorkerReport.pong(number: ping).encoded))
        }
    }

    /// The worker breaks its protocol, and must be killed for it.
    mutating func lies(_ id: WorkerID, _ event: Event) {
        guard let worker = self.workers[id] else { return }
        for slot in worker.slots { self.promptIsOver(slot.prompt) }
        self.workers[id]!.hasLied = true
        self.mustBeGone.append(id)
        self.post(event)
    }

    private mutating func exits(_ id: WorkerID, _ status: TerminationStatus) {
        self.workerIsGone(id, status)
        self.post(.workerExited(id, status))
    }

    private mutating func workerIsGone(_ id: WorkerID, _ status: TerminationStatus? = nil) {
        guard let worker = self.workers.removeValue(forKey: id) else { return }
        for slot in worker.slots { self.promptIsOver(slot.prompt) }
        if self.starts[worker.stamp]?.current == id {
            self.countDeath(of: worker.stamp, isReplaced: false, status)
        }
    }

    /// In a world that behaves a worker answers, finishes, and ends when it is told to.
    mutating func workerBehaves(_ id: WorkerID) {
        guard let worker = self.workers[id] else { return }
        if worker.isKilled || worker.isClosed {
            return self.exits(id, worker.isKilled ? .signalled(9) : .exited(code: 0))
        }
        self.workers[id]!.isStopped = false
        self.workerReports(id)
        for index in worker.slots.indices where self.workers[id] != nil {
            let slot = SlotID(worker: id, index: index)
            self.workers[id]!.slots[index].hangs = false
            if self.workers[id]!.slots[index].listing != nil { self.listingEnds(slot) }
            guard self.workers[id] != nil else { return }
            if self.workers[id]!.slots[index].prompt != nil, self.workers[id]!.slots[index].isRead {
                self.slotEnds(slot)
            }
        }
    }
}
