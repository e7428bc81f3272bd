import Messages
public import SupervisorCore

/// A world of clients, workers and a logger that crash, hang, lag and lie as a seed says, around the core that runs in production.
///
/// Everything is a function of the seed: bounds, configuration, what happens next. The world plays its own side of each protocol
/// and keeps its own books; a promise that the core breaks is a ``Violation``. What was reached is counted in ``marks``, because
/// a simulation proves nothing about what it does not reach.
public struct Simulation {
    public let seed: UInt64
    public private(set) var events = 0
    /// How often each kind of thing happened.
    public internal(set) var marks: [String: Int] = [:]
    /// All that the core did, where it is recorded.
    public private(set) var transcript: [Action] = []
    private let isRecorded: Bool

    var random: SeededGenerator
    let bounds: SupervisorBounds
    /// Those that the core has taken, the present one last.
    var configurations: [ServiceConfiguration]
    var configurationReader: SimulatedConfigurationReader?
    /// Whether what is being read is to be refused.
    var isReloadRefused = false
    /// By their stamps: the settings of providers, the keys that each has had, and those whose processes must be started in the
    /// event in hand.
    var settings: [Int: ProviderSettings] = [:]
    var keys: [Int: Set<String>] = [:]
    var mustBeStarted: Set<Int> = []
    var lastStamp = 1000
    var core: SupervisorCore
    var now = Instant(nanoseconds: 1_000_000_000)
    var timer: Instant?

    var clients: [ConnectionID: SimulatedClient] = [:]
    var workers: [WorkerID: SimulatedWorker] = [:]
    var starts: [Int: SimulatedStarts] = [:]
    var logger = SimulatedLogger()
    var reader = SimulatedReader()
    var secrets = SimulatedSecrets()
    /// What is on disk, whoever is alive.
    var disk = SimulatedDisk()
    /// The prompts that have not ended.
    var prompts: [SimulatedPrompt.Key: SimulatedPrompt] = [:]
    /// The chains that have not ended, under keys without a round.
    var chains: [SimulatedPrompt.Key: SimulatedChain] = [:]
    /// The groups of requests that are not gone, by their names.
    var groups: [String: SimulatedGroup] = [:]
    /// The group of each request and each chain, under keys without a round.
    var memberships: [SimulatedPrompt.Key: String] = [:]
    /// The requests in hand that must be refused because of their groups.
    var refusals: [SimulatedPrompt.Key: ErrorCode] = [:]
    /// The group that a client is just beginning.
    var groupInHand: (connection: ConnectionID, id: RequestIdentifier, request: GroupBeginRequest)?
    /// The results that a client is just sending, and to which chain.
    var resultsInHand: (key: SimulatedPrompt.Key, results: [ToolResult])?
    /// Whole answers on record that their clients were not told.
    var undelivered: Set<SimulatedPrompt.Key> = []
    /// Every prompt that was admitted, in that order.
    var admitted: [SimulatedPrompt.Key] = []
    /// Those that the logger was told of, with their sequence numbers; how many of these are known to be on disk.
    var openings: [(sequence: Int, key: SimulatedPrompt.Key)] = []
    var committedOpenings = 0
    /// Whose names on record are known, and what clients were told of their ends.
    var names: [String: SimulatedPrompt.Key] = [:]
    var told: [String: EndRecord.State] = [:]
    /// What clients were delivered of each prompt.
    var delivered: [SimulatedPrompt.Key: Transcript] = [:]
    /// The prompts that were asked to be streamed.
    var streamed: Set<SimulatedPrompt.Key> = []
    /// What slots were given of each prompt, and how that ended.
    var tried: [SimulatedPrompt.Key: [SimulatedAttempt]] = [:]
    /// Whether providers fail most of what they are asked.
    let isStormy: Bool
    /// The conversations that clients were told of, the newest last.
    var conversations: [String] = []
    /// The prompts that are not admitted yet, by the conversations that they continue, in the order of their arrival.
    var lines: [String: [SimulatedPrompt.Key]] = [:]
    /// The questions about the record that have not ended.
    var lookups: [SimulatedPrompt.Key: SimulatedLookup] = [:]
    var lastLookup = 0
    /// How much whoever asked has suffered from the reader; two are enough to be told so.
    var readerFaults: [SimulatedPrompt.Key: Int] = [:]
    /// Whether so much output waits for the logger that no slot is to be read.
    var isLogBehind = false
    /// Whether the logger says something in the event in hand.
    var isLoggerHeard = false
    /// The last prompt of each provider that was dispatched.
    var lastDispatched: [Int: Int] = [:]
    /// The target of the cancel that is being handled.
    var cancelInHand: SimulatedPrompt.Key?
    /// Workers whose requests ended while their slots had not: by the end of the event they must have been killed.
    var mustBeGone: [WorkerID] = []
    var isDraining = false
    /// What the service manager was told, in this order.
    var announcements: [ServiceState] = []

