import Messages
public import SupervisorCore

/// A world of hooks that answer, refuse, annotate, hang, crash, lie and flood, around the core that runs in production.
///
/// Workers and the logger behave here; what they do when they do not is the matter of ``Simulation``. The world keeps its own books of who was
/// asked what, what was answered, and what clients were told: a promise that the core breaks is a violation.
public struct HookSimulation {
    public let seed: UInt64
    public private(set) var events = 0
    /// How often each kind of thing happened.
    public internal(set) var marks: [String: Int] = [:]
    public private(set) var transcript: [Action] = []
    private let isRecorded: Bool

    var random: SeededGenerator
    let bounds: SupervisorBounds
    let configuration: ServiceConfiguration
    var core: SupervisorCore
    var now = Instant(nanoseconds: 1_000_000_000)
    private var timer: Instant?

    var hooks: [HookID: HookInWorld] = [:]
    /// What clients asked for, and was not answered to the end, by the names that they act for.
    var wishes: [String: Wish] = [:]
    /// How many last frames were sent for each.
    var answered: Set<String> = []
    var connections: Set<ConnectionID> = []
    private var lastConnection: UInt64 = 0
    private var lastID: Int64 = 0
    /// Slots with a request, in the order in which they got them.
    var busy: [(slot: SlotID, isEmbedding: Bool)] = []
    private var workers: Set<WorkerID> = []
    /// Records that the logger has and has not acknowledged.
    private var unacknowledged = 0
    private var acknowledged = 0
    private var isLoggerGone = false
    /// The requests on record, by their names there.
    var onRecord: [ULID: (name: String, hasEnded: Bool)] = [:]
    /// Who was told of which end.
    var told: [HookID: Set<ULID>] = [:]
    var isDraining = false
    private var exitCode: Int?
    var violation: String?
    private var followUps: [Event] = []

    /// What a client asked for.
    struct Wish {
        enum Kind { case prompt, chain, embed }
        let connection: ConnectionID
        let id: RequestIdentifier
        let kind: Kind
        let model: String?
        let arrivedAt: Instant
        let timeout: Duration?
        /// What each hook answered to each question about it.
        var replies: [HookID: [HookEvent: HookAnswer.Content]] = [:]
        /// Those that came in time for certain.
        var inTime: [HookID: Set<HookEvent>] = [:]
        /// The hooks that were asked, and what about.
        var asked: [HookID: [HookEvent]] = [:]
        var isAdmitted = false
        var wasCancelled = false
    }

    public struct Violation: Error, CustomStringConvertible {
        public let description: String
    }

    public init(seed: UInt64, isRecorded: Bool = false) {
        self.seed = seed
        self.isRecorded = isRecorded
        var random = SeededGenerator(seed: seed)
        self.bounds = .drawnForHooks(using: &random)
        self.configuration = .drawnForHooks(using: &random)
        self.core = SupervisorCore(configuration: self.configuration, bounds: self.bounds, seed: random.next())
        self.random = random
    }

    /// Runs `count` random events, then a drain, to the end.
    public mutating func run(events count: Int) throws(Violation) {
        self.post(.start)
        while self.events < count, self.violation == nil { self.step() }
        if self.violation == nil { self.stop() }
        if let violation = self.violation {
            throw Violation(description: "seed \(self.seed), event \(self.events): \(violation)")
        }
    }

    mutating func mark(_ name: String) { self.marks[name, default: 0] += 1 }

