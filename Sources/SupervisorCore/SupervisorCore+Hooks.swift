import Messages

// The lives of hooks, and what they are asked. What comes of an answer is decided where it was asked for.
extension SupervisorCore {
    /// What came of a question.
    enum HookReply: Sendable {
        case answer(HookAnswer.Content)
        /// There is no answer: why, as a sentence without its subject.
        case failure(String)
    }

    // MARK: The processes

    /// Takes in the hooks of the configuration. One that is in it as it was goes on; a new or changed one is started, and those that
    /// it has no more end, when they have answered what they were asked.
    mutating func replaceHooks(at now: Now) {
        var hooks: [HookProcess] = []
        var started: [HookID] = []
        for settings in self.configuration.hooks {
            if let index = self.hooks.firstIndex(where: { $0.isAsked && $0.settings == settings }) {
                hooks.append(self.hooks.remove(at: index))
            } else {
                started.append(HookID(self.nextNumber()))
                hooks.append(HookProcess(id: started.last!, settings: settings, bounds: self.bounds, at: now.instant))
            }
        }
        let removed = self.hooks.map(\.id)
        self.hooks = hooks + self.hooks
        for id in started { self.startHook(self.index(of: id)!, at: now) }
        for id in removed { self.stopHook(id, at: now) }
    }

    func index(of id: HookID) -> Int? { self.hooks.firstIndex { $0.id == id } }

    /// Those that are asked about this, in the order of the configuration.
    func hooks(of event: HookEvent) -> [HookID] {
        self.hooks.filter { $0.isAsked && $0.settings.events.contains(event) }.map(\.id)
    }

    private mutating func startHook(_ index: Int, at now: Now) {
        self.hooks[index].started(at: now.instant)
        let settings = self.hooks[index].settings
        self.actions.append(.startHook(self.hooks[index].id, name: settings.name, command: settings.command))
        self.sendQuestions(to: index, at: now)
    }

    mutating func hookStarted(_ id: HookID, pid: Int) {
        guard let index = self.index(of: id) else { return }
        self.hooks[index].pid = pid
        let name = self.hooks[index].settings.name
        self.actions.append(.log(LogEntry(.info, "hook started", ["hook": name, "pid": "\(pid)"])))
    }

    mutating func hookFailedToStart(_ id: HookID, _ reason: String, at now: Now) {
        self.hookEnded(id, "it could not be started: \(reason)", isHopeless: false, at: now)
    }

    mutating func hookExited(_ id: HookID, _ status: TerminationStatus, at now: Now) {
        // What a shell says, and bulkhead-exec, where a program cannot be run.
        let isHopeless = status == .exited(code: 126) || status == .exited(code: 127)
        self.hookEnded(id, "\(status)", isHopeless: isHopeless, at: now)
    }

    private mutating func hookEnded(_ id: HookID, _ status: String, isHopeless: Bool, at now: Now) {
        guard let index = self.index(of: id) else { return }
        let reason = self.hooks[index].verdict ?? status
        self.hooks[index].pid = nil
        switch self.hooks[index].state {
        case .up, .dying:
            self.noteDeath(ofHook: index, reason, isHopeless: isHopeless, at: now)
            self.failQuestions(of: id, "ended (\(reason))", at: now)
        case .stopping, .closing:
            self.hooks[index].state = .gone
            self.hooks[index].dropNotices()
            self.setDeadline(.hook(id), at: nil)
            self.failQuestions(of: id, "ended (\(reason))", at: now)
            self.removeHookIfGone(id)
        case .waiting, .parked, .gone:
            break
        }
    }

    private mutating func noteDeath(ofHook index: Int, _ reason: String, isHopeless: Bool, at now: Now) {
        let fields = ["hook": self.hooks[index].settings.name, "reason": reason]
        if self.hooks[index].died(reason, isHopeless: isHopeless, at: now.instant, using: &self.random) {
            self.actions.append(.log(LogEntry(.error, "hook parked: its processes keep dying", fields)))
        } else {
            self.actions.append(.log(LogEntry(.warning, "hook died", fields)))
        }
        self.updateDeadline(ofHook: index)
    }

