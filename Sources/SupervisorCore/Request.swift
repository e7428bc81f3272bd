import Messages

/// One prompt, or one request for embeddings, from its admission until its last frame has left.
///
///     recording ──row on disk──▶ queued ──slot free──▶ running ──last event──▶ ending ──row on disk──▶ (gone)
///         │                       │  ▲ ▲                 │ │ │ cancel, deadline      ▲
///         │                       │  │ └──another model───┘ │ ▼                       │
///         │                       │  └──due── waiting ◀─────┘ cancelling ─slot lets go┤
///         └───────────────────────┴──────────────┴──────cancel, deadline──────────────┘
///
/// It is tried again, after a while or by another model, only where its slot has failed before it said anything, and the frame was
/// kept (``Attempts``). Under `durability: relaxed` it begins in queued, and there is no ending unless the logger is far behind.
struct Request: Sendable {
    enum State: Sendable {
        /// Its row is on its way to the disk.
        case recording(sequence: Int)
        /// It waits for a slot.
        case queued
        /// An attempt failed; the next one is due then. It holds no slot.
        case waiting(until: Instant)
        /// A slot runs it.
        case running(SlotID)
        /// A slot was told to let go of it. Whatever it still says, the request ends as `ending` says.
        case cancelling(SlotID, Ending)
        /// It is over, its last frame waits for its row.
        case ending(sequence: Int, lastFrame: [UInt8])
    }

    /// How a request will end that was cut short.
    struct Ending: Sendable, Equatable {
        var failure: Failure
        var state: EndRecord.State

        init(_ failure: Failure) {
            self.failure = failure
            self.state = Self.recordState(of: failure.code)
        }

        static func recordState(of code: ErrorCode) -> EndRecord.State {
            switch code {
            case .cancelled: .cancelled
            case .workerCrashed, .workerHung, .workerMisbehaved: .crashed
            default: .error
            }
        }
    }

    let ulid: ULID
    let clientID: RequestIdentifier
    /// Where the answer goes; `nil` once the client has gone.
    var connection: ConnectionID?
    /// Who is to answer it, or does: another one after a fallback.
    private(set) var provider: Int
    private(set) var model: String
    /// The thread that it is on record in; `nil` where prompts are not stored.
    let conversation: String?
    /// Which round of a chain it is; `nil` for a prompt.
    let round: ChainRound?
    let isStreamed: Bool
    /// Under what it was let in.
    let terms: Terms
    /// On whose behalf it is, as hooks are told; `nil` where there are none.
    var subject: HookQuestion.Subject?
    /// The options in `frame` that its client did not give: another model has others.
    var defaultedOptions: [String] = []
    /// How many texts it wants the vectors of; `nil` for a prompt.
    let embeddings: Int?
    let admittedAt: Instant
    var state: State
    /// The frame for the slot: until it is dispatched, or, where it may be tried again, until the slot says something.
    var frame: [UInt8]
    /// The name of the key in `frame`; `nil` where there is none.
    var keyName: String?
    /// What was tried, and what may be.
    var attempts = Attempts()
    /// When the present attempt began, on both clocks; `nil` while a slot has it not.
    var attemptBeganAt: Now?
    /// Whether the client is yet to be told who answers.
    var needsStart = true
    /// Whether its row is on disk before it runs, and before its last frame leaves.
    var isDurable = true
    /// Whether a large frame has not left for its slot.
    var isFrameOnItsWay = false

    /// What its slot has said and is not on record yet.
    var output = OutputBuffer()

    /// By when it must be over; `nil` once it is.
    private(set) var totalDeadline: Instant?
    /// Which timeout `totalDeadline` comes from, for the message.
    private let totalTimeoutName: String
    /// By when the slot must say something; `nil` while nothing is expected or the slot is not read.
    private var progressDeadline: Instant?
    private var letGoDeadline: Instant?
    private(set) var hasOutput = false

    init(
        ulid: ULID, clientID: RequestIdentifier, connection: ConnectionID, provider: Int, model: String,
        isStreamed: Bool, embeddings: Int? = nil, conversation: String?, round: ChainRound? = nil,
        timeouts: ProviderSettings.Timeouts, timeoutMilliseconds: Int?, frame: [UInt8], receivedAt: Instant,
        terms: Terms, at now: Instant
    ) {
        self.ulid = ulid
        self.clientID = clientID
        self.connection = connection
        self.provider = provider
        self.model = model
        self.conversation = conversation
        self.round = round
        self.isStreamed = isStreamed
        self.terms = terms
        self.embeddings = embeddings
        self.admittedAt = now
        self.state = .queued
        self.frame = frame
        let total = now + .milliseconds(timeouts.total)
        if let timeout = timeoutMilliseconds, receivedAt + .milliseconds(timeout) < total {
            self.totalTimeoutName = "timeout_ms, \(timeout) ms,"
            self.totalDeadline = receivedAt + .milliseconds(timeout)
        } else {
            self.totalTimeoutName = "the provider's total timeout of \(timeouts.total) ms"
            self.totalDeadline = total
        }
    }

