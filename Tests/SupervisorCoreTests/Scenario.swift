import Messages

@testable import SupervisorCore

/// A core, a clock, and one line of text for each thing that it does.
///
/// ULIDs read as `session`, `r1`, `r2`, …, in the order in which they appear, so that a test can say exactly what happens.
/// Timers are kept, not told: ``pass(_:)`` fires them at their instants. The operator's log is kept in ``entries``.
struct Scenario {
    var core: SupervisorCore
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    private(set) var entries: [LogEntry] = []
    /// Whether workers answer pings, which are not told then.
    var workersAnswerPings = true
    private var timer: Instant?
    private var pings: [(worker: WorkerID, number: Int)] = []
    private var names: [String: String] = [:]
    private(set) var hookIDs: [String: HookID] = [:]
    private var hookNames: [HookID: String] = [:]

    init(
        durability: ServiceConfiguration.Durability = .commit, storesPrompts: Bool = false,
        providers: [ProviderSettings] = [.echo()], fallbacks: [String: [String]] = [:],
        policy: PolicySettings = PolicySettings(), defaultModel: ModelReference? = nil,
        hooks: [HookSettings] = [], bounds: SupervisorBounds = SupervisorBounds(),
        drainTimeoutMilliseconds: Int = 30_000
    ) {
        self.core = SupervisorCore(
            configuration: ServiceConfiguration(
                socketPath: "/run/bulkhead.sock", stateDirectory: "/var/lib/bulkhead", durability: durability,
                storesPrompts: storesPrompts,
                defaultModel: defaultModel ?? (providers.first?.models.first?.id).map { ModelReference($0) },
                providers: providers, fallbacks: fallbacks, policy: policy, hooks: hooks,
                drainTimeoutMilliseconds: drainTimeoutMilliseconds),
            bounds: bounds, seed: 7, processID: 4711)
    }

    init(configuration: ServiceConfiguration) {
        self.core = SupervisorCore(configuration: configuration, seed: 7)
    }

    /// A daemon whose logger and workers are ready. Its workers are the numbers from 1 on, in the order of the providers.
    static func ready(
        durability: ServiceConfiguration.Durability = .commit, storesPrompts: Bool = false,
        providers: [ProviderSettings] = [.echo()], fallbacks: [String: [String]] = [:],
        policy: PolicySettings = PolicySettings(), defaultModel: ModelReference? = nil,
        hooks: [HookSettings] = [], bounds: SupervisorBounds = SupervisorBounds(),
        drainTimeoutMilliseconds: Int = 30_000
    ) -> Scenario {
        var scenario = Scenario(
            durability: durability, storesPrompts: storesPrompts, providers: providers, fallbacks: fallbacks,
            policy: policy, defaultModel: defaultModel, hooks: hooks, bounds: bounds,
            drainTimeoutMilliseconds: drainTimeoutMilliseconds)
        scenario.post(.start)
        scenario.post(.loggerStarted(pid: 100))
        scenario.loggerIsReady()
        for (index, provider) in providers.enumerated() {
            let worker = WorkerID(UInt64(index + 1))
            scenario.post(.workerStarted(worker, pid: 200 + index))
            scenario.workerSaysHello(worker.rawValue, provider)
        }
        return scenario
    }

    @discardableResult
    mutating func post(_ event: Event) -> [String] {
        let milliseconds = Int(self.now.nanoseconds / 1_000_000)
        let actions = self.core.handle(event, at: Now(instant: self.now, wallMilliseconds: milliseconds))
        return actions.compactMap { self.text(of: $0) }
    }

    /// Lets time pass, and fires what is due on its way.
    @discardableResult
    mutating func pass(_ duration: Duration) -> [String] {
        let end = self.now + duration
        var texts: [String] = []
        while let due = self.timer, due <= end {
            self.now = max(self.now, due)
            self.timer = nil
            texts += self.post(.timer)
            while let (worker, number) = self.pings.popLast() {
                texts += self.post(.workerReport(worker, WorkerReport.pong(number: number).encoded))
            }
        }
        self.now = end
        return texts
    }

    // MARK: Clients

    @discardableResult
    mutating func connect(_ client: UInt64, uid: Int = 1000, groups: [Int] = []) -> [String] {
        self.post(.clientConnected(ConnectionID(client), PeerCredentials(uid: uid, gid: 100, pid: 42, groups: groups)))
    }

    @discardableResult
    mutating func client(_ client: UInt64, _ text: String) -> [String] {
        self.post(.clientFrame(ConnectionID(client), Array(text.utf8)))
    }

