import Messages
import Policy

/// One client's connection.
///
///     silent ──first frame──▶ open ──fatal error, drain──▶ closing ──closed──▶ (gone)
///        └──────────── timeout, bad frame ────────────────────▲
struct Connection: Sendable {
    enum State: Sendable, Equatable {
        /// Nothing whole has arrived.
        case silent
        case open
        /// Its last frame is on its way; what still arrives is not read.
        case closing
    }

    let peer: PeerCredentials
    /// Whom the configuration takes the peer for; `nil` for somebody whom it does not know.
    var caller: Caller?
    /// Those of requests that say nothing about themselves; `nil` where there are to be no such requests.
    var terms: Terms?
    private(set) var state = State.silent
    /// The open requests, by the client's ids.
    var requests: [RequestIdentifier: RequestNumber] = [:]
    /// The groups that it began and that are not gone, in that order.
    var groups: [ULID] = []

    /// By when the frame that is being received must be whole, or the first one here.
    private var frameDeadline: Instant?
    /// What was left until then when the connection was last read; `nil` while it is.
    private var frameTimeLeft: Duration?
    /// By when the client must have taken some of the output that waits.
    private var stallDeadline: Instant?
    private var lingerDeadline: Instant?

    /// Whether so much output waits that the slots which make it are not read.
    private(set) var isBlocked = false
    /// Whether so much output waits that the client is not read either.
    private(set) var isFull = false
    /// Whether a large frame waits for room in memory.
    private(set) var waitsForMemory = false

    init(peer: PeerCredentials, at now: Instant, bounds: SupervisorBounds) {
        self.peer = peer
        self.frameDeadline = now + bounds.firstFrameTimeout
    }

    /// The open requests in a fixed order, so that a replayed inbox leads to the same actions.
    var requestsInOrder: [RequestNumber] { self.requests.values.sorted { $0.rawValue < $1.rawValue } }

    var deadline: Instant? {
        [self.frameDeadline, self.stallDeadline, self.lingerDeadline].compactMap { $0 }.min()
    }

    /// What a deadline that has come means.
    enum Expiry: Equatable {
        case none
        case noFirstFrame
        case frameTooSlow
        case stalled
        case lingered
    }

    func expiry(at now: Instant) -> Expiry {
        if let deadline = self.lingerDeadline, deadline <= now { return .lingered }
        if let deadline = self.stallDeadline, deadline <= now { return .stalled }
        if let deadline = self.frameDeadline, deadline <= now {
            return self.state == .silent ? .noFirstFrame : .frameTooSlow
        }
        return .none
    }

    // MARK: Events

    mutating func frameArrived() {
        if self.state == .silent { self.state = .open }
        self.frameDeadline = nil
        self.frameTimeLeft = nil
        self.waitsForMemory = false
    }

    mutating func frameBegan(at now: Instant, bounds: SupervisorBounds) {
        guard self.state != .silent, self.frameDeadline == nil, self.frameTimeLeft == nil else { return }
        self.frameTimeLeft = bounds.frameTimeout
        self.runFrameTime(at: now)
    }

    /// The frame must wait.
    mutating func memoryIsShort(at now: Instant) {
        self.waitsForMemory = true
        self.runFrameTime(at: now)
    }

    mutating func memoryWasGranted(at now: Instant) {
        self.waitsForMemory = false
        self.runFrameTime(at: now)
    }

    /// Lets the time for the frame run or stand still: while the connection is not read, its frame is late because of us.
    private mutating func runFrameTime(at now: Instant) {
        if !self.isRead, let deadline = self.frameDeadline {
            self.frameTimeLeft = now.duration(to: deadline)
            self.frameDeadline = nil
        } else if self.isRead, let left = self.frameTimeLeft {
            self.frameDeadline = now + left
            self.frameTimeLeft = nil
        }
    }

    /// Whether the supervisor reads what the client sends.
    var isRead: Bool { !self.isFull && !self.waitsForMemory && self.state != .closing }

    /// This many bytes wait. They may be more than before though the client took some: its slots make more.
    mutating func backlogChanged(to bytes: Int, tookSome: Bool, at now: Instant, bounds: SupervisorBounds) {
        if bytes == 0 {
            self.stallDeadline = nil
        } else if tookSome || self.stallDeadline == nil {
            self.stallDeadline = now + bounds.stallTimeout
        }
        if bytes > bounds.outputHighWater { self.isBlocked = true }
        if bytes > bounds.outputFull { self.isFull = true }
        if bytes <= bounds.outputLowWater { (self.isBlocked, self.isFull) = (false, false) }
        self.runFrameTime(at: now)
    }

    mutating func close(at now: Instant, bounds: SupervisorBounds) {
        self.state = .closing
        self.frameDeadline = nil
        self.frameTimeLeft = nil
        self.lingerDeadline = now + bounds.lingerTimeout
    }
}
