import Messages

/// One worker process.
///
///     starting ──hello──▶ ready ──a slot hangs──▶ retiring
///         │                 │                        │ its other slots are done
///         └── too late ─────┴── kill ────────────────┴──▶ dying ──exit──▶ (gone)
///
/// Any state ends with the exit of the process.
struct Worker: Sendable {
    enum State: Sendable, Equatable {
        /// The process was started and has not said hello.
        case starting
        /// It takes requests.
        case ready
        /// It takes no more requests; those it has may end.
        case retiring
        /// It was told to end, or killed. It has no requests any more.
        case dying
    }

    enum SlotState: Sendable, Equatable {
        case idle
        case busy(RequestNumber)
        /// It was asked for its provider's models.
        case listing(RequestNumber)
        /// It ignored a cancel. Only the end of the process frees it.
        case hung
    }

    struct Slot: Sendable {
        var state = SlotState.idle
        /// Not read because its client is slow.
        var isPausedForClient = false
        /// Not read because memory is short.
        var isPausedForMemory = false
        /// Not read because what was read before is not on record yet.
        var isPausedForLog = false
        var isPaused: Bool { self.isPausedForClient || self.isPausedForMemory || self.isPausedForLog }
    }

    let id: WorkerID
    let provider: Int
    let startedAt: Instant
    private(set) var state = State.starting
    var pid: Int?
    /// Why it was killed, if it was.
    var verdict: String?
    var slots: [Slot]
    /// The idle slots; the one used last is used next, for its connection is warm.
    private var idle: [Int]

    private var deadlineForHello: Instant?
    private var nextPing: Instant?
    private var deadlineForPong: Instant?
    private var deadlineForExit: Instant?
    private var pings = 0

    init(id: WorkerID, provider: Int, slots: Int, at now: Instant, bounds: SupervisorBounds) {
        self.id = id
        self.provider = provider
        self.startedAt = now
        self.slots = Array(repeating: Slot(), count: slots)
        self.idle = Array((0..<slots).reversed())
        self.deadlineForHello = now + bounds.workerStartTimeout
    }

    /// What a slot does; `nil` once the process is to end, for what it still says counts no more.
    func stateUnlessDying(of slot: Int) -> SlotState? { self.state == .dying ? nil : self.slots[slot].state }

    var busySlots: Int { self.slots.count { if case .busy = $0.state { true } else { false } } }

    var requests: [RequestNumber] {
        self.slots.compactMap { if case .busy(let request) = $0.state { request } else { nil } }
    }

    var deadline: Instant? {
        [self.deadlineForHello, self.nextPing, self.deadlineForPong, self.deadlineForExit].compactMap { $0 }.min()
    }

    enum Expiry: Equatable {
        case none
        case ping(number: Int)
        case noHello
        case noPong
        case noExit
    }

    mutating func expiry(at now: Instant, bounds: SupervisorBounds) -> Expiry {
        if let deadline = self.deadlineForExit, deadline <= now {
            self.deadlineForExit = nil
            return .noExit
        }
        if let deadline = self.deadlineForHello, deadline <= now { return .noHello }
        if let deadline = self.deadlineForPong, deadline <= now { return .noPong }
        guard let next = self.nextPing, next <= now else { return .none }
        self.pings += 1
        self.nextPing = nil
        self.deadlineForPong = now + bounds.pongTimeout
        return .ping(number: self.pings)
    }

    // MARK: Events

    /// The process is ready. Returns `false` if it had said so before.
    mutating func saidHello(at now: Instant, bounds: SupervisorBounds) -> Bool {
        guard self.state == .starting else { return self.state == .dying }
        self.state = .ready
        self.deadlineForHello = nil
        self.nextPing = now + bounds.pingInterval
        return true
    }

    /// The process answered a ping. Returns `false` if nobody had asked.
    mutating func saidPong(number: Int, at now: Instant, bounds: SupervisorBounds) -> Bool {
        guard self.deadlineForPong != nil, number == self.pings else { return self.state == .dying }
        self.deadlineForPong = nil
        self.nextPing = now + bounds.pingInterval
        return true
    }

    /// Takes an idle slot for `request`, if this process takes requests and has one.
    mutating func takeSlot(for request: RequestNumber) -> Int? {
        guard self.state == .ready, let index = self.idle.popLast() else { return nil }
        self.slots[index].state = .busy(request)
        return index
    }

    /// Takes an idle slot for a question for the provider's models, on the same terms.
    mutating func takeSlot(forListing listing: RequestNumber) -> Int? {
        guard self.state == .ready, let index = self.idle.popLast() else { return nil }
        self.slots[index].state = .listing(listing)
        return index
    }

    /// The slot's request is over.
    mutating func releaseSlot(_ index: Int) {
        self.slots[index] = Slot()
        self.idle.append(index)
    }

    mutating func slotHung(_ index: Int) {
        self.slots[index] = Slot(state: .hung)
        if self.state == .ready { self.state = .retiring }
    }

    /// It is to end. All its requests have ended.
    ///
    /// - Parameter timeout: How long it may take to end by itself; `nil` if it is being killed.
    mutating func dismissed(at now: Instant, timeout: Duration?) {
        self.state = .dying
        self.deadlineForHello = nil
        self.nextPing = nil
        self.deadlineForPong = nil
        self.deadlineForExit = timeout.map { now + $0 }
        for index in self.slots.indices { self.slots[index] = Slot() }
    }
}
