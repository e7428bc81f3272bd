import Messages
import SupervisorCore

/// A worker process as the world sees it.
struct SimulatedWorker {
    let provider: String
    var slots: [SimulatedSlot]
    var hasHello = false
    /// A ping that it has not answered.
    var ping: Int?
    /// It answers no ping any more.
    var isStopped = false
    /// Its channels were closed: it is to end by itself.
    var isClosed = false
    /// It was killed: its exit is all that may still come.
    var isKilled = false
}

extension SimulatedWorker {
    /// Whether the core may have taken one of its slots for hung.
    var mayHang: Bool { self.slots.contains { $0.hangs || $0.isCancelled } }
}

struct SimulatedSlot {
    /// The request that it runs.
    var request: String?
    var isStreamed = true
    var isCancelled = false
    /// It ignores whatever it is told.
    var hangs = false
    var isRead = true
}

/// When processes of a provider started and died, for the rule of back-off.
struct SimulatedStarts {
    var startedAt = Instant(nanoseconds: 0)
    var earliest = Instant(nanoseconds: 0)
    var inARow = 0
    var deaths: [Instant] = []
    var current: WorkerID?
    /// Whether the world has seen every death that the core counts. The retirement of a worker with a hung slot shows only
    /// later, and not always: from then on only the shortest delay is checked.
    var isCertain = true
}

extension Simulation {
    // MARK: What is done to workers

    mutating func workerIsStarted(_ id: WorkerID, _ provider: String, _ slots: Int) {
        var starts = self.starts[provider] ?? SimulatedStarts()
        if let current = starts.current, let worker = self.workers[current], !worker.isKilled {
            if !worker.mayHang { self.fail("a second worker of \(provider) was started beside one that takes requests") }
            starts.isCertain = false
        } else if self.now < starts.earliest { self.fail("a worker of \(provider) was started before its back-off was over") }
        starts.startedAt = self.now
        starts.current = id
        self.starts[provider] = starts
        self.workers[id] = SimulatedWorker(provider: provider, slots: Array(repeating: SimulatedSlot(), count: slots))
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
        // A process that could not be started has not been missed yet.
        guard let worker = self.workers[id] else {
            if !self.followUps.contains(where: { if case .workerFailedToStart(id, _) = $0 { true } else { false } }) {
                self.fail("a control frame was sent to a worker that is gone")
            }
            return
        }
        if worker.isKilled || worker.isClosed { self.fail("a control frame was sent to a worker that was dismissed") }
        guard let control = try? WorkerControl(decoding: payload) else { return self.fail("a worker cannot read its control frame") }
        if case .ping(let number) = control { self.workers[id]!.ping = number }
    }

    mutating func slotReceives(_ slot: SlotID, _ payload: [UInt8], reportsWritten: Bool) {
        guard let worker = self.workers[slot.worker], !worker.isKilled, !worker.isClosed else {
            return self.fail("a request was sent to a worker that is gone")
        }
        guard let request = try? SlotRequest(decoding: payload) else { return self.fail("a slot cannot read its request") }
        switch request {
        case .prompt(let prompt):
            let name = prompt.request.description
            guard worker.hasHello else { return self.fail("a request was sent to a worker that is not ready") }
            guard worker.slots[slot.index].request == nil else { return self.fail("a request was sent to a slot that is busy") }
            if self.requests[name]?.wasDispatched == true { self.fail("request \(name) was dispatched twice") }
            if self.configuration.durability == .commit, self.logger.rows[name] == nil {
                self.fail("request \(name) was dispatched before its row was on disk")
            }
            if (prompt.key != nil) != prompt.model.hasPrefix("k") { self.fail("a key went where it should not, or did not go") }
            self.requests[name, default: SimulatedRequest()].wasDispatched = true
            self.workers[slot.worker]!.slots[slot.index].request = name
            self.workers[slot.worker]!.slots[slot.index].isStreamed = prompt.stream
            self.workers[slot.worker]!.slots[slot.index].isCancelled = false
            if reportsWritten { self.followUps.append(.slotWritten(slot)) }
        case .cancel(let ulid):
            guard worker.slots[slot.index].request == ulid.description else {
                return self.fail("a slot was told to cancel what it does not run")
            }
            self.workers[slot.worker]!.slots[slot.index].isCancelled = true
        }
    }

