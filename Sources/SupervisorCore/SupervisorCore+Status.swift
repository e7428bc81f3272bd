import JSON
import Messages

// What is told to those who ask how things are (proto/client.md, "StatusDone").
extension SupervisorCore {
    func status(at now: Now) -> [UInt8] {
        let open = self.requests.count
        let queued = self.providers.reduce(0) { $0 + $1.queue.count }
        return JSONValue.object([
            .init("version", .string(SoftwareVersion.current)),
            .init("pid", .integer(self.processID)),
            .init("uptime_ms", .integer(now.instant.milliseconds(since: self.startedAt))),
            .init("draining", .bool(self.phase != .running)),
            .init("durability", .string(self.configuration.durability.rawValue)),
            .init("connections", .integer(self.connections.count)),
            .init(
                "requests",
                .object([
                    .init("open", .integer(open)),
                    .init("queued", .integer(queued)),
                    .init("waiting", .integer(self.providers.reduce(0) { $0 + $1.retrying })),
                    .init("chains", .integer(self.chains.count)),
                    .init("groups", .integer(self.groups.count)),
                    .init("finishing", .integer(self.finishing.count)),
                    .init("admitted", .integer(self.counters.admitted)),
                    .init("done", .integer(self.counters.done)),
                    .init("error", .integer(self.counters.error)),
                    .init("cancelled", .integer(self.counters.cancelled)),
                    .init("crashed", .integer(self.counters.crashed)),
                    .init("retries", .integer(self.counters.retries)),
                    .init("fallbacks", .integer(self.counters.fallbacks)),
                ])),
            .init(
                "memory",
                .object([
                    .init(
                        "budget_bytes",
                        .integer(
                            self.bounds.memory + self.bounds.historyMemory + self.bounds.smallRequestMemory
                                + self.bounds.chainMemory + self.bounds.retryMemory)),
                    .init("used_bytes", .integer(self.memoryInUse)),
                ])),
            .init("logger", self.loggerStatus),
            .init("reader", self.readerStatus),
            .init("configuration", self.configurationStatus),
            .init("providers", .array(self.visibleProviders.map { self.status(of: self.providers[$0], at: now) })),
            .init("hooks", .array(self.hooks.map { self.status(of: $0, at: now) })),
        ]).serialized()
    }

    private var configurationStatus: JSONValue {
        .object([
            .init("generation", .integer(self.generation.number)),
            .init("former", .integer(self.formerGenerations.count)),
            .init("refused", .integer(self.reload.refusals)),
            .init("reloading", .bool(self.reload.state != .idle)),
        ])
    }

    /// The providers that new requests ask, in their order, and those that are retired, while a process of theirs lives.
    private var visibleProviders: [Int] {
        self.generation.entries
            + self.providers.indices.filter { self.providers[$0].isRetired && !self.providers[$0].isGone }
    }

    private var loggerStatus: JSONValue {
        let state =
            switch self.logger.state {
            case .starting: self.logger.hasBeenReady ? "restarting" : "starting"
            case .waiting, .replacing: "restarting"
            case .ready, .stopping, .gone: "ready"
            }
        var members: [JSONValue.Member] = [.init("state", .string(state))]
        if let pid = self.logger.pid { members.append(.init("pid", .integer(pid))) }
        members += [
            .init("restarts", .integer(self.logger.restarts)),
            .init("backlog_records", .integer(self.log.count)),
            .init("backlog_bytes", .integer(self.log.bytes)),
            .init("acknowledged", .integer(self.log.acknowledged)),
        ]
        return .object(members)
    }

    private var readerStatus: JSONValue {
        let state =
            switch self.reader.state {
            case .off, .stopping: "off"
            case .starting: "starting"
            case .ready: "ready"
            case .dying, .waiting: "restarting"
            }
        var members: [JSONValue.Member] = [.init("state", .string(state))]
        if let pid = self.reader.pid { members.append(.init("pid", .integer(pid))) }
        members += [
            .init("restarts", .integer(self.reader.restarts)),
            .init("questions", .integer(self.reader.questionCount)),
        ]
        return .object(members)
    }

    private func status(of hook: HookProcess, at now: Now) -> JSONValue {
        let state =
            switch hook.state {
            case .up: "ready"
            case .waiting, .dying: "waiting"
            case .parked: "parked"
            case .stopping, .closing, .gone: "stopped"
            }
        var members: [JSONValue.Member] = [
            .init("name", .string(hook.settings.name)),
            .init("events", .array(hook.settings.events.map { .string($0.rawValue) })),
            .init("on_failure", .string(hook.settings.isClosed ? "closed" : "open")),
            .init("state", .string(state)),
        ]
        if let pid = hook.pid { members.append(.init("pid", .integer(pid))) }
        members += [
            .init("open", .integer(hook.open.count)),
            .init("waiting", .integer(hook.waitingCount)),
            .init("answers", .integer(hook.answers)),
            .init("failures", .integer(hook.failures)),
            .init("dropped", .integer(hook.dropped)),
            .init("starts", .integer(hook.starts)),
            .init("deaths", .integer(hook.deaths)),
        ]
        if let last = hook.lastExit { members.append(.init("last_exit", .string(last))) }
        switch hook.state {
        case .waiting(let until), .parked(let until):
            members.append(.init("retry_in_ms", .integer(max(0, until.milliseconds(since: now.instant)))))
        case .up, .dying, .stopping, .closing, .gone: break
        }
        return .object(members)
    }

    private func status(of provider: Provider, at now: Now) -> JSONValue {
        // A process that is being killed takes no requests; when it is gone the back-off begins.
        let isDying = provider.current.flatMap { self.workers[$0]?.state } == .dying
        let state =
            switch provider.state {
            case .starting where isDying, .ready where isDying: "waiting"
            case .starting: "starting"
            case .ready: "ready"
            case .waiting: "waiting"
            case .parked: "parked"
            case .stopped: "stopped"
            }
        let processes = ([provider.current].compactMap { $0 } + provider.retiring).compactMap { self.workers[$0] }
        var members: [JSONValue.Member] = [
            .init("name", .string(provider.settings.name)),
            .init("type", .string(provider.settings.kind.rawValue)),
            .init("state", .string(state)),
        ]
        if provider.isRetired { members.append(.init("retired", .bool(true))) }
        if let pid = provider.current.flatMap({ self.workers[$0]?.pid }) { members.append(.init("pid", .integer(pid))) }
        members += [
            .init("processes", .integer(processes.count)),
            .init("slots", .integer(provider.settings.slots)),
            .init("busy", .integer(processes.reduce(0) { $0 + $1.busySlots })),
            .init("queued", .integer(provider.queue.count)),
            .init("starts", .integer(provider.starts)),
            .init("deaths", .integer(provider.deaths)),
        ]
        if let last = provider.lastExit { members.append(.init("last_exit", .string(last))) }
        if let until = provider.deadline {
            members.append(.init("retry_in_ms", .integer(until.milliseconds(since: now.instant))))
        }
        return .object(members)
    }
}
