import Messages

// The configuration is read anew while all goes on: taken whole, or refused whole.
extension SupervisorCore {
    // MARK: Asking

    /// Has the configuration read anew.
    ///
    /// - Parameter asker: Who is told what came of it. One that asks while it is being read waits for another reading.
    mutating func reload(for asker: Reload.Asker, at now: Now) {
        do throws(Failure) {
            try self.checkPhase()
            guard self.reload.waiting.count < self.bounds.reloadAskers else {
                throw Failure(
                    .tooManyRequests,
                    "\(self.bounds.reloadAskers) wait for the configuration to be read already; try again later")
            }
            self.reload.add(asker)
            self.proceedWithReload(at: now)
        } catch {
            self.tell(.refused(error, problems: []), to: asker)
        }
    }

    /// `op: reload`.
    mutating func reload(id: RequestIdentifier, from connection: ConnectionID, at now: Now) {
        do throws(Failure) {
            try self.checkDoor(of: connection)
            try self.checkAdministrator(connection, "reload")
            let number = RequestNumber(rawValue: self.nextNumber())
            self.connections[connection]!.requests[id] = number
            self.reload(for: .client(number, id: id, connection), at: now)
        } catch {
            self.send(ClientAnswer.error(id: id, error), to: connection)
        }
    }

    /// Starts the next reading, if somebody waits for one.
    private mutating func proceedWithReload(at now: Now) {
        guard self.reload.state == .idle, !self.reload.next.isEmpty else { return }
        self.reload.begin()
        self.actions.append(.readConfiguration)
        self.reload.isAnnounced = self.hasToldReady
        if self.hasToldReady { self.actions.append(.notify(.reloading, status: "Reading the configuration")) }
        self.setDeadline(.reload, at: now.instant + self.bounds.reloadTimeout)
    }

    // MARK: The end of a reading

    mutating func configurationRead(_ reply: ConfigurationReply, at now: Now) {
        guard self.reload.state == .reading else { return self.readingEnded(nil, at: now) }
        let outcome: Reload.Outcome
        switch reply {
        case .configuration(let configuration):
            do throws(Failure) {
                try self.check(configuration)
                outcome = .taken(self.take(configuration, at: now))
            } catch {
                outcome = .refused(error, problems: [error.message])
            }
        case .refused(let problems):
            let texts = ReloadReport.bounded(problems.map(\.description))
            outcome = .refused(Failure(.invalidConfiguration, Self.summary(of: problems)), problems: texts)
        }
        self.readingEnded(outcome, at: now)
    }

    mutating func configurationNotRead(_ reason: String, at now: Now) {
        guard self.reload.state == .reading else { return self.readingEnded(nil, at: now) }
        let text = "the configuration could not be read: \(reason)"
        self.readingEnded(.refused(Failure(.invalidConfiguration, text), problems: [text]), at: now)
    }

    /// It takes too long: whoever waits is told, and its process is killed.
    mutating func reloadExpired() {
        guard self.reload.state == .reading else { return }
        self.reload.state = .abandoned
        self.actions.append(.stopReadingConfiguration)
        let text = "the configuration could not be read within \(self.bounds.reloadTimeout)"
        self.readingIsOver(.refused(Failure(.invalidConfiguration, text), problems: [text]))
    }

    /// The process has ended.
    ///
    /// - Parameter outcome: `nil` where it was given up before.
    private mutating func readingEnded(_ outcome: Reload.Outcome?, at now: Now) {
        self.reload.state = .idle
        self.setDeadline(.reload, at: nil)
        if let outcome { self.readingIsOver(outcome) }
        self.proceedWithReload(at: now)
    }

    /// Tells everybody what came of it.
    private mutating func readingIsOver(_ outcome: Reload.Outcome) {
        self.log(outcome)
        if case .refused = outcome { self.reload.refusals += 1 }
        if self.reload.isAnnounced { self.actions.append(.notify(.ready, status: self.serviceStatus)) }
        for asker in self.reload.takeAskers() { self.tell(outcome, to: asker) }
    }

    private mutating func tell(_ outcome: Reload.Outcome, to asker: Reload.Asker) {
        switch asker {
        case .signal:
            if case .refused(let failure, []) = outcome {
                self.actions.append(
                    .log(LogEntry(.warning, "configuration not read anew", ["reason": failure.message])))
            }
        case .secrets(let number): self.secretsSettled(number, outcome)
        case .client(_, let id, let connection):
            self.connections[connection]?.requests[id] = nil
            let answer =
                switch outcome {
                case .taken(let report): ClientAnswer.reloaded(id: id, report)
                case .refused(let failure, let problems): ClientAnswer.error(id: id, failure, problems: problems)
                }
            self.send(answer, to: connection)
        }
    }

    private mutating func log(_ outcome: Reload.Outcome) {
        switch outcome {
        case .taken(let report):
            for warning in report.warnings {
                self.actions.append(.log(LogEntry(.warning, "configuration", ["warning": warning])))
            }
            let fields = [
                "generation": "\(self.generation.number)", "added": report.added.joined(separator: " "),
                "changed": report.changed.joined(separator: " "), "removed": report.removed.joined(separator: " "),
            ]
            self.actions.append(.log(LogEntry(.info, "configuration taken", fields.filter { !$0.value.isEmpty })))
        case .refused(_, let problems):
            for problem in problems {
                self.actions.append(.log(LogEntry(.error, "configuration", ["problem": problem])))
            }
            self.actions.append(.log(LogEntry(.error, "configuration refused: the one before serves on")))
        }
    }

    /// What a client is told in one text: the first problem, and how many more there are.
    private static func summary(of problems: [ConfigurationProblem]) -> String {
        let rest = problems.count > 1 ? " (and \(problems.count - 1) more)" : ""
        let room = Failure.maximumMessageLength - 64
        let first = problems.first.map { "\($0)" } ?? "nobody knows why"
        return "the configuration is refused, the one before serves on: \(first)"
            .truncated(toUTF8Length: room) + rest
    }

    /// Ends a client's wait. What was begun goes on.
    ///
    /// - Parameter failure: What the client is told; `nil` where it has gone.
    mutating func endReload(_ number: RequestNumber, _ failure: Failure?) {
        guard case .client(_, let id, let connection) = self.reload.forget(number) else { return }
        self.connections[connection]?.requests[id] = nil
        if let failure { self.send(ClientAnswer.error(id: id, failure), to: connection) }
    }

    /// The daemon stops: nothing is read any more.
    mutating func endReloads(_ failure: Failure) {
        if self.reload.state == .reading {
            self.reload.state = .abandoned
            self.setDeadline(.reload, at: nil)
            self.actions.append(.stopReadingConfiguration)
        }
        for asker in self.reload.waiting {
            switch asker {
            case .client(let number, _, _): self.endReload(number, failure)
            case .secrets(let number): self.secretsSettled(number, .refused(failure, problems: []))
            case .signal: break
            }
        }
        self.reload.forgetAll()
    }
}