    var lastClient: UInt64 = 0
    var lastPID = 100
    var isListening = true
    var exitCode: Int?
    var violation: String?
    /// Events that follow from actions, for after the event in hand.
    var followUps: [Event] = []

    /// - Parameter isRecorded: Whether to keep a ``transcript``.
    public init(seed: UInt64, isRecorded: Bool = false) {
        self.seed = seed
        self.isRecorded = isRecorded
        var random = SeededGenerator(seed: seed)
        self.bounds = SupervisorBounds.drawn(using: &random)
        let configuration = ServiceConfiguration.drawn(using: &random)
        self.configurations = [configuration]
        for provider in configuration.providers {
            self.settings[provider.stamp] = provider
            self.keys[provider.stamp] = provider.key.map { [$0] }
        }
        self.core = SupervisorCore(configuration: configuration, bounds: self.bounds, seed: random.next())
        self.isStormy = Int.random(in: 0..<100, using: &random) < 40
        self.random = random
    }

    /// Something the core promised and did not keep.
    public struct Violation: Error, CustomStringConvertible {
        public let seed: UInt64
        public let event: Int
        public let description: String
    }

    /// Runs `count` random events, then a drain in a world that behaves, to the end.
    public mutating func run(events count: Int) throws(Violation) {
        self.post(.start)
        while self.events < count, self.exitCode == nil, self.violation == nil { self.step() }
        if self.exitCode == nil, self.violation == nil { self.stop() }
        if self.violation == nil { self.checkTheEnd() }
        if let violation = self.violation {
            throw Violation(
                seed: self.seed, event: self.events,
                description: "seed \(self.seed), event \(self.events): \(violation)")
        }
    }

    mutating func mark(_ name: String) { self.marks[name, default: 0] += 1 }

    mutating func fail(_ reason: String) {
        if self.violation == nil { self.violation = reason }
    }

