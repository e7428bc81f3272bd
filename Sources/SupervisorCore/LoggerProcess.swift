import Messages

/// The logger process, and who waits for what it commits.
///
///     starting ──ready──▶ ready ──exit──▶ waiting ──back-off──▶ starting
///                           ├─────▶ replacing ──exit──▶ waiting, for no time
///                           └─────▶ stopping ──exit──▶ gone
struct LoggerProcess: Sendable {
    enum State: Sendable, Equatable {
        /// A process was started and has not opened the file.
        case starting
        case ready
        /// The process died; the next one starts then.
        case waiting(until: Instant)
        /// Its channel is closed; it commits what it has, and ends, and another one is started.
        case replacing
        /// Its channel is closed; it commits what it has, and ends.
        case stopping
        case gone
    }

    var state = State.starting
    /// What the next process is started with.
    var durability: ServiceConfiguration.Durability
    var session: ULID?
    var pid: Int?
    var startedAt = Instant(nanoseconds: 0)
    var hasBeenReady = false
    var restarts = 0
    private var failures = 0

    /// Requests that wait for a sequence number to be on disk, in the order of the numbers.
    var waiting: ArraySlice<(sequence: Int, request: RequestNumber)> = []
    /// When the process is taken for hung, or the next one may be started.
    var deadline: Instant?

    init(durability: ServiceConfiguration.Durability) { self.durability = durability }

    var isReady: Bool { self.state == .ready }

    /// Takes the requests off the list that waited for numbers up to `sequence`.
    mutating func takeWaiting(upTo sequence: Int) -> ArraySlice<(sequence: Int, request: RequestNumber)> {
        let count = self.waiting.prefix { $0.sequence <= sequence }.count
        defer {
            self.waiting.removeFirst(count)
            if self.waiting.isEmpty || self.waiting.startIndex > 4096 { self.waiting = ArraySlice(Array(self.waiting)) }
        }
        return self.waiting.prefix(count)
    }

    /// The delay before the next process: doubling from 100 ms to 5 s, and never given up.
    mutating func died(at now: Instant) {
        if self.startedAt + .seconds(60) <= now { self.failures = 0 }
        self.failures += 1
        let until = now + min(.milliseconds(100) * (1 << min(self.failures - 1, 8)), .seconds(5))
        self.state = .waiting(until: until)
        self.deadline = until
        self.pid = nil
    }

    /// The process that was to make room for another has ended, which is started at once.
    mutating func replaced(at now: Instant) {
        self.state = .waiting(until: now)
        self.deadline = now
        self.pid = nil
    }
}
