import Messages
import SupervisorCore

/// A prompt as the world sees it: what was asked, what became of it, and what its client was told.
struct SimulatedPrompt {
    struct Key: Hashable {
        var connection: ConnectionID
        var id: Int64
        /// Of a chain, from 1; 0 for a prompt, and for the chain itself.
        var round = 0

        /// What the prompt begins with, so that a slot knows whose it is.
        var text: String { "\(self.connection.rawValue)/\(self.id)\(self.round > 0 ? "/\(self.round)" : "")" }

        /// The chain that it is a round of.
        var chain: Key { self.round(0) }
        func round(_ number: Int) -> Key { Key(connection: self.connection, id: self.id, round: number) }

        init(connection: ConnectionID, id: Int64, round: Int = 0) {
            self.connection = connection
            self.id = id
            self.round = round
        }

        init?(_ text: some StringProtocol) {
            let parts = text.prefix { $0 != " " }.split(separator: "/")
            guard 2...3 ~= parts.count, let connection = UInt64(parts[0]), let id = Int64(parts[1]) else { return nil }
            self.init(connection: ConnectionID(connection), id: id, round: parts.count > 2 ? Int(parts[2]) ?? 0 : 0)
        }

        /// Whose request it is: the prompt says so, or the calls that it answers, which name the round before.
        init?(_ request: ModelRequest) {
            if let key = Key(request.prompt) {
                self = key
            } else if let call = request.toolResults.first?.toolCallID?.split(separator: ":").last, let key = Key(call)
            {
                self = key.round(key.round + 1)
            } else {
                return nil
            }
        }
    }

    /// The slot was told to let go.
    struct Cut {
        let at: Instant
        /// How long the slot had said nothing while it was read, at that instant.
        let silence: Duration
        let wasRead: Bool
        /// How much it had said.
        let spoken: Int
    }

    /// How the slot ended it.
    enum SlotEnd { case done, error(ErrorCode) }

    /// The model that it asks for, and what its slot was asked.
    var askedModel = ""
    var asked: [ModelMessage] = []
    /// The models that could not be asked, as the logger was told.
    var passed: [String] = []
    /// It went to a model of which the world does not know yet.
    var isElsewhere = false
    /// When its last attempt failed, how long the provider asked to wait, and by when it must be tried again, if it is.
    var failedAt = Instant(nanoseconds: 0)
    var retryAfter: Duration?
    var latestRetry: Instant?

    let arrivedAt: Instant
    /// What it is admitted under: the place in the list of configurations.
    var configuration = 0
    let isStreamed: Bool
    let system: String?
    /// The model that it names, and the one that it is served by, once that is known.
    let namedModel: String?
    var model: String
    var provider: Int
    /// How many texts it wants the vectors of; `nil` for a prompt.
    var embeddings: Int?
    /// The conversation that it continues; what the reader said of that.
    let conversation: String?
    var history: SimulatedHistory?
    /// Whether it was admitted, unless it is refused in the event in hand; its place in the order of admission.
    var isAdmitted = false
    var order = 0
    /// How long its client will wait, from its arrival; how long it may take, from its admission.
    let timeout: Duration?
    var total = Duration.zero
    var admittedAt = Instant(nanoseconds: 0)
    /// Its name on record, once the logger was told.
    var name: String?
    /// Whether its opening is known to be on disk.
    var isCommitted = false
    var slot: SlotID?
    /// When the slot was given it, spoke, or was read again.
    var lastHeard = Instant(nanoseconds: 0)
    /// Pieces that the slot said, and that the client got.
    var spoken = 0
    var received = 0
    /// The bytes of events that the slot said, the last one included.
    var spokenBytes = 0
    /// Of a round: what the slot said.
    var said: [SlotEvent] = []
    var cut: Cut?
    var slotEnd: SlotEnd?
    /// Whether its last attempt failed and it has not ended, as far as the logger was told.
    var isBetweenAttempts: Bool {
        if case .error? = self.slotEnd { self.isOver && self.end == nil && self.cut == nil } else { false }
    }
    /// Its slot has let go of it, or its worker is gone.
    var isOver = false
    /// A cancel was confirmed while a slot ran it, or before.
    var wasCancelled = false
    var mustEndCancelled = false
    /// Its client is gone.
    var isAbandoned = false
    /// Whether its purpose says that it goes on then; whose it is, if it does; whether there may have been no room for that.
    var finishes = false
    var finishingUser: Int?
    var mayBeCancelled = false
    var isFinishing: Bool { self.finishingUser != nil }
    var end: EndRecord.State?