    /// Whether something happens that happens `percent` times in a hundred.
    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self.random) < percent }

    // MARK: Time

    /// One random thing happens.
    private mutating func step() {
        self.passTime()
        self.secretsAct()
        // It is a matter of milliseconds, most times.
        if self.configurationReader != nil, self.chance(10) { self.reloadActs() }
        switch Int.random(in: 0..<100, using: &self.random) {
        case 0..<4: self.connect()
        case 4..<36: self.clientActs()
        case 36..<63: self.slotActs()
        case 63..<73: self.workerActs()
        case 73..<86: self.loggerActs()
        case 87..<97, 98, 99: self.readerActs()
        case 86: self.reloadActs()
        case 97: if Int.random(in: 0..<200, using: &self.random) == 0 { self.drainOnce() }
        default: break
        }
    }

    private mutating func drainOnce() {
        self.mark("drain under load")
        self.post(.drain)
        if self.chance(30) { self.post(.drain) }
    }

    /// - Parameter stopsAtTimers: Whether everybody gets a turn after each timer, however long the time is that passes.
    private mutating func passTime(stopsAtTimers: Bool = false) {
        let milliseconds =
            self.chance(97) ? Int.random(in: 0...4, using: &self.random) : Int.random(in: 5...3000, using: &self.random)
        let end = self.now + .milliseconds(milliseconds)
        while let due = self.timer, due <= end, self.exitCode == nil, self.violation == nil {
            self.now = max(self.now, due)
            self.timer = nil
            self.slotsThatHang()
            self.post(.timer)
            if stopsAtTimers { return }
        }
        self.now = end
        if self.exitCode == nil { self.checkDeadlines() }
    }

    /// A drain in a world where everybody does what they should, until the daemon ends.
    private mutating func stop() {
        // A drain must find chains that wait for their tools, and requests that wait for their next attempts.
        for id in self.clients.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            if self.chance(20) { self.clientSendsChain(id) }
            if self.chance(50) { self.clientBeginsGroup(id) }
            for _ in 0..<4 where self.chance(70) { self.clientSendsPrompt(id) }
        }
        self.clientsEndGroups(percent: 40)
        for id in self.clients.keys.sorted(by: { $0.rawValue < $1.rawValue }) where self.chance(30) {
            self.clientLeaves(id)
        }
        self.loggerBehaves()
        self.providersFail()
        self.post(.drain)
        self.clientsEndGroups(percent: 40)
        if self.chance(self.prompts.values.contains(where: \.isBetweenAttempts) ? 90 : 30) { self.post(.drain) }
        var turns = 0
        while self.exitCode == nil, self.violation == nil {
            turns += 1
            if turns > 20_000 { return self.fail("the drain does not end: \(self.core.footprint)") }
            self.passTime(stopsAtTimers: true)
            self.settle()
        }
    }

    private mutating func settle() {
        for id in self.workers.keys.sorted(by: { $0.rawValue < $1.rawValue }) { self.workerBehaves(id) }
        self.loggerBehaves()
        self.readerBehaves()
        self.configurationReaderBehaves()
        self.secretsBehave()
        for id in self.clients.keys.sorted(by: { $0.rawValue < $1.rawValue }) { self.clientBehaves(id) }
        self.clientsEndGroups(percent: 5)
    }

    // MARK: Events and actions

    /// Hands an event to the core, and plays the world's part in what comes of it.
    mutating func post(_ event: Event) {
        guard self.exitCode == nil else { return }
        self.events += 1
        self.isLoggerHeard = if case .loggerReply = event { true } else { false }
        if case .clientBacklog(let id, let bytes, _) = event { self.backlogChanged(of: id, to: bytes) }
        if case .drain = event { self.isDraining = true }
        let wall = 1_700_000_000_000 + Int(self.now.nanoseconds / 1_000_000)
        let before = self.core.footprint
        let actions = self.core.handle(event, at: Now(instant: self.now, wallMilliseconds: wall))
        if self.isRecorded { self.transcript += actions }
        if case .configurationRead(let reply) = event {
            self.configurationWasRead(
                reply, generationBefore: before.generation, retiredBefore: before.retiredProviders)
        }
        for action in actions { self.perform(action) }
        while !self.followUps.isEmpty, self.violation == nil { self.post(self.followUps.removeFirst()) }
        if self.exitCode == nil { self.checkBooks() }
    }

    private mutating func perform(_ action: Action) {
        switch action {
        case .send(let id, let payload): self.clientReceives(id, payload)
        case .pauseClient(let id): self.clientIsRead(id, false)
        case .resumeClient(let id): self.clientIsRead(id, true)
        case .closeClient(let id): self.clientIsClosed(id, atOnce: false)
        case .dropClient(let id): self.clientIsClosed(id, atOnce: true)
        case .stopListening: self.isListening = false
        case .startWorker(let id, let provider, let slots): self.workerIsStarted(id, provider, slots)
        case .sendWorker(let id, let payload): self.workerReceives(id, payload)
        case .sendSlot(let slot, let payload, let reports): self.slotReceives(slot, payload, reportsWritten: reports)
        case .pauseSlot(let slot): self.slotIsRead(slot, false)
        case .resumeSlot(let slot): self.slotIsRead(slot, true)
        case .closeWorker(let id): self.workerIsClosed(id)
        case .killWorker(let id): self.workerIsKilled(id)
        case .startLogger: self.loggerIsStarted()
        case .readConfiguration: self.configurationIsRead()
        case .stopReadingConfiguration: self.configurationReaderIsKilled()
        case .sendLogger(let payload): self.loggerReceives(payload)
        case .closeLogger: self.loggerIsClosed()
        case .killLogger: self.loggerIsKilled()
        case .startReader: self.readerIsStarted()
        case .sendReader(let payload): self.readerReceives(payload)
        case .closeReader: self.readerIsClosed()
        case .killReader: self.readerIsKilled()
        case .startHook, .sendHook, .closeHook, .killHook: self.fail("a hook was started that nobody has configured")
        case .setTimer(let instant): self.timer = instant
        case .notify(let state, _): self.announced(state)
        case .saveModels(let file): self.modelsAreSaved(file)
        case .startSecrets(let payload, _): self.secretsAreStarted(payload)
        case .killSecrets: self.secretsAreKilled()
        case .saveKeyUse(let file): self.keyUseIsSaved(file)
        case .log: break
        case .exit(let code): self.exitCode = code
        }
    }
}