    /// It hangs, or it lies: it is killed, and whoever waits for it is told so.
    private mutating func killHook(_ index: Int, _ verdict: String, _ told: String, at now: Now) {
        let id = self.hooks[index].id
        let fields = ["hook": self.hooks[index].settings.name, "reason": verdict]
        self.actions.append(.log(LogEntry(.warning, "hook killed", fields)))
        self.hooks[index].verdict = verdict
        switch self.hooks[index].state {
        case .up: self.hooks[index].state = .dying
        case .stopping: self.hooks[index].state = .closing(until: now.instant + self.bounds.hookStopTimeout)
        case .waiting, .parked, .dying, .closing, .gone: preconditionFailure("a hook was killed that is not asked")
        }
        self.actions.append(.killHook(id))
        self.updateDeadline(ofHook: index)
        self.failQuestions(of: id, told, at: now)
    }

    mutating func hookExpired(_ id: HookID, at now: Now) {
        guard let index = self.index(of: id) else { return }
        let timeout = "\(self.hooks[index].settings.timeoutMilliseconds) ms"
        switch self.hooks[index].expiry(at: now.instant) {
        case .none:
            self.updateDeadline(ofHook: index)
        case .due:
            self.startHook(index, at: now)
        case .hung:
            self.killHook(
                index, "it kept a question for longer than \(timeout)", "did not answer within \(timeout)", at: now)
        case .late(let askers):
            self.updateDeadline(ofHook: index)
            for asker in askers {
                self.hookReplied(id, to: asker, .failure("did not answer within \(timeout)"), at: now)
            }
        case .overdue:
            self.hookIsOverdue(index, at: now)
        }
    }

    // MARK: Questions

    /// Asks a hook. Whoever asks gets its reply by ``hookReplied(_:to:_:at:)``, but for what is known at once.
    ///
    /// - Returns: Why it cannot be asked, as a sentence without its subject; `nil` if it is.
    mutating func ask(
        _ id: HookID, _ body: [UInt8], about event: HookEvent, for asker: HookProcess.Asker, at now: Now
    ) -> String? {
        guard let index = self.index(of: id) else { return "is no more" }
        guard body.count + 64 <= ProtocolBounds.hookFrame else { return "cannot be asked: the question is too long" }
        let question = HookProcess.Question(asker: asker, event: event, body: body, askedAt: now.instant)
        switch self.hooks[index].ask(question) {
        case .notRunning?:
            let last = self.hooks[index].lastExit.map { " (the last process: \($0))" } ?? ""
            return "is not running\(last)"
        case .tooMany?:
            return "has \(self.bounds.hookQuestions) questions waiting"
        case nil:
            self.sendQuestions(to: index, at: now)
            return nil
        }
    }

    /// Tells every hook of this event what happened. Nobody waits for them.
    mutating func tellHooks(_ event: HookEvent, _ body: @autoclosure () -> [UInt8], at now: Now) {
        var made: [UInt8]?
        for index in self.hooks.indices where self.hooks[index].settings.events.contains(event) {
            let bytes = made ?? body()
            made = bytes
            let notice = HookProcess.Question(asker: .nobody, event: event, body: bytes, askedAt: now.instant)
            if self.hooks[index].tell(notice) {
                let name = self.hooks[index].settings.name
                self.actions.append(
                    .log(LogEntry(.warning, "hook is behind: it is not told of some requests", ["hook": name])))
            }
            self.sendQuestions(to: index, at: now)
        }
    }

    /// Nobody waits for what was asked under `asker` any more.
    mutating func forgetQuestions(of asker: HookProcess.Asker) {
        for index in self.hooks.indices {
            self.hooks[index].forget(asker)
            self.updateDeadline(ofHook: index)
        }
    }

    private mutating func sendQuestions(to index: Int, at now: Now) {
        while let frame = self.hooks[index].next(at: now.instant) {
            self.actions.append(.sendHook(self.hooks[index].id, frame))
        }
        self.finishHookIfIdle(index, at: now)
        self.updateDeadline(ofHook: index)
    }

    // MARK: Answers