    mutating func fail(_ reason: String) {
        if self.violation == nil { self.violation = reason }
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self.random) < percent }

    // MARK: Time

    private mutating func step() {
        self.passTime(.milliseconds(self.chance(96) ? Int.random(in: 0...4, using: &self.random) : 400))
        switch Int.random(in: 0..<100, using: &self.random) {
        case 0..<25: self.clientActs()
        case 25..<75: self.hookActs()
        case 75..<88: self.slotActs()
        default: self.acknowledge()
        }
    }

    private mutating func passTime(_ duration: Duration) {
        let end = self.now + duration
        while let due = self.timer, due <= end, self.exitCode == nil, self.violation == nil {
            self.now = max(self.now, due)
            self.timer = nil
            self.post(.timer)
        }
        self.now = end
        self.checkTimeouts()
    }

    private mutating func stop() {
        self.isDraining = true
        self.post(.drain)
        for turn in 0..<20_000 where self.exitCode == nil && self.violation == nil {
            self.passTime(.milliseconds(5))
            self.acknowledge()
            self.slotActs()
            if turn > 100 || self.chance(50) { for _ in 0..<4 { self.hookBehaves() } }
        }
        guard self.violation == nil else { return }
        if self.exitCode != 0 { return self.fail("the drain does not end: \(self.core.footprint)") }
        if !self.wishes.isEmpty { self.fail("\(self.wishes.count) requests had no last frame") }
        if let (request, _) = self.onRecord.first(where: { !$0.value.hasEnded }) { self.fail("\(request) never ended") }
        if self.hooks.values.contains(where: \.isAlive) { self.fail("a hook outlives the daemon") }
        self.mark("drained")
    }

    // MARK: Events and actions

    mutating func post(_ event: Event) {
        guard self.exitCode == nil else { return }
        self.events += 1
        let wall = 1_700_000_000_000 + Int(self.now.nanoseconds / 1_000_000)
        let actions = self.core.handle(event, at: Now(instant: self.now, wallMilliseconds: wall))
        if self.isRecorded { self.transcript += actions }
        for action in actions { self.perform(action) }
        while !self.followUps.isEmpty, self.violation == nil { self.post(self.followUps.removeFirst()) }
        if self.exitCode == nil { self.checkBooks() }
    }

    mutating func follow(_ event: Event) { self.followUps.append(event) }

    private mutating func perform(_ action: Action) {
        switch action {
        case .send(let id, let payload): self.clientReceives(id, payload)
        case .closeClient(let id), .dropClient(let id):
            self.connections.remove(id)
            self.follow(.clientClosed(id))
        case .startWorker(let id, let provider, let slots):
            self.workers.insert(id)
            self.follow(.workerStarted(id, pid: 1))
            let hello = WorkerHello(provider: provider, slots: slots, models: [])
            self.follow(.workerReport(id, WorkerReport.hello(hello).encoded))
        case .sendWorker(let id, let payload):
            if case .ping(let number)? = try? WorkerControl(decoding: payload) {
                self.follow(.workerReport(id, WorkerReport.pong(number: number).encoded))
            }
        case .sendSlot(let slot, let payload, let reports): self.slotReceives(slot, payload, reports)
        case .closeWorker(let id), .killWorker(let id):
            self.busy.removeAll { $0.slot.worker == id }
            if self.workers.remove(id) != nil { self.follow(.workerExited(id, .exited(code: 0))) }
        case .startLogger:
            let ready = LoggerReply.ready(protocolVersion: ProtocolVersion.current, version: "x", acknowledged: 0)
            self.follow(.loggerStarted(pid: 2))
            self.follow(.loggerReply(ready.encoded))
        case .sendLogger(let payload): self.loggerReceives(payload)
        case .closeLogger, .killLogger:
            if !self.isLoggerGone { self.follow(.loggerExited(.exited(code: 0))) }
            self.isLoggerGone = true
        case .startHook(let id, let name, _): self.hookIsStarted(id, name)
        case .sendHook(let id, let payload): self.hookReceives(id, payload)
        case .closeHook(let id): self.hookIsClosed(id)
        case .killHook(let id): self.hookIsKilled(id)
        case .setTimer(let instant): self.timer = instant
        case .exit(let code): self.exitCode = code
        default: break
        }
    }

    // MARK: Those that behave

    private mutating func slotReceives(_ slot: SlotID, _ payload: [UInt8], _ reports: Bool) {
        if reports { self.follow(.slotWritten(slot)) }
        switch try? SlotRequest(decoding: payload) {
        case .prompt: self.busy.append((slot, false))
        case .embed: self.busy.append((slot, true))
        case .cancel(let request):
            guard self.busy.contains(where: { $0.slot == slot }) else { return }
            self.busy.removeAll { $0.slot == slot }
            let failure = Failure(.cancelled, "\(request) is cancelled")
            self.follow(.slotEvent(slot, SlotEvent.error(failure, usage: nil).encoded))
        case .listModels, nil: self.fail("a slot cannot read its request")
        }
    }

    private mutating func slotActs() {
        guard let (slot, isEmbedding) = self.busy.first else { return }
        self.busy.removeFirst()
        let event =
            isEmbedding || self.chance(20)
            ? SlotEvent.error(Failure(.providerError, "tired"), usage: nil)
            : SlotEvent.done(
                SlotCompletion(usage: Usage(input: 1, output: 1), finishReason: "stop", providerRequestID: nil))
        self.post(.slotEvent(slot, event.encoded))
    }

    private mutating func loggerReceives(_ payload: [UInt8]) {
        guard case .record(let sequence, let record)? = try? LoggerCommand(decoding: payload) else { return }
        self.unacknowledged = sequence
        switch record {
        case .open(let record): self.isOpened(record)
        case .end(let record):
            if self.onRecord[record.request]?.hasEnded ?? true { self.fail("a request ends twice, or never began") }
            self.onRecord[record.request]?.hasEnded = true
        case .output, .attempt: break
        }
    }

    private mutating func acknowledge() {
        guard self.unacknowledged > self.acknowledged, !self.isLoggerGone else { return }
        self.acknowledged = self.unacknowledged
        self.post(.loggerReply(LoggerReply.acknowledged(sequence: self.acknowledged).encoded))
    }

    // MARK: Clients

    private mutating func clientActs() {
        guard self.connections.count > 1 || self.connections.count == 1 && self.chance(70) else {
            self.lastConnection += 1
            let id = ConnectionID(self.lastConnection)
            self.connections.insert(id)
            return self.post(.clientConnected(id, PeerCredentials(uid: 1000, gid: 1000, pid: 1)))
        }
        let id = self.connections.sorted { $0.rawValue < $1.rawValue }.randomElement(using: &self.random)!
        self.lastID += 1
        switch Int.random(in: 0..<100, using: &self.random) {
        case 0..<1:
            let waiting = self.wishes.values.contains { $0.connection == id && !$0.isAdmitted }
            self.mark(waiting ? "client left while hooks were asked" : "client left")
            self.wishes = self.wishes.filter { $0.value.connection != id }
            self.connections.remove(id)
            self.post(.clientClosed(id))
        case 1..<10:
            let own = self.wishes.filter { $0.value.connection == id }.keys.sorted()
            guard let name = own.randomElement(using: &self.random), let wish = self.wishes[name] else { return }
            self.wishes[name]!.wasCancelled = true
            self.post(
                .clientFrame(id, ClientRequest(id: .number(self.lastID), operation: .cancel(target: wish.id)).encoded))
        default: self.clientAsks(id, .number(self.lastID))
        }
    }

    private mutating func clientAsks(_ connection: ConnectionID, _ id: RequestIdentifier) {
        let name = "\(connection.rawValue)-\(self.lastID)"
        let model = [nil, nil, "m0", "m1"].randomElement(using: &self.random)!
        let kind = [Wish.Kind.prompt, .prompt, .chain, .embed].randomElement(using: &self.random)!
        let timeout = self.chance(10) ? Int.random(in: 1...800, using: &self.random) : nil
        self.wishes[name] = Wish(
            connection: connection, id: id, kind: kind, model: model, arrivedAt: self.now,
            timeout: timeout.map { .milliseconds($0) })
        let length = self.chance(85) ? 10 : Int.random(in: 100...2000, using: &self.random)
        let text = String(repeating: "x", count: length)
        var prompt = PromptRequest(prompt: text, model: model, stream: self.chance(50))
        prompt.mandate.actor = name
        prompt.timeoutMilliseconds = timeout
        let operation: ClientRequest.Operation
        switch kind {
        case .prompt: operation = .prompt(prompt)
        case .chain: operation = .chain(ChainRequest(prompt))
        case .embed:
            var embed = EmbedRequest([text], model: model)
            embed.mandate.actor = name
            embed.timeoutMilliseconds = timeout
            operation = .embed(embed)
        }
        self.post(.clientFrame(connection, ClientRequest(id: id, operation: operation).encoded))
    }

    private mutating func clientReceives(_ connection: ConnectionID, _ payload: [UInt8]) {
        guard self.connections.contains(connection) else { return self.fail("a frame for a client that is gone") }
        guard let event = try? ClientEvent(decoding: payload), let id = event.id else {
            return self.fail("a client cannot read: \(String(decoding: payload.prefix(200), as: UTF8.self))")
        }
        guard event.isLast else { return }
        guard let name = self.wishes.first(where: { $0.value.connection == connection && $0.value.id == id })?.key
        else {
            // A cancel is answered too; nothing else.
            if self.answered.contains("\(connection.rawValue) \(id)") { self.fail("a second last frame of \(id)") }
            return
        }
        self.answered.insert("\(connection.rawValue) \(id)")
        let wish = self.wishes.removeValue(forKey: name)!
        switch event.event {
        case .error(let failure, _, _): self.wishFailed(name, wish, failure)
        default:
            if !wish.isAdmitted { self.fail("\(name) was answered and is not on record") }
            self.mark("answered")
        }
    }
}
