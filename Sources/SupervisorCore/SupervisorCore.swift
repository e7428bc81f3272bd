public import Messages

/// Everything the supervisor decides, as a value.
///
/// `handle` takes what happened and returns what to do. It reads no clock, owns no descriptor and draws its random numbers from a
/// seed, so that a simulation can drive the very code that runs in production (docs/architecture.md).
///
/// The parts: ``Connection``, ``Request``, ``Worker`` and ``Provider`` are state machines of one thing each; this type holds them
/// and passes what one says to the others. Each extension is one side of that: the start, clients, requests, workers, the logger, the end.
public struct SupervisorCore: Sendable {
    /// What a deadline belongs to. Each has one at most: the earliest of its own.
    enum Timer: Hashable, Sendable {
        case connection(ConnectionID)
        case request(RequestNumber)
        case worker(WorkerID)
        case provider(Int)
        case listing(RequestNumber)
        case logger
        case reader
        case secrets
        case keyUse
        case hook(HookID)
        case reload
        case phase
    }

    /// Where the daemon is in its life.
    enum Phase: Sendable, Equatable {
        case running
        /// No new requests; the open ones may finish until the deadline, then they are cut short.
        case draining(until: Instant)
        /// Every request was cut short that had not ended by then.
        case cutShort
        /// No request is open; the workers end.
        case stoppingWorkers
        /// The workers are gone; the logger commits what it was sent.
        case stoppingLogger(until: Instant)
        case stopped
    }

    struct Counters: Sendable {
        var admitted = 0
        var done = 0
        var error = 0
        var cancelled = 0
        var crashed = 0
        /// Attempts after a wait, and requests that went to another model.
        var retries = 0
        var fallbacks = 0
    }

    /// What new requests are admitted under.
    var generation: Generation
    /// Those before it under which something is still open, oldest first.
    var formerGenerations: [Generation] = []
    let bounds: SupervisorBounds
    let processID: Int
    /// The users who see and may do everything.
    let administrators: Set<Int>
    var random: SeededGenerator
    var ulids = ULIDGenerator()

    var phase = Phase.running
    var hasToldReady = false
    var startedAt = Instant(nanoseconds: 0)
    var counters = Counters()

    var connections: [ConnectionID: Connection] = [:]
    /// The connections of callers, and their requests until they are over.
    var callerConnections = CallerTally<ConnectionID>()
    var callerRequests = CallerTally<RequestNumber>()
    var requests: [RequestNumber: Request] = [:]
    /// Chains, each under the number of its round where one is open.
    var chains: [RequestNumber: Chain] = [:]
    /// Prompts that continue a conversation and are not admitted yet.
    var continuations: [RequestNumber: Continuation] = [:]
    /// Requests that hooks are asked about and are not admitted yet.
    var consultations: [RequestNumber: Consultation] = [:]
    /// The conversations that are being continued.
    var conversations: [String: ConversationLine] = [:]
    /// Groups of requests, by their names.
    var groups: [ULID: PromptGroup] = [:]
    /// Which group a request, or a chain, belongs to.
    var memberships: [RequestNumber: ULID] = [:]
    /// The requests that wait for the end of a group.
    var groupEnds: [RequestNumber: ULID] = [:]
    /// The groups whose last request has ended in the event in hand.
    var groupsThatAreOver: [ULID] = []
    /// The requests that go on though their clients have gone.
    var finishing = FinishingRequests()
    /// Clients' questions about the record.
    var lookups: [RequestNumber: Lookup] = [:]
    /// The wish of a client that providers be asked for their models. One at a time.
    var refresh: ModelRefresh?
    /// What providers are being asked.
    var listings: [RequestNumber: SlotListing] = [:]
    var workers: [WorkerID: Worker] = [:]
    /// Those of all generations. An entry stays where it is for as long as a generation has it; then its place is used again.
    var providers: [Provider]
    /// The wish that the configuration be read anew.
    var reload = Reload()