    /// Whether it is of the conversation, and its end is not on its way to the record.
    func holds(_ conversation: String) -> Bool {
        if case .ending = self.state { false } else { self.conversation == conversation }
    }

    var deadline: Instant? {
        if let letGo = self.letGoDeadline { return letGo }
        guard let total = self.totalDeadline else { return nil }
        if case .waiting(let until) = self.state { return min(until, total) }
        return self.progressDeadline.map { min($0, total) } ?? total
    }

    enum Expiry: Equatable {
        case none
        /// The request took too long.
        case timedOut(String)
        /// Its next attempt is due.
        case due
        /// The slot did not let go of it.
        case slotHung
    }

    func expiry(at now: Instant) -> Expiry {
        if let letGo = self.letGoDeadline { return letGo <= now ? .slotHung : .none }
        if let total = self.totalDeadline, total <= now { return .timedOut("\(self.totalTimeoutName) has passed") }
        if case .waiting(let until) = self.state { return until <= now ? .due : .none }
        if let progress = self.progressDeadline, progress <= now {
            return .timedOut(
                self.hasOutput
                    ? "the model fell silent: the provider's idle timeout has passed"
                    : "the model said nothing: the provider's first_output timeout has passed")
        }
        return .none
    }

    // MARK: Events

    /// An attempt begins. The total timeout runs on; those of progress begin anew.
    mutating func dispatched(to slot: SlotID, timeouts: ProviderSettings.Timeouts, at now: Now) {
        self.state = .running(slot)
        self.attempts.begin()
        self.attemptBeganAt = now
        self.progressDeadline = now.instant + .milliseconds(timeouts.firstOutput)
    }

    /// The attempt failed; the same model is asked again then.
    mutating func waits(until instant: Instant) {
        self.state = .waiting(until: instant)
        self.progressDeadline = nil
        self.isFrameOnItsWay = false
    }

    /// Another model is asked.
    mutating func handedOn(to candidate: Attempts.Candidate, retries: Int, frame: [UInt8]) {
        self.provider = candidate.provider
        self.model = candidate.model.id
        self.attempts.handedOn(retries: retries)
        self.frame = frame
        self.progressDeadline = nil
        self.isFrameOnItsWay = false
        self.needsStart = true
    }

    /// Who is to hear of a piece of the answer.
    struct Listeners {
        /// Whether it is the first piece.
        let isFirst: Bool
        let connection: ConnectionID?
        let clientID: RequestIdentifier
        let hasChain: Bool
        let hasRecord: Bool
    }

    /// - Parameter isPaused: Whether the slot is not read: what still comes was on its way, and no deadline runs.
    /// - Returns: `nil` where the answer was asked for whole.
    mutating func outputArrived(isPaused: Bool, timeouts: ProviderSettings.Timeouts, at now: Instant) -> Listeners? {
        guard self.isStreamed else { return nil }
        let isFirst = !self.hasOutput
        self.hasOutput = true
        if !isPaused { self.progressDeadline = now + .milliseconds(timeouts.idle) }
        return Listeners(
            isFirst: isFirst, connection: self.connection, clientID: self.clientID, hasChain: self.round != nil,
            hasRecord: self.conversation != nil)
    }

    var isRunning: Bool { if case .running = self.state { true } else { false } }

    /// Work goes on that there is nothing to tell of yet: silence begins anew.
    mutating func progressed(isPaused: Bool, timeouts: ProviderSettings.Timeouts, at now: Instant) {
        if !isPaused { self.slotResumed(timeouts: timeouts, at: now) }
    }

    /// The slot is not read for a while: its silence is ours.
    mutating func slotPaused() { self.progressDeadline = nil }

    mutating func slotResumed(timeouts: ProviderSettings.Timeouts, at now: Instant) {
        self.progressDeadline = now + .milliseconds(self.hasOutput ? timeouts.idle : timeouts.firstOutput)
    }

    mutating func cancelled(_ slot: SlotID, _ ending: Ending, timeouts: ProviderSettings.Timeouts, at now: Instant) {
        self.state = .cancelling(slot, ending)
        self.letGoDeadline = now + .milliseconds(timeouts.cancel)
    }

    mutating func ended(lastFrame: [UInt8], sequence: Int) {
        self.state = .ending(sequence: sequence, lastFrame: lastFrame)
        self.frame = []
        self.totalDeadline = nil
        self.progressDeadline = nil
        self.letGoDeadline = nil
    }
}