    /// A client prompts, and the request's row is committed.
    @discardableResult
    mutating func promptRuns(_ client: UInt64, _ id: Int, _ members: String = "") -> [String] {
        self.client(client, #"{"id":\#(id),"op":"prompt","prompt":"hi"\#(members)}"#) + self.commit()
    }

    // MARK: Workers

    @discardableResult
    mutating func workerSaysHello(_ worker: UInt64, _ provider: ProviderSettings = .echo()) -> [String] {
        let hello = WorkerHello(provider: provider.name, slots: provider.slots, models: provider.models)
        return self.post(.workerReport(WorkerID(worker), WorkerReport.hello(hello).encoded))
    }

    @discardableResult
    mutating func slot(_ worker: UInt64, _ index: Int, _ event: SlotEvent) -> [String] {
        self.post(.slotEvent(SlotID(worker: WorkerID(worker), index: index), event.encoded))
    }

    // MARK: The logger

    mutating func loggerIsReady(acknowledged: Int = 0) {
        self.post(
            .loggerReply(
                LoggerReply.ready(protocolVersion: ProtocolVersion.current, version: "1", acknowledged: acknowledged)
                    .encoded))
    }

    /// The logger commits all that it was sent.
    @discardableResult
    mutating func commit() -> [String] {
        self.post(.loggerReply(LoggerReply.acknowledged(sequence: self.core.log.lastSequence).encoded))
    }

    // MARK: Text

    private mutating func text(of action: Action) -> String? {
        switch action {
        case .sendWorker(let id, let payload):
            if self.workersAnswerPings, case .ping(let number)? = try? WorkerControl(decoding: payload) {
                self.pings.append((id, number))
                return nil
            }
            return "worker \(id.rawValue): \(self.text(payload))"
        case .setTimer(let instant):
            self.timer = instant
            return nil
        case .log(let entry):
            self.entries.append(entry)
            return nil
        case .send(let id, let payload): return "client \(id.rawValue): \(self.text(payload))"
        case .pauseClient(let id): return "pause client \(id.rawValue)"
        case .resumeClient(let id): return "resume client \(id.rawValue)"
        case .closeClient(let id): return "close client \(id.rawValue)"
        case .dropClient(let id): return "drop client \(id.rawValue)"
        case .stopListening: return "stop listening"
        case .startWorker(let id, let provider, let slots):
            return "start worker \(id.rawValue) of \(provider), \(slots) slots"
        case .sendSlot(let slot, let payload, let reports):
            return "slot \(slot.worker.rawValue).\(slot.index): \(self.text(payload))\(reports ? " (reports)" : "")"
        case .saveModels(let file): return "save models: \(self.text(file))"
        case .startSecrets(let payload, _): return "secrets: \(self.text(payload))"
        case .killSecrets: return "kill secrets"
        case .saveKeyUse(let file): return "save key use: \(self.text(file))"
        case .pauseSlot(let slot): return "pause slot \(slot.worker.rawValue).\(slot.index)"
        case .resumeSlot(let slot): return "resume slot \(slot.worker.rawValue).\(slot.index)"
        case .closeWorker(let id): return "close worker \(id.rawValue)"
        case .killWorker(let id): return "kill worker \(id.rawValue)"
        case .startLogger(let durability): return "start logger, \(durability.rawValue)"
        case .readConfiguration: return "read configuration"
        case .stopReadingConfiguration: return "stop reading configuration"
        case .sendLogger(let payload): return "logger: \(self.text(payload))"
        case .closeLogger: return "close logger"
        case .killLogger: return "kill logger"
        case .startReader: return "start reader"
        case .sendReader(let payload): return "reader: \(self.text(payload))"
        case .closeReader: return "close reader"
        case .killReader: return "kill reader"
        case .startHook(let id, let name, let command):
            self.hookIDs[name] = id
            self.hookNames[id] = name
            return "start hook \(name): \(command.joined(separator: " "))"
        case .sendHook(let id, let payload): return "hook \(self.hookNames[id]!): \(self.text(payload))"
        case .closeHook(let id): return "close hook \(self.hookNames[id]!)"
        case .killHook(let id): return "kill hook \(self.hookNames[id]!)"
        case .notify(let state, let status): return "notify \(state): \(status)"
        case .exit(let code): return "exit \(code)"
        }
    }

    private mutating func text(_ payload: [UInt8]) -> String {
        let text = String(decoding: payload, as: UTF8.self)
        let pieces = text.split(separator: "\"", omittingEmptySubsequences: false).map { piece -> String in
            guard ULID(String(piece)) != nil else { return String(piece) }
            let name = self.names.isEmpty ? "session" : "r\(self.names.count)"
            return self.names[String(piece)]
                ?? {
                    self.names[String(piece)] = name; return name
                }()
        }
        return pieces.joined(separator: "\"")
    }
}

extension ProviderSettings {
    static func echo(
        _ name: String = "echo", slots: Int = 2, timeouts: Timeouts = Timeouts(), retries: Int = 0
    ) -> ProviderSettings {
        ProviderSettings(
            name: name, kind: .echo, slots: slots, models: [ModelDescription(id: name)], timeouts: timeouts,
            retries: retries)
    }
}
