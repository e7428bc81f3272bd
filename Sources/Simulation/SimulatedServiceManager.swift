import Messages
import SupervisorCore

// What the service manager is told: the truth, in time, and each thing once.
extension Simulation {
    mutating func announced(_ state: ServiceState) {
        let last = self.announcements.last
        if last == state || last == .stopping { self.fail("the service manager was told \(state) after \(last!)") }
        switch state {
        case .ready:
            if self.isDraining { self.fail("a daemon that stops said that it is ready") }
            if last == nil, !self.mayBeReady { self.fail("the daemon said that it is ready before it was") }
        case .reloading:
            if last != .ready { self.fail("a daemon that is not ready said that it reloads") }
        case .stopping:
            if !self.isDraining { self.fail("the daemon said that it stops, and nobody had asked it to") }
        }
        self.announcements.append(state)
        self.mark("announced \(state)")
    }

    /// Called when an event and all that follows from it are over.
    mutating func checkAnnouncements() {
        if self.isDraining {
            if self.announcements.last != .stopping { self.fail("the daemon did not say that it stops") }
        } else if self.mustBeReady, self.announcements.isEmpty {
            self.fail("the daemon is ready and did not say so")
        }
    }

    /// Whether the logger is ready, and the first worker of each provider has spoken or is gone.
    private var mayBeReady: Bool {
        // After a reload the world does not know which processes were first: a provider may have come back.
        self.logger.isAlive && self.logger.isReady
            && (self.configurations.count > 1 || self.firstWorkers.allSatisfy(\.hasHello))
    }

    /// The same, and none of them is being killed: what a process that is killed had said may not have counted.
    private var mustBeReady: Bool {
        self.configurations.count == 1 && self.mayBeReady && !self.logger.isKilled
            && !self.firstWorkers.contains(where: \.isKilled)
    }

    /// Those of the providers that are configured now.
    private var firstWorkers: [SimulatedWorker] {
        self.configuration.providers.compactMap { self.starts[$0.stamp]?.first.flatMap { self.workers[$0] } }
    }
}
