import Messages
import SupervisorCore

// What must be true after every event, and at the end.
extension Simulation {
    mutating func backlogChanged(of id: ConnectionID, to bytes: Int) {
        guard self.clients[id] != nil else { return }
        if bytes > self.bounds.outputHighWater { self.clients[id]!.isBlocked = true }
        if bytes > self.bounds.outputFull { self.clients[id]!.isFull = true }
        if bytes <= self.bounds.outputLowWater {
            (self.clients[id]!.isBlocked, self.clients[id]!.isFull) = (false, false)
        }
    }

    mutating func checkBooks() {
        guard self.violation == nil else { return }
        self.checkFootprint()
        self.checkLog()
        self.checkCallers()
        self.checkReader()
        self.checkGroups()
        self.checkFinishing()
        self.checkThatConversationsGoOn()
        for id in self.mustBeGone where self.workers[id].map({ !$0.isKilled }) ?? false {
            self.fail("a worker lied, or a request ended while its slot runs it, and the worker was not killed")
        }
        self.mustBeGone = []
        if self.clients.values.count(where: { !$0.isClosing }) > self.bounds.connections {
            self.fail("too many connections")
        }
        for client in self.clients.values where !client.isClosing {
            if client.isFull, client.isRead { self.fail("a client is read whose output is full") }
            if !client.isFull, !client.isRead, !client.hasBegunFrame {
                self.fail("a client is not read, without a reason")
            }
        }
        for worker in self.workers.values where !worker.isKilled && !worker.isClosed {
            if worker.isRetired, worker.slots.allSatisfy({ $0.prompt == nil || $0.isHung }) {
                self.fail("a worker with a slot that hangs outlives its other requests")
            }
            for slot in worker.slots where !slot.isHung { self.checkFlow(of: slot) }
        }
        self.checkThatNobodyWaitsBesideAnIdleSlot()
        self.checkAnnouncements()
        self.checkProviders()
    }

    /// A slot is read unless its own client is slow, or the memory for its frame is short; whatever it runs, when it is to let go.
    private mutating func checkFlow(of slot: SimulatedSlot) {
        guard let key = slot.prompt, !slot.isCancelled else {
            if !slot.isRead { self.fail("a slot that is idle, or to let go, is not read") }
            return
        }
        let isBlocked: Bool
        if self.prompts[key]?.isFinishing ?? false {
            isBlocked = false
        } else if let client = self.clients[key.connection], !client.isClosing {
            isBlocked = client.isBlocked
        } else {
            return self.fail("a slot runs on for a client that is gone")
        }
        if isBlocked, slot.isRead { self.fail("a slot is read whose client is slow") }
        if self.isLogBehind, slot.isRead { self.fail("a slot is read, and the logger is behind") }
        if !isBlocked, !self.isLogBehind, !slot.isRead, !slot.hasBegunFrame {
            self.fail("a slot is not read, without a reason")
        }
        if self.isLogBehind { self.mark("slot not read for the log") }
    }

    private mutating func checkThatNobodyWaitsBesideAnIdleSlot() {
        guard self.isLogHeard else { return }
        for (stamp, starts) in self.starts {
            guard let worker = starts.current.flatMap({ self.workers[$0] }), worker.hasHello,
                !worker.isKilled, !worker.isClosed, worker.slots.contains(where: \.isIdle)
            else { continue }
            for (key, prompt) in self.prompts where prompt.end == nil {
                guard self.settings(of: prompt.provider, for: prompt)?.stamp == stamp else { continue }
                guard prompt.isAdmitted, !prompt.isAbandoned || prompt.isFinishing && !prompt.mayBeCancelled,
                    !prompt.isElsewhere,
                    prompt.slot == nil || prompt.latestRetry.map({ $0 < self.now }) ?? false,
                    prompt.isCommitted || self.rules(of: prompt).durability == .relaxed
                else {
                    continue
                }
                self.fail("request \(key.text) waits beside an idle slot")
            }
        }
    }

