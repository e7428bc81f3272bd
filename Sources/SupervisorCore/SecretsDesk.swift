import Messages

/// What administrators want done with the store of secrets, and the process that does it, one thing at a time.
///
///     idle ──errand──▶ working ──answer──▶ leaving ──exit──▶ idle
///                         │ exit before an answer              ▲
///                         ├────────────────────────────────────┤
///                         └──too late, nonsense──▶ dying ──exit┘
struct SecretsDesk: Sendable {
    enum State: Sendable, Equatable {
        /// There is no process.
        case idle
        /// A process was sent the errand.
        case working
        /// It has answered, and is about to end.
        case leaving
        /// It is being killed.
        case dying
    }

    /// One thing that one client wants done.
    struct Errand: Sendable {
        let number: RequestNumber
        let clientID: RequestIdentifier
        /// `nil` when nobody waits for the answer any more.
        var connection: ConnectionID?
        let action: SecretsAction
    }

    private(set) var state = State.idle
    /// The errand that a process is at, or that waits for what follows from it.
    private(set) var current: Errand?
    private var waiting: [Errand] = []
    /// What was done and is answered when the configuration was read anew.
    private var settling: [RequestNumber: (errand: Errand, answer: SecretsAnswer)] = [:]

    var waitingCount: Int { self.waiting.count }
    /// Whether nothing is being done and nothing waits.
    var isIdle: Bool { self.state == .idle && self.current == nil && self.waiting.isEmpty && self.settling.isEmpty }

    mutating func add(_ errand: Errand) { self.waiting.append(errand) }

    /// Takes the next errand to be done, if there is one and nothing is being done.
    mutating func next() -> Errand? {
        guard self.state == .idle, self.current == nil, !self.waiting.isEmpty else { return nil }
        let errand = self.waiting.removeFirst()
        self.current = errand
        self.state = .working
        return errand
    }

    /// The process has answered.
    mutating func answered() { self.state = .leaving }

    /// The process is being killed.
    mutating func killed() { self.state = .dying }

    /// The process is gone.
    mutating func ended() { self.state = .idle }

    /// The errand is over.
    mutating func finish() -> Errand? {
        defer { self.current = nil }
        return self.current
    }

    /// The errand is done, and its answer waits.
    mutating func settle(_ errand: Errand, _ answer: SecretsAnswer) { self.settling[errand.number] = (errand, answer) }

    /// The answer need wait no more.
    mutating func settled(_ number: RequestNumber) -> (errand: Errand, answer: SecretsAnswer)? {
        self.settling.removeValue(forKey: number)
    }

    /// Nobody waits for this errand any more: one that has begun is done to its end all the same.
    ///
    /// - Returns: The errand, if it is here and somebody waited for it.
    mutating func abandon(_ number: RequestNumber) -> Errand? {
        if let place = self.waiting.firstIndex(where: { $0.number == number }) { return self.waiting.remove(at: place) }
        if let errand = self.settling[number]?.errand {
            guard errand.connection != nil else { return nil }
            self.settling[number]!.errand.connection = nil
            return errand
        }
        guard self.current?.number == number, self.current?.connection != nil else { return nil }
        defer { self.current?.connection = nil }
        return self.current
    }

    /// Those that have not begun.
    var numbersThatWait: [RequestNumber] { self.waiting.map(\.number) }
}