    var log: LogQueue
    var logger: LoggerProcess
    var reader = ReaderProcess()
    var secrets = SecretsDesk()
    var keyUse: KeyUseLedger
    /// The hooks that have not answered to the end of a group.
    var groupExits: [ULID: Set<HookID>] = [:]
    /// In the order of the configuration; after them those that were taken out of it and have not ended.
    var hooks: [HookProcess] = []
    /// Whether slots are not read because the logger is behind.
    var areSlotsPausedForLog = false
    /// For large frames of clients and the requests in them.
    var memory: MemoryBudget
    /// For what comes from slots and goes to clients. Apart from `memory`, because requests that wait for a slot must not keep
    /// out the answer that would free it.
    var answerMemory: MemoryBudget
    /// For histories, and the large requests that they become. Apart from `memory`, because prompts that wait for their histories
    /// must not keep out the history that would free them.
    var historyMemory: MemoryBudget
    /// Apart from `memory`, so that no large frame keeps a small request out.
    var smallRequestMemory: MemoryBudget
    /// For requests that may be tried again, from their dispatch on. Nobody waits for room in it.
    var retryMemory: MemoryBudget
    /// What of `smallRequestMemory` is held by prompts that wait for their histories.
    var smallContinuationBytes = 0
    /// What of it is held by requests that hooks are asked about.
    var smallConsultationBytes = 0
    /// For what was said in chains. Their rounds need no other room: a chain that has begun is not held up by memory.
    var chainMemory: MemoryBudget
    /// What of it each user's chains hold: half of it at most, so that nobody keeps all others out.
    var chainBytes: [Int: Int] = [:]

    var deadlines = DeadlineQueue<Timer>()
    /// The instant that the shell's timer is set to.
    private var armed: Instant?
    private var lastNumber: UInt64 = 0
    /// What the event in hand has led to so far.
    var actions: [Action] = []

    /// - Parameters:
    ///   - seed: Unpredictable, for it names the requests.
    ///   - processID: For status only.
    ///   - userID: Whom the daemon runs as: an administrator, like root.
    public init(
        configuration: ServiceConfiguration, bounds: SupervisorBounds = SupervisorBounds(), seed: UInt64,
        processID: Int = 0, userID: Int = 0
    ) {
        self.generation = Generation(
            number: 1, configuration: configuration, entries: Array(configuration.providers.indices))
        self.bounds = bounds
        self.processID = processID
        self.administrators = [0, userID]
        self.random = SeededGenerator(seed: seed)
        self.providers = configuration.providers.map { Provider(settings: $0, bounds: bounds) }
        self.log = LogQueue(
            bounds: LogQueue.Bounds(
                backlog: bounds.logBacklog, ending: bounds.endRecord, output: bounds.logOutput,
                small: bounds.smallFrame, window: bounds.logWindow
            ))
        self.logger = LoggerProcess(durability: configuration.durability)
        self.keyUse = KeyUseLedger(configuration.keyUse)
        self.memory = MemoryBudget(limit: bounds.memory - bounds.memory / 4)
        self.answerMemory = MemoryBudget(limit: bounds.memory / 4)
        self.historyMemory = MemoryBudget(limit: bounds.historyMemory)
        self.smallRequestMemory = MemoryBudget(limit: bounds.smallRequestMemory)
        self.retryMemory = MemoryBudget(limit: bounds.retryMemory)
        self.chainMemory = MemoryBudget(limit: bounds.chainMemory)
        for (index, provider) in configuration.providers.enumerated() {
            self.takeList(provider.listedModels, of: index)
        }
        self.compilePolicy()
    }