    /// Whether so much was said that it may not be recorded. On record events are joined, and calls grow a little.
    func isTooLong(_ bound: Int) -> Bool {
        let isEnded = if case .done? = self.slotEnd { true } else { false }
        return 2 * self.spokenBytes > bound && (self.isStreamed ? self.cut != nil : isEnded)
    }
}

extension Simulation {
    /// Whether the present configuration has the provider of a worker.
    func isPresent(_ worker: SimulatedWorker) -> Bool {
        self.configuration.providers.contains { $0.stamp == worker.stamp }
    }

    func timeouts(of prompt: SimulatedPrompt) -> ProviderSettings.Timeouts {
        self.settings(of: prompt.provider, for: prompt)?.timeouts ?? ProviderSettings.Timeouts()
    }

    /// The names of requests come to light in the order of their admission.
    mutating func recordOpened(_ record: OpenRecord, sequence: Int) {
        let name = record.request.description
        guard self.names[name] == nil else { return }
        guard self.openings.count < self.admitted.count else {
            return self.fail("a request that nobody made is on record")
        }
        let key = self.admitted[self.openings.count]
        self.openings.append((sequence, key))
        if record.mandate.group?.description != self.memberships[key.chain] {
            self.fail("the row of request \(name) is of another group")
        }
        self.names[name] = key
        guard let prompt = self.prompts[key] else { return }
        self.prompts[key]!.name = name
        if record.model != prompt.askedModel || record.stream != prompt.isStreamed
            || record.provider != self.providerName(of: prompt.askedModel)
        {
            self.fail("the row of request \(name) is not of what was asked")
        }
        let chain = key.round > 0 ? self.chains[key.chain] : nil
        if let chain, record.chain?.description != chain.names.first ?? name {
            self.fail("a round is of another chain")
        }
        if key.round == 0, record.chain != nil { self.fail("a prompt is on record as a round") }
        if let chain, self.configuration.storesPrompts,
            record.content?.follows?.description != (key.round > 1 ? chain.names[key.round - 2] : nil)
        {
            self.fail("round \(key.text) follows another on record")
        }
        self.checkContent(of: record, prompt)
    }

    private mutating func checkContent(of record: OpenRecord, _ prompt: SimulatedPrompt) {
        if (record.operation == .embed) != (prompt.embeddings != nil) { self.fail("a row is of another operation") }
        guard self.configuration.storesPrompts, prompt.embeddings == nil else {
            if record.content != nil { self.fail("a prompt went to the logger that is not to be stored") }
            return
        }
        guard let content = record.content else { return self.fail("a prompt did not go to the logger") }
        if content.conversation != prompt.conversation ?? record.request.description {
            self.fail("a prompt went to the logger under another conversation")
        }
        if content.parent != prompt.history?.tip { self.fail("a prompt went to the logger behind another message") }
        if content.system != (prompt.history?.tip == nil ? prompt.system.map { Array("\"\($0)\"".utf8) } : nil) {
            self.fail("a prompt went to the logger with another system prompt")
        }
        if content.length > self.bounds.smallFrame { self.mark("large prompt on record") }
    }

    mutating func recordContinued(_ record: OutputRecord) {
        self.mark("output sent in pieces")
        if !self.configuration.storesPrompts { self.fail("output went to the logger that is not to be stored") }
    }

    mutating func recordEnded(_ record: EndRecord) {
        let name = record.request.description
        guard let key = self.names[name] else { return self.fail("request \(name) ends before it is opened") }
        if record.output != nil, !self.configuration.storesPrompts {
            self.fail("an answer went to the logger that is not to be stored")
        }
        guard let prompt = self.prompts[key], prompt.end == nil else { return }
        self.prompts[key]!.end = record.state
        let bound = prompt.total + .milliseconds(self.timeouts(of: prompt).cancel + 1)
        if .milliseconds(record.durationMilliseconds) > bound {
            self.fail("request \(name) took \(record.durationMilliseconds) ms")
        }
        if record.state == .done, case .done? = prompt.slotEnd {
        } else if record.state == .done {
            self.fail("the row of request \(name) says done, its slot did not")
        }
        if prompt.isFinishing { self.checkFinish(record, of: key, prompt) }
        if prompt.isAbandoned { self.prompts[key] = nil }
    }

