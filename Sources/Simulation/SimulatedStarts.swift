import Messages
import SupervisorCore

/// When processes of a provider started and died, for the rule of back-off.
struct SimulatedStarts {
    var startedAt = Instant(nanoseconds: 0)
    /// The next one may not be started before, and must be by ``latest``.
    var earliest = Instant(nanoseconds: 0)
    var latest = Instant(nanoseconds: 0)
    var inARow = 0
    var deaths: [Instant] = []
    /// Its first process.
    var first: WorkerID?
    /// The process that takes new requests, or will.
    var current: WorkerID?
    /// Whether the world knows in which order the core saw what happened at one instant. From then on only the shortest delay
    /// is checked.
    var isCertain = true
}

extension Simulation {
    /// The process of a provider's new requests died, or was replaced because a slot hangs: the world's own books of back-off,
    /// kept from what docs/architecture.md promises.
    mutating func countDeath(of provider: Int, isReplaced: Bool, _ status: TerminationStatus? = nil) {
        guard var starts = self.starts[provider] else { return }
        starts.current = nil
        defer { self.starts[provider] = starts }
        let rules = self.bounds.backoff
        guard starts.isCertain else {
            starts.earliest = isReplaced ? self.now : self.now + rules.minimum / 2
            return
        }
        if starts.startedAt + rules.healthyAfter <= self.now { starts.inARow = 0 }
        starts.inARow += 1
        starts.deaths = starts.deaths.filter { $0 + rules.parkWindow > self.now } + [self.now]
        let full = min(rules.minimum * (1 << min(starts.inARow - 1, 16)), rules.maximum)
        starts.earliest = isReplaced ? self.now : self.now + full / 2
        starts.latest = isReplaced ? self.now : self.now + full
        if starts.deaths.count >= rules.parkDeaths || status == .exited(code: 78) {
            self.mark("provider parked")
            starts.earliest = self.now + rules.parkDuration
            starts.latest = starts.earliest
            (starts.deaths, starts.inARow) = ([], 0)
        } else if starts.inARow > 1 {
            self.mark("back-off doubled")
        }
    }

    /// A slot that was told to let go and did not in time hangs: its worker takes no requests from now on.
    ///
    /// Called before the core's timer fires, so that the world expects what the core must now do.
    mutating func slotsThatHang() {
        for id in self.workers.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            guard let worker = self.workers[id], !worker.isKilled, !worker.isClosed else { continue }
            let timeout = Duration.milliseconds(self.settings[worker.stamp]!.timeouts.cancel)
            for index in worker.slots.indices where !worker.slots[index].isHung {
                guard let cancelledAt = worker.slots[index].cancelledAt, cancelledAt + timeout <= self.now else {
                    continue
                }
                self.workers[id]!.slots[index].isHung = true
                self.promptIsOver(worker.slots[index].prompt)
                guard self.workers[id]!.hasHello, !self.workers[id]!.isRetired else { continue }
                self.workers[id]!.isRetired = true
                self.mark("worker retired")
                // Both at one instant: who was first?
                if let pinged = worker.pingedAt, worker.ping != nil, pinged + self.bounds.pongTimeout <= self.now {
                    self.starts[worker.stamp]!.isCertain = false
                }
                if self.starts[worker.stamp]?.current == id {
                    self.countDeath(of: worker.stamp, isReplaced: true)
                }
            }
        }
    }
}