    /// Takes one event and returns what to do because of it, in order.
    public mutating func handle(_ event: Event, at now: Now) -> [Action] {
        switch event {
        case .start: self.start(at: now)

        case .clientConnected(let id, let peer): self.clientConnected(id, peer, at: now)
        case .clientFrame(let id, let payload): self.clientFrame(id, payload, at: now)
        case .clientFrameBegun(let id, let length): self.clientFrameBegun(id, length, at: now)
        case .clientFrameTooLong(let id, let length): self.clientFrameTooLong(id, length, at: now)
        case .clientBacklog(let id, let bytes, let tookSome): self.clientBacklog(id, bytes, tookSome: tookSome, at: now)
        case .clientClosed(let id): self.clientClosed(id, at: now)

        case .workerStarted(let id, let pid): self.workers[id]?.pid = pid
        case .workerFailedToStart(let id, let reason): self.workerFailedToStart(id, reason, at: now)
        case .workerReport(let id, let payload): self.workerReport(id, payload, at: now)
        case .slotEvent(let slot, let payload): self.slotEvent(slot, payload, at: now)
        case .slotFrameBegun(let slot, let length): self.slotFrameBegun(slot, length, at: now)
        case .slotWritten(let slot): self.slotWritten(slot)
        case .workerBrokeProtocol(let id, let reason): self.workerMisbehaved(id, reason, culprit: nil, at: now)
        case .slotBrokeProtocol(let slot, let reason):
            self.workerMisbehaved(slot.worker, reason, culprit: slot, at: now)
        case .workerExited(let id, let status): self.workerExited(id, status, at: now)

        case .loggerStarted(let pid): self.logger.pid = pid
        case .loggerFailedToStart(let reason): self.loggerEnded(reason, isFatal: true, at: now)
        case .loggerReply(let payload): self.loggerReply(payload, at: now)
        case .loggerBrokeProtocol(let reason): self.loggerMisbehaved(reason)
        case .loggerExited(let status): self.loggerExited(status, at: now)

        case .readerStarted(let pid): self.reader.pid = pid
        case .readerFailedToStart(let reason): self.readerEnded("it could not be started: \(reason)", at: now)
        case .readerReply(let payload): self.readerReply(payload, at: now)
        case .readerBrokeProtocol(let reason): self.readerMisbehaved(reason)
        case .readerExited(let status): self.readerEnded("\(status)", at: now)

        case .secretsAnswered(let payload): self.secretsAnswered(payload, at: now)
        case .secretsBrokeProtocol(let reason): self.secretsBrokeProtocol(reason, at: now)
        case .secretsEnded(let reason): self.secretsEnded(reason, at: now)

        case .hookStarted(let id, let pid): self.hookStarted(id, pid: pid)
        case .hookFailedToStart(let id, let reason): self.hookFailedToStart(id, reason, at: now)
        case .hookAnswer(let id, let payload): self.hookAnswered(id, payload, at: now)
        case .hookBrokeProtocol(let id, let reason): self.hookMisbehaved(id, reason, at: now)
        case .hookExited(let id, let status): self.hookExited(id, status, at: now)

        case .reload: self.reload(for: .signal, at: now)
        case .configurationRead(let reply): self.configurationRead(reply, at: now)
        case .configurationNotRead(let reason): self.configurationNotRead(reason, at: now)

        case .timer: self.timerFired(at: now)
        case .drain: self.drain(at: now)
        }
        self.followLog(at: now)
        self.proceedWithReader(at: now)
        self.grantMemory(at: now)
        self.forgetGenerations(at: now)
        self.proceedToReady()
        self.proceedWithGroups(at: now)
        self.proceedToStop(at: now)
        self.armTimer()
        defer { self.actions.removeAll(keepingCapacity: false) }
        return self.actions
    }

    mutating func nextNumber() -> UInt64 {
        self.lastNumber += 1
        return self.lastNumber
    }

    // MARK: Time

    /// Sets, moves or removes the deadline of `timer`.
    mutating func setDeadline(_ timer: Timer, at instant: Instant?) {
        if let instant { self.deadlines.set(timer, at: instant) } else { self.deadlines.remove(timer) }
    }

    private mutating func timerFired(at now: Now) {
        self.armed = nil
        while let timer = self.deadlines.popDue(at: now.instant) {
            switch timer {
            case .connection(let id): self.connectionExpired(id, at: now)
            case .request(let number): self.requestExpired(number, at: now)
            case .worker(let id): self.workerExpired(id, at: now)
            case .provider(let index): self.startWorker(of: index, at: now)
            case .listing(let number): self.listingExpired(number, at: now)
            case .logger: self.loggerExpired(at: now)
            case .reader: self.readerExpired(at: now)
            case .secrets: self.secretsExpired(at: now)
            case .keyUse: self.saveKeyUse()
            case .hook(let id): self.hookExpired(id, at: now)
            case .reload: self.reloadExpired()
            case .phase: self.phaseExpired(at: now)
            }
        }
    }

    private mutating func armTimer() {
        guard let earliest = self.deadlines.earliest, self.armed.map({ earliest < $0 }) ?? true else { return }
        self.armed = earliest
        self.actions.append(.setTimer(earliest))
    }
}
