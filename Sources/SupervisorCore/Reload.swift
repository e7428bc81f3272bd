import Messages

/// The wish that the configuration be read anew: who has it, and the process that reads.
///
///     idle ──asked──▶ reading ──its end──▶ idle; reading again, where somebody asked meanwhile
///                        │ too late           ▲
///                        └──▶ abandoned ──────┘ its end
///
/// Who asks while it is being read is answered by the next reading: what was changed before the question might not be in this one.
struct Reload: Sendable {
    enum State: Sendable, Equatable {
        case idle
        case reading
        /// It took too long, and its process is being killed.
        case abandoned
    }

    /// Who wants to know what becomes of it.
    enum Asker: Sendable, Equatable {
        /// SIGHUP: the log tells.
        case signal
        case client(RequestNumber, id: RequestIdentifier, ConnectionID)
        /// Who has changed a secret: the answer to that waits.
        case secrets(RequestNumber)
    }

    /// What came of a reading.
    enum Outcome: Sendable, Equatable {
        case taken(ReloadReport)
        case refused(Failure, problems: [String])
    }

    var state = State.idle
    /// Those whom the reading at hand answers.
    private(set) var askers: [Asker] = []
    /// Those whom the next one answers.
    private(set) var next: [Asker] = []
    /// Whether the service manager was told of the reading at hand.
    var isAnnounced = false
    /// How many configurations were refused.
    var refusals = 0

    /// Who waits for an answer, in the order of their questions.
    var waiting: [Asker] { self.askers + self.next }

    mutating func add(_ asker: Asker) { self.next.append(asker) }

    /// A reading begins: all who asked before it are answered by it.
    mutating func begin() {
        self.state = .reading
        self.askers = self.next
        self.next = []
    }

    /// The askers that are answered now.
    mutating func takeAskers() -> [Asker] {
        defer { self.askers = [] }
        return self.askers
    }

    /// Nobody waits any more.
    mutating func forgetAll() { (self.askers, self.next) = ([], []) }

    /// A client does not wait any more. Returns who it was, if it did.
    mutating func forget(_ number: RequestNumber) -> Asker? {
        func isIt(_ asker: Asker) -> Bool { if case .client(number, _, _) = asker { true } else { false } }
        let asker = self.waiting.first(where: isIt)
        self.askers.removeAll(where: isIt)
        self.next.removeAll(where: isIt)
        return asker
    }
}