    private mutating func checkFootprint() {
        let footprint = self.core.footprint
        if footprint.logBytes + footprint.logReserved > self.bounds.logBacklog {
            self.fail("the log backlog is \(footprint.logBytes) bytes")
        }
        if footprint.deadlines > footprint.connections + footprint.requests + footprint.chains + footprint.continuations
            + self.lookups.count + footprint.workers + 2 * footprint.providers + 6
        {
            self.fail("deadlines are left behind: \(footprint)")
        }
        if footprint.continuations > self.bounds.continuations { self.fail("too many prompts wait") }
        if footprint.questions > footprint.continuations + self.lookups.count
            || self.lookups.count > self.bounds.questions
        {
            self.fail("too many questions: \(footprint)")
        }
        if footprint.chains > self.chains.count + footprint.requests { self.fail("a chain is left behind") }
        if footprint.conversations > footprint.continuations + footprint.requests + footprint.chains {
            self.fail("a conversation is continued by nobody: \(footprint)")
        }
        self.checkKeptFrames(footprint.kept)
        if footprint.formerGenerations > 0, self.isCalm { self.fail("an earlier configuration is kept for nobody") }
        // One that waits is in no slot and in no queue, and is counted once.
        if footprint.waiting < 0 || footprint.waiting > footprint.requests || footprint.waiting > 0 && self.isCalm {
            self.fail("\(footprint.waiting) of \(footprint.requests) requests wait for their next attempt")
        }
        if footprint.memory != 0, self.isCalm { self.fail("\(footprint.memory) bytes of memory are held by nobody") }
        if footprint.queuePlaces > 2 * footprint.requests + 64 * footprint.providers {
            self.fail("a queue does not forget: \(footprint)")
        }
        if footprint.workers > footprint.providers * (self.bounds.retiringWorkers + 2) + 16 {
            self.fail("too many workers: \(footprint)")
        }
    }

    /// What of answers waits for the logger, and that slots are read only while it keeps up.
    private mutating func checkLog() {
        let waiting = self.core.footprint.logOutput
        if waiting >= self.bounds.logOutput {
            self.isLogBehind = true
        } else if waiting <= self.bounds.logOutput / 2 {
            self.isLogBehind = false
        } else if self.isLoggerHeard {
            // An acknowledgement takes away and may lead to attempts that could not begin, which add: both bounds may have been
            // passed, and only the core knows.
            self.isLogBehind = self.core.footprint.isLogBehind
        }
        // What slots say at once before they can be stopped, five events of 400 bytes, and what was gathered or whole.
        let slots = self.workers.values.reduce(0) { $0 + $1.slots.count }
        let overshoot = (slots + 4) * (5 * 400 + self.bounds.outputPiece + self.bounds.smallFrame)
        if waiting > self.bounds.logOutput + overshoot { self.fail("\(waiting) bytes of answers wait for the logger") }
    }

    /// Whether the core was told that everything that it put on record is on disk.
    var isLogQuiet: Bool {
        self.logger.isAlive && self.logger.isReady && !self.logger.isKilled
            && !self.logger.isClosed && self.logger.told == self.logger.highestReceived
            && self.core.footprint.logBytes == 0
    }

    /// Nothing is open, and nothing large on its way.
    private var isCalm: Bool {
        self.isLogQuiet && self.lookups.isEmpty && self.reader.question == nil && self.prompts.isEmpty
            && self.chains.isEmpty
            && self.clients.values.allSatisfy { !$0.hasBegunFrame && $0.backlog <= self.bounds.outputHighWater }
            && self.workers.values.allSatisfy { $0.isKilled || $0.slots.allSatisfy { !$0.hasBegunFrame } }
    }

