import Messages
import Policy

// The configurations that something open began under, and the providers that only those have.
extension SupervisorCore {
    /// What new requests are admitted under.
    var configuration: ServiceConfiguration { self.generation.configuration }

    /// What the configuration says about models, purposes, callers and keys, in tables.
    var policy: Policy { self.generation.policy }

    /// A configuration under which something is open.
    func generation(_ number: Int) -> Generation {
        if number == self.generation.number { return self.generation }
        guard let generation = self.formerGenerations.first(where: { $0.number == number }) else {
            preconditionFailure("something is open under configuration \(number), which is forgotten")
        }
        return generation
    }

    /// Something began under a configuration.
    mutating func hold(generation number: Int) { self.changeOpen(of: number, by: 1) }

    /// Something has ended that began under it.
    mutating func release(generation number: Int) { self.changeOpen(of: number, by: -1) }

    private mutating func changeOpen(of number: Int, by difference: Int) {
        if number == self.generation.number {
            self.generation.open += difference
        } else if let place = self.formerGenerations.firstIndex(where: { $0.number == number }) {
            self.formerGenerations[place].open += difference
        } else {
            preconditionFailure("something is open under configuration \(number), which is forgotten")
        }
    }

    /// Forgets the configurations under which nothing is open any more, and dismisses the providers that only they had. Called
    /// when all that came of an event has been done, for a request may end in the middle of it.
    mutating func forgetGenerations(at now: Now) {
        guard self.formerGenerations.contains(where: { $0.open == 0 }) else { return }
        self.formerGenerations.removeAll { $0.open == 0 }
        self.keepLoggerDurable(at: now)
        let alive = Set(self.formerGenerations.flatMap(\.entries))
        for index in self.providers.indices
        where self.providers[index].isRetired && !alive.contains(index) && self.providers[index].state != .stopped {
            self.dismissProvider(index, at: now)
        }
    }

    /// Whether something is open that may ask for a retired provider.
    func isNeeded(_ index: Int) -> Bool {
        self.formerGenerations.contains { $0.open > 0 && $0.entries.contains(index) }
    }

    /// Nothing can ask for the provider any more: its processes end.
    private mutating func dismissProvider(_ index: Int, at now: Now) {
        self.providers[index].state = .stopped
        self.providers[index].queue = RequestQueue()
        self.setDeadline(.provider(index), at: nil)
        let workers = self.providers[index].retiring + [self.providers[index].current].compactMap { $0 }
        for id in workers { self.dismissWorker(id, at: now) }
        let fields = ["provider": self.providers[index].settings.name]
        self.actions.append(.log(LogEntry(.info, "retired provider dismissed", fields)))
    }

    /// Lets a process end that has no requests.
    mutating func dismissWorker(_ id: WorkerID, at now: Now) {
        guard self.workers[id]!.state != .dying else { return }
        self.workers[id]!.dismissed(at: now.instant, timeout: self.bounds.workerStopTimeout)
        self.actions.append(.closeWorker(id))
        self.updateDeadline(ofWorker: id)
    }

    /// The providers that are retired and whose processes have not all ended.
    var retiredProviders: Int { self.providers.count { $0.isRetired && !$0.isGone } }
}
