import Messages

// The start: the logger and the workers, and when that is done.
extension SupervisorCore {
    mutating func start(at now: Now) {
        self.startedAt = now.instant
        self.logger.session = self.ulids.next(atMilliseconds: UInt64(now.wallMilliseconds), using: &self.random)
        self.startLogger(at: now)
        for index in self.providers.indices { self.startWorker(of: index, at: now) }
        self.startHooks(at: now)
    }

    /// Says that the daemon is ready, once: when the record can be kept and every provider's first worker has said hello or
    /// has died. A provider that does not work keeps nobody waiting; its requests are told so.
    mutating func proceedToReady() {
        guard !self.hasToldReady, self.phase == .running, self.logger.isReady,
            self.providers.allSatisfy({ !$0.isInFirstStart })
        else { return }
        self.hasToldReady = true
        let count = self.providers.count
        self.actions.append(.notify(.ready, status: "Serving \(count) \(count == 1 ? "provider" : "providers")"))
    }
}
