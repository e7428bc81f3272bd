import Messages

/// The reader process, and what it is asked: one question after the other, histories first.
///
///     off ──question──▶ starting ──ready──▶ ready ──nobody asks, drain──▶ stopping ──exit──▶ off
///      ▲                   │  │               │  │
///      │ back-off          │  └─ late, hung, lies ─▶ dying
///      │                   │ exit          exit│       │ exit
///      └── waiting ◀───────┴──────────────────┴───────┘
struct ReaderProcess: Sendable {
    enum State: Sendable, Equatable {
        /// There is none, and nobody asks.
        case off
        /// A process was started and has not opened the file.
        case starting
        case ready
        /// It was killed; its exit is all that may still come.
        case dying
        /// The process died; the next one may start then.
        case waiting(until: Instant)
        /// Its channel is closed; it ends.
        case stopping
    }

    /// Which budget the answer to a question comes out of.
    enum Kind: Sendable { case history, page }

    /// Room for the answer to the next question.
    struct Reservation: Sendable {
        let kind: Kind
        var isGranted: Bool
    }

    var state = State.off
    var pid: Int?
    var restarts = 0
    /// Deaths since the last answer.
    private var failures = 0
    /// Starts since a process was last ready.
    private(set) var failedStarts = 0
    var deadline: Instant?

    /// What was asked and is not answered.
    private var questions: [RequestNumber: ReaderQuery] = [:]
    private var histories = RequestQueue()
    private(set) var lookups = RequestQueue()
    /// The question that the process works on. It may be forgotten: then its answer is not needed any more.
    var asked: RequestNumber?
    /// The question over which a process died last.
    private var suspect: RequestNumber?
    var reservation: Reservation?
    /// Whether each of ``lookups`` is of a client that takes no output, so that none of them need be looked at.
    var isHeldUp = false

    var questionCount: Int { self.questions.count }

    /// The oldest question for a history.
    var firstHistory: RequestNumber? {
        mutating get { self.histories.first }
    }

    subscript(number: RequestNumber) -> ReaderQuery? { self.questions[number] }

    mutating func ask(_ number: RequestNumber, _ query: ReaderQuery) {
        self.questions[number] = query
        switch query.question {
        case .history: self.histories.append(number)
        case .logs, .requests:
            self.lookups.append(number)
            self.isHeldUp = false
        }
    }

    /// Nobody waits for the answer any more, or it is there.
    mutating func forget(_ number: RequestNumber) {
        self.questions[number] = nil
        self.histories.remove(number)
        self.lookups.remove(number)
    }

    mutating func started() {
        self.state = .starting
        self.failedStarts += 1
    }

    mutating func becameReady() {
        self.state = .ready
        self.failedStarts = 0
    }

    /// The process has answered.
    mutating func answered() {
        self.asked = nil
        self.suspect = nil
        self.failures = 0
    }

    /// The process ended, and nobody had told it to. Returns the question that is not worth another try, if this was the second
    /// death over it.
    mutating func died(at now: Instant) -> RequestNumber? {
        self.failures += 1
        self.restarts += 1
        let until = now + min(.milliseconds(100) * (1 << min(self.failures - 1, 8)), .seconds(5))
        self.state = .waiting(until: until)
        self.pid = nil
        guard let asked = self.asked else { return nil }
        self.asked = nil
        defer { self.suspect = asked }
        return self.suspect == asked ? asked : nil
    }

    /// Everybody who waits.
    var waiting: [RequestNumber] { self.questions.keys.sorted { $0.rawValue < $1.rawValue } }
}

/// A client's question about the record.
struct Lookup: Sendable {
    enum Kind: Sendable { case logs, requests }

    let clientID: RequestIdentifier
    let connection: ConnectionID
    let kind: Kind
    let deadline: Instant
}