    /// Nothing is open that should have ended by now. Checked when the timers that were due have fired.
    mutating func checkDeadlines() {
        for client in self.clients.values {
            if let reason = self.lateness(of: client) { self.fail(reason) }
        }
        if let reason = self.latenessOfReader(at: self.now) { self.fail(reason) }
        for (key, lookup) in self.lookups where lookup.arrivedAt + self.bounds.questionTimeout < self.now {
            self.fail("question \(key.text) is not answered in time")
        }
        if self.secretsAreLate { self.fail("who works on the secrets takes too long and lives") }
        self.checkChainDeadlines()
        for (key, prompt) in self.prompts
        where !prompt.isAdmitted && prompt.arrivedAt + self.patience(of: prompt) < self.now {
            self.fail("\(key.text) waits for its conversation for too long")
        }
        for worker in self.workers.values where !worker.isKilled {
            // What comes at this very instant may still come.
            if let reason = self.lateness(of: worker, at: Instant(nanoseconds: self.now.nanoseconds - 1)) {
                self.fail(reason)
            }
            guard !worker.isClosed, worker.hasHello, worker.ping == nil, let reportedAt = worker.reportedAt else {
                continue
            }
            if reportedAt + self.bounds.pingInterval < self.now { self.fail("a worker is not asked whether it lives") }
        }
        for (key, prompt) in self.prompts where self.isLogHeard && prompt.isBetweenAttempts {
            if prompt.admittedAt + prompt.total < self.now {
                self.fail("request \(key.text) waits beyond its total timeout")
            }
        }
        for (key, prompt) in self.prompts where prompt.slot != nil && !prompt.isOver {
            let timeouts = self.timeouts(of: prompt)
            if let cut = prompt.cut {
                if cut.at + .milliseconds(timeouts.cancel) < self.now {
                    self.fail("request \(key.text) does not end though it was cut short")
                }
                continue
            }
            if prompt.admittedAt + prompt.total < self.now {
                self.fail("request \(key.text) outlives its total timeout")
            }
            guard let slot = prompt.slot.flatMap({ self.workers[$0.worker]?.slots[$0.index] }), slot.isRead else {
                continue
            }
            let silence = Duration.milliseconds(prompt.spoken == 0 ? timeouts.firstOutput : timeouts.idle)
            if prompt.lastHeard + silence < self.now { self.fail("request \(key.text) is silent for too long") }
        }
        guard !self.isDraining else { return }
        for (provider, starts) in self.starts
        where starts.isCertain && starts.current == nil && starts.latest < self.now
            && self.configuration.providers.contains(where: { $0.stamp == provider })
        {
            self.fail("no worker of \(provider) was started though its back-off is over")
        }
    }

    mutating func checkTheEnd() {
        if self.exitCode == 1 { return self.mark("stopped without the record") }
        let footprint = self.core.footprint
        let left = [
            footprint.requests, footprint.chains, footprint.continuations, footprint.conversations, footprint.questions,
            footprint.groups, footprint.groupMembers, footprint.finishing, footprint.memory, footprint.logBytes,
            footprint.logOutput, footprint.logReserved, footprint.connections,
        ]
        if left.contains(where: { $0 != 0 }) {
            self.fail("something is left at the end: \(footprint)")
        }
        if self.openings.count != self.admitted.count {
            self.fail("\(self.admitted.count - self.openings.count) requests have no row")
        }
        if self.reader.isAlive { self.fail("the reader outlives the daemon") }
        if self.secrets.isAlive { self.fail("who works on the secrets outlives the daemon") }
        for name in self.names.keys {
            guard let row = self.disk.rows[name] else { return self.fail("request \(name) has no row") }
            guard row.ends == 1 else { return self.fail("the row of request \(name) was closed \(row.ends) times") }
            if let told = self.told[name], told != row.state {
                self.fail("request \(name) ended as \(told), its row says \(row.state!)")
            }
            self.checkAnswer(of: name, row)
            self.checkAttempts(of: name, row)
        }
        for client in self.clients.values where !client.open.isEmpty {
            self.fail("a client waits for \(client.open.count) last frames")
        }
        self.mark("drained")
    }

    /// On disk is what the client was delivered, neither more nor less.
    private mutating func checkAnswer(of name: String, _ row: SimulatedDisk.Row) {
        guard self.configuration.storesPrompts else {
            if row.answer != Transcript() { self.fail("an answer is on disk that is not to be stored") }
            return
        }
        if row.answerBytes > self.bounds.recordedAnswer + 1000 { self.fail("an answer on disk is too long") }
        guard let key = self.names[name] else { return }
        // The client of a whole answer may have left before its last frame could.
        let delivered = self.delivered[key] ?? (self.streamed.contains(key) ? Transcript() : nil)
        if let delivered, delivered != row.answer, !self.undelivered.contains(key) {
            self.fail("on disk of request \(name): \(row.answer.text), delivered: \(delivered.text)")
        }
    }
}
