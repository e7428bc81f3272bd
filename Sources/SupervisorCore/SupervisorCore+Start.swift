import Messages

// The start: the logger and the workers, and when that is done.
extension SupervisorCore {
    mutating func start(at now: Now) {
        self.startedAt = now.instant
        self.logger.session = self.ulids.next(atMilliseconds: UInt64(now.wallMilliseconds), using: &self.random)
        self.startLogger(at: now)
        for index in self.generation.entries { self.startWorker(of: index, at: now) }
        self.replaceHooks(at: now)
    }

    /// Says that the daemon is ready, once: when the record can be kept and every provider's first worker has said hello or
    /// has died. A provider that does not work keeps nobody waiting; its requests are told so.
    mutating func proceedToReady() {
        guard !self.hasToldReady, self.phase == .running, self.logger.isReady,
            self.generation.entries.allSatisfy({ !self.providers[$0].isInFirstStart })
        else { return }
        self.hasToldReady = true
        self.actions.append(.notify(.ready, status: self.serviceStatus))
    }

    /// What the service manager shows of a daemon that serves.
    var serviceStatus: String {
        let count = self.generation.entries.count
        return "Serving \(count) \(count == 1 ? "provider" : "providers")"
    }
}