    mutating func hookAnswered(_ id: HookID, _ payload: [UInt8], at now: Now) {
        guard let index = self.index(of: id) else { return }
        switch self.hooks[index].state {
        case .up, .stopping: break
        case .waiting, .parked, .dying, .closing, .gone: return
        }
        do throws(MessageError) {
            let answer = try HookAnswer(decoding: payload)
            guard let event = self.hooks[index].open[answer.number]?.event else {
                throw .invalidValue("id", "\(answer.number) is not open")
            }
            let content = try answer.content(of: event)
            let asker = self.hooks[index].answered(answer.number, at: now.instant)!.asker
            self.sendQuestions(to: index, at: now)
            if let asker { self.hookReplied(id, to: asker, .answer(content), at: now) }
        } catch {
            self.hookMisbehaved(id, "\(error)", at: now)
        }
    }

    private mutating func hookReplied(_ id: HookID, to asker: HookProcess.Asker, _ reply: HookReply, at now: Now) {
        switch asker {
        case .consultation(let number): self.consultationHeard(number, from: id, reply, at: now)
        case .group(let name): self.groupExitHeard(name, from: id)
        case .nobody: break
        }
    }

    mutating func hookMisbehaved(_ id: HookID, _ reason: String, at now: Now) {
        guard let index = self.index(of: id) else { return }
        switch self.hooks[index].state {
        case .up, .stopping: self.killHook(index, "it broke the protocol: \(reason)", "broke the protocol", at: now)
        case .waiting, .parked, .dying, .closing, .gone: break
        }
    }

    /// Ends what the process was asked.
    private mutating func failQuestions(of id: HookID, _ reason: String, at now: Now) {
        guard let index = self.index(of: id) else { return }
        let askers = self.hooks[index].giveUp()
        self.updateDeadline(ofHook: index)
        for asker in askers { self.hookReplied(id, to: asker, .failure(reason), at: now) }
    }

    // MARK: The end

    /// Asks no hook anything new. Each is told what it was not told yet, and ends.
    mutating func stopHooks(at now: Now) {
        for id in self.hooks.map(\.id) { self.stopHook(id, at: now) }
    }

    /// Asks a hook nothing new. It is told what it was not told yet, and ends.
    mutating func stopHook(_ id: HookID, at now: Now) {
        guard let index = self.index(of: id) else { return }
        switch self.hooks[index].state {
        case .up:
            self.hooks[index].state = .stopping(until: now.instant + self.bounds.hookDrainTimeout)
            self.sendQuestions(to: index, at: now)
        case .dying:
            self.hooks[index].state = .closing(until: now.instant + self.bounds.hookStopTimeout)
            self.updateDeadline(ofHook: index)
        case .waiting, .parked:
            self.hooks[index].state = .gone
            self.hooks[index].dropNotices()
            self.updateDeadline(ofHook: index)
            self.removeHookIfGone(id)
        case .stopping, .closing, .gone:
            break
        }
    }

    private mutating func finishHookIfIdle(_ index: Int, at now: Now) {
        guard case .stopping = self.hooks[index].state, self.hooks[index].isIdle else { return }
        self.hooks[index].state = .closing(until: now.instant + self.bounds.hookStopTimeout)
        self.actions.append(.closeHook(self.hooks[index].id))
    }

    private mutating func hookIsOverdue(_ index: Int, at now: Now) {
        switch self.hooks[index].state {
        case .stopping:
            self.hooks[index].dropNotices()
            self.killHook(index, "it did not finish in time", "did not answer before the daemon stopped", at: now)
        case .closing:
            // It does not end by itself. Its exit is all that is waited for now.
            self.hooks[index].state = .closing(until: now.instant + self.bounds.hookStopTimeout)
            self.actions.append(.killHook(self.hooks[index].id))
            self.updateDeadline(ofHook: index)
        case .waiting, .parked, .up, .dying, .gone:
            break
        }
    }

    /// Forgets a hook that was taken out of the configuration. One that is in it is shown in status to the end.
    private mutating func removeHookIfGone(_ id: HookID) {
        self.hooks.removeAll { $0.id == id && $0.state == .gone }
    }

    var areHooksGone: Bool { self.hooks.isEmpty }

    private mutating func updateDeadline(ofHook index: Int) {
        self.setDeadline(.hook(self.hooks[index].id), at: self.hooks[index].deadline)
    }
}
