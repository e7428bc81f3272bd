import Messages

/// One prompt, from its admission until its last frame has left.
///
///     recording ──row on disk──▶ queued ──slot free──▶ running ──last event──▶ ending ──row on disk──▶ (gone)
///         │                        │                     │ cancel, deadline        ▲
///         │                        │                     ▼                         │
///         └────────────────────────┴───────────────▶ cancelling ──slot lets go─────┘
///                     (these two end at once)
///
/// Under `durability: relaxed` it begins in queued, and there is no ending unless the logger is far behind.
struct Request: Sendable {
    enum State: Sendable {
        /// Its row is on its way to the disk.
        case recording(sequence: Int)
        /// It waits for a slot.
        case queued
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
    let provider: Int
    let model: String
    /// The thread that it is on record in; `nil` where prompts are not stored.
    let conversation: String?
    /// Which round of a chain it is; `nil` for a prompt.
    let round: ChainRound?
    let isStreamed: Bool
    let admittedAt: Instant
    var state: State
    /// The frame for the slot, until it is dispatched.
    var frame: [UInt8]

    /// What its slot has said and is not on record yet.
    var output = OutputBuffer()

    /// By when it must be over; `nil` once it is.
    private var totalDeadline: Instant?
    /// Which timeout `totalDeadline` comes from, for the message.
    private let totalTimeoutName: String
    /// By when the slot must say something; `nil` while nothing is expected or the slot is not read.
    private var progressDeadline: Instant?
    private var letGoDeadline: Instant?
    private(set) var hasOutput = false

    init(
        ulid: ULID, clientID: RequestIdentifier, connection: ConnectionID, provider: Int, model: String,
        prompt: PromptRequest, conversation: String?, round: ChainRound?, timeouts: ProviderSettings.Timeouts,
        frame: [UInt8],
        receivedAt: Instant, at now: Instant
    ) {
        self.ulid = ulid
        self.clientID = clientID
        self.connection = connection
        self.provider = provider
        self.model = model
        self.conversation = conversation
        self.round = round
        self.isStreamed = prompt.stream
        self.admittedAt = now
        self.state = .queued
        self.frame = frame
        let total = now + .milliseconds(timeouts.total)
        if let timeout = prompt.timeoutMilliseconds, receivedAt + .milliseconds(timeout) < total {
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
        return self.progressDeadline.map { min($0, total) } ?? total
    }

    enum Expiry: Equatable {
        case none
        /// The request took too long.
        case timedOut(String)
        /// The slot did not let go of it.
        case slotHung
    }

    func expiry(at now: Instant) -> Expiry {
        if let letGo = self.letGoDeadline { return letGo <= now ? .slotHung : .none }
        if let total = self.totalDeadline, total <= now { return .timedOut("\(self.totalTimeoutName) has passed") }
        if let progress = self.progressDeadline, progress <= now {
            return .timedOut(
                self.hasOutput
                    ? "the model fell silent: the provider's idle timeout has passed"
                    : "the model said nothing: the provider's first_output timeout has passed")
        }
        return .none
    }

    // MARK: Events

    mutating func dispatched(to slot: SlotID, timeouts: ProviderSettings.Timeouts, at now: Instant) {
        self.state = .running(slot)
        self.frame = []
        self.progressDeadline = now + .milliseconds(timeouts.firstOutput)
    }

    /// - Parameter isPaused: Whether the slot is not read: what still comes was on its way, and no deadline runs.
    mutating func outputArrived(isPaused: Bool, timeouts: ProviderSettings.Timeouts, at now: Instant) {
        self.hasOutput = true
        if !isPaused { self.progressDeadline = now + .milliseconds(timeouts.idle) }
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