    mutating func slotIsRead(_ slot: SlotID, _ isRead: Bool) {
        guard let worker = self.workers[slot.worker], !worker.isKilled else {
            return self.fail("a slot of a worker that is gone was paused or resumed")
        }
        guard worker.slots[slot.index].isRead != isRead else { return self.fail("a slot was \(isRead ? "resumed" : "paused") twice") }
        self.workers[slot.worker]!.slots[slot.index].isRead = isRead
        self.mark(isRead ? "slot read again" : "slot not read")
    }

    mutating func workerIsClosed(_ id: WorkerID) {
        guard self.workers[id] != nil else { return self.fail("a worker that is gone was closed") }
        self.workers[id]!.isClosed = true
    }

    mutating func workerIsKilled(_ id: WorkerID) {
        guard let worker = self.workers[id] else { return self.fail("a worker that is gone was killed") }
        if worker.isKilled { self.fail("a worker was killed twice") }
        self.workers[id]!.isKilled = true
        if worker.slots.contains(where: \.hangs) { self.mark("hung slot's worker killed") }
    }

    // MARK: What workers do

    mutating func workerActs() {
        guard let id = self.workers.keys.sorted(by: { $0.rawValue < $1.rawValue }).randomElement(using: &self.random) else { return }
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
            if worker.slots[slot].request != nil { self.workers[id]!.slots[slot].hangs = true }
        case 7: if self.chance(20) { self.post(.workerReport(id, Array(#"{"event":"pong","number":77777}"#.utf8))) }
        case 8: if self.chance(20) { self.post(.workerBrokeProtocol(id, reason: "a frame of 99 GiB")) }
        default: self.workerReports(id)
        }
    }

    private mutating func workerReports(_ id: WorkerID) {
        guard let worker = self.workers[id], !worker.isStopped else { return }
        if !worker.hasHello {
            self.workers[id]!.hasHello = true
            let name = self.chance(2) ? "somebody else" : worker.provider
            self.post(.workerReport(id, WorkerReport.hello(WorkerHello(provider: name, slots: worker.slots.count, models: [])).encoded))
        } else if let ping = worker.ping {
            self.workers[id]!.ping = nil
            self.post(.workerReport(id, WorkerReport.pong(number: ping).encoded))
        }
    }

    private mutating func exits(_ id: WorkerID, _ status: TerminationStatus) {
        self.workerIsGone(id, status)
        self.post(.workerExited(id, status))
    }

    /// The world's own books of back-off, kept from what docs/architecture.md promises.
    private mutating func workerIsGone(_ id: WorkerID, _ status: TerminationStatus? = nil) {
        guard let worker = self.workers.removeValue(forKey: id), var starts = self.starts[worker.provider], starts.current == id
        else { return }
        starts.current = nil
        defer { self.starts[worker.provider] = starts }
        let rules = self.bounds.backoff
        if worker.mayHang { starts.isCertain = false }
        guard starts.isCertain else {
            starts.earliest = worker.mayHang ? self.now : self.now + rules.minimum / 2
            return
        }
        if starts.startedAt + rules.healthyAfter <= self.now { starts.inARow = 0 }
        starts.inARow += 1
        starts.deaths = starts.deaths.filter { $0 + rules.parkWindow > self.now } + [self.now]
        let full = min(rules.minimum * (1 << min(starts.inARow - 1, 16)), rules.maximum)
        starts.earliest = self.now + full / 2
        if starts.deaths.count >= rules.parkDeaths || status == .exited(code: 78) {
            self.mark("provider parked")
            starts.earliest = self.now + rules.parkDuration
            (starts.deaths, starts.inARow) = ([], 0)
        } else if starts.inARow > 1 {
            self.mark("back-off doubled")
        }
    }

    /// In a world that behaves a worker answers, finishes, and ends when it is told to.
    mutating func workerBehaves(_ id: WorkerID) {
        guard let worker = self.workers[id] else { return }
        if worker.isKilled || worker.isClosed { return self.exits(id, worker.isKilled ? .signalled(9) : .exited(code: 0)) }
        self.workers[id]!.isStopped = false
        self.workerReports(id)
        for index in worker.slots.indices where self.workers[id] != nil {
            let slot = SlotID(worker: id, index: index)
            self.workers[id]!.slots[index].hangs = false
            if self.workers[id]!.slots[index].request != nil, self.workers[id]!.slots[index].isRead { self.slotEnds(slot) }
        }
    }
}
