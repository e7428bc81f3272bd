import Messages

// The end: open requests first, then the workers, and the logger last.
extension SupervisorCore {
    var isDraining: Bool {
        switch self.phase {
        case .draining, .cutShort: true
        case .running, .stoppingWorkers, .stoppingLogger, .stopped: false
        }
    }

    /// `op: drain`, which is answered before anything is closed.
    mutating func drain(id: RequestIdentifier, from connection: ConnectionID, at now: Now) {
        do throws(Failure) {
            try self.checkAdministrator(connection, "drain")
            self.send(ClientAnswer.done(id: id), to: connection)
            self.drain(at: now)
        } catch {
            self.send(ClientAnswer.error(id: id, error), to: connection)
        }
    }

    /// Finish what is open, and stop. A second drain does not wait.
    mutating func drain(at now: Now) {
        switch self.phase {
        case .running:
            let timeout = Duration.milliseconds(self.configuration.drainTimeoutMilliseconds)
            self.phase = .draining(until: now.instant + timeout)
            self.actions.append(.log(LogEntry(.info, "draining", ["open_requests": "\(self.requests.count)"])))
            self.actions.append(.notify(.stopping, status: "Finishing what is open"))
            self.actions.append(.stopListening)
            self.setDeadline(.phase, at: now.instant + timeout)
            self.endWaitingSecrets(Failure(.shuttingDown, "the daemon is stopping; try again when it is back"))
            self.endRefresh(
                nil, Failure(.shuttingDown, "the daemon is stopping; try again when it is back"), at: now)
            for number in self.continuations.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
                self.endContinuation(
                    number, Failure(.shuttingDown, "the daemon is stopping; try again when it is back"))
            }
            self.endConsultations(
                Failure(.shuttingDown, "the daemon is stopping; try again when it is back"))
            self.endOwingChains()
            self.endReloads(Failure(.shuttingDown, "the daemon is stopping; try again when it is back"))
        case .draining:
            self.cutAllShort(at: now)
        case .cutShort, .stoppingWorkers, .stoppingLogger, .stopped:
            break
        }
    }

    private mutating func cutAllShort(at now: Now) {
        self.phase = .cutShort
        self.setDeadline(.phase, at: nil)
        let ending = Request.Ending(Failure(.shuttingDown, "the daemon stopped before the answer was whole"))
        for number in self.requests.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            self.cutShort(number, ending, at: now)
        }
    }

    mutating func phaseExpired(at now: Now) {
        switch self.phase {
        case .draining:
            self.cutAllShort(at: now)
        case .stoppingLogger:
            self.actions.append(.log(LogEntry(.error, "records were not committed", ["records": "\(self.log.count)"])))
            self.phase = .stopped
            switch self.logger.state {
            case .starting, .ready, .replacing, .stopping: self.actions.append(.killLogger)
            case .waiting, .gone: break
            }
            switch self.reader.state {
            case .starting, .ready, .stopping: self.actions.append(.killReader)
            case .off, .dying, .waiting: break
            }
            self.actions.append(.exit(code: 1))
        case .stoppingWorkers:
            self.stopHooks(at: now)
        case .running, .cutShort, .stopped:
            break
        }
    }

    /// Takes the next step of a stop, if what it waits for has come.
    mutating func proceedToStop(at now: Now) {
        if self.isDraining, self.openRequests == 0, self.secrets.isIdle {
            self.endAllGroups(at: now)
            self.phase = .stoppingWorkers
            // The hooks of a group's exit are asked when its last frame has left, which may wait for its row; but not for ever.
            self.setDeadline(.phase, at: self.groups.isEmpty ? nil : now.instant + self.bounds.loggerStopTimeout)
            self.endQuestions(Failure(.shuttingDown, "the daemon is stopping; try again when it is back"))
            self.stopReader(at: now)
            for index in self.providers.indices {
                self.providers[index].state = .stopped
                self.setDeadline(.provider(index), at: nil)
            }
            for id in self.workers.keys.sorted(by: { $0.rawValue < $1.rawValue }) { self.dismissWorker(id, at: now) }
        }
        if self.phase == .stoppingWorkers, self.groups.isEmpty { self.stopHooks(at: now) }
        if self.phase == .stoppingWorkers, self.workers.isEmpty, self.areHooksGone {
            let deadline = now.instant + self.bounds.loggerStopTimeout
            self.phase = .stoppingLogger(until: deadline)
            self.setDeadline(.phase, at: deadline)
            self.saveKeyUse()
        }
        guard case .stoppingLogger = self.phase else { return }
        switch self.logger.state {
        case .ready where self.log.isEmpty:
            self.logger.state = .stopping
            self.setDeadline(.logger, at: nil)
            self.actions.append(.closeLogger)
        case .waiting where self.log.isEmpty:
            // Everything is on disk: no other process need be started to end it.
            self.logger.state = .gone
            self.setDeadline(.logger, at: nil)
        case .starting, .ready, .replacing, .waiting, .stopping, .gone:
            break
        }
        if self.logger.state == .gone, self.reader.state == .off, self.groups.isEmpty {
            // The record is whole; the connections have deadlines of their own.
            self.setDeadline(.phase, at: nil)
            for id in self.connections.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
                self.finishConnection(id, at: now)
            }
            if self.connections.isEmpty {
                self.phase = .stopped
                self.setDeadline(.phase, at: nil)
                self.actions.append(.exit(code: 0))
            }
        }
    }

    /// Requests whose client, or row, still waits.
    private var openRequests: Int {
        self.requests.values.count { request in
            if case .ending = request.state { false } else { true }
        }
    }
}