    /// Everything up to this sequence number is known to be on disk.
    mutating func openingsAreCommitted(upTo sequence: Int) {
        self.logger.told = sequence
        while self.committedOpenings < self.openings.count, self.openings[self.committedOpenings].sequence <= sequence {
            self.prompts[self.openings[self.committedOpenings].key]?.isCommitted = true
            self.committedOpenings += 1
        }
    }

    mutating func promptIsDispatched(_ request: ModelRequest, to slot: SlotID, of worker: SimulatedWorker) {
        let name = request.request.description
        guard let key = SimulatedPrompt.Key(request), let before = self.prompts[key] else {
            return self.fail("request \(name) was dispatched, and nobody waits for it")
        }
        self.attemptBegins(key, request.model)
        let prompt = self.prompts[key]!
        if prompt.isAbandoned, !prompt.isFinishing {
            self.fail("request \(name) was dispatched for a client that is gone")
        }
        if prompt.wasCancelled { self.fail("request \(name) was dispatched after it was cancelled") }
        if request.stream != prompt.isStreamed || worker.provider != self.providerName(of: request.model) {
            self.fail("request \(name) is not what was asked for")
        }
        guard let settings = self.settings(of: prompt.provider, for: prompt), settings.stamp == worker.stamp else {
            return self.fail("request \(name) went to a provider that its configuration has not")
        }
        // One that was admitted before its key changed may have the old one.
        let keys = prompt.model.hasPrefix("k") ? self.keys[settings.stamp] : nil
        if request.key.map({ !(keys?.contains($0) ?? false) }) ?? (keys != nil) {
            self.fail("a key went where it should not, or did not go")
        }
        if !self.isPresent(worker) { self.mark("dispatched to a retired provider") }
        if key.round <= 1, request.toolResults.isEmpty { self.checkHistory(of: request, prompt) }
        if key.round > 0, before.slot == nil, !prompt.isFinishing { self.checkRound(request, key) }
        if before.slot != nil, request.conversation != before.asked {
            self.fail("request \(name) asks another thing now")
        }
        self.prompts[key]!.asked = request.conversation
        if self.rules(of: prompt).durability == .commit, self.disk.rows[name] == nil {
            self.fail("request \(name) was dispatched before its row was on disk")
        }
        // Those that come back, or from another model, stand behind those that were there.
        if before.slot == nil, request.model == prompt.askedModel {
            // One whose row must be on disk is passed by those that need not wait for theirs.
            let isFair = Set(self.configurations.map(\.durability)).count == 1
            if isFair, prompt.order < self.lastDispatched[settings.stamp, default: 0] {
                self.fail("request \(name) overtook another")
            }
            self.lastDispatched[settings.stamp] = prompt.order
        }
        self.prompts[key]!.slot = slot
        self.prompts[key]!.lastHeard = self.now
    }

    /// Its worker is gone, or its slot has let go.
    mutating func promptIsOver(_ key: SimulatedPrompt.Key?) {
        if let key { self.prompts[key]?.isOver = true }
    }

    mutating func promptsAreAbandoned(of id: ConnectionID) {
        self.groupsAreAbandoned(of: id)
        self.promptsGoOn(withoutClient: id)
        for (key, prompt) in self.prompts where key.connection == id {
            if !prompt.isAdmitted { self.leavesLine(key) }
            if self.isLogHeard, prompt.isBetweenAttempts { self.mark("client left between attempts") }
            if prompt.end != nil || !prompt.isAdmitted {
                self.prompts[key] = nil
            } else {
                self.prompts[key]!.isAbandoned = true
            }
        }
        self.chains = self.chains.filter { $0.key.connection != id }
        self.lookups = self.lookups.filter { $0.key.connection != id }
    }
}
