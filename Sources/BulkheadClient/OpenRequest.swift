import Messages

/// One frame of an answer: what it means, and the JSON text that said so.
public struct AnswerFrame: Equatable, Sendable {
    public let event: ClientEvent.Event
    /// The frame's payload, as it came: one JSON object.
    public let payload: [UInt8]
    /// What is wrong with the configuration that a reload was to take (``ClientEvent/problems``).
    var problems: [String] = []

    /// What the frame is taken to occupy in memory, in bytes: its text, its decoded text, and the rest.
    var cost: Int { 2 * self.payload.count + 256 }
}

/// What a consumer gets when it asks for the next frame: the frame, or `nil` after the last one.
typealias Delivery = Result<AnswerFrame?, ClientError>

/// A request of a connection, from its sending until its last frame has come and nobody asks for it any more.
///
///     open ──last frame──▶ ended(nil) ──released──▶ gone
///      │                       ▲
///      └──connection ends──▶ ended(error)
///
/// Frames wait here between the connection's thread and the consumer. A cancelled request takes no more of them.
struct OpenRequest<Waiter: Sendable>: Sendable {
    enum Phase: Sendable {
        case open
        /// The last frame is here, or was taken.
        case complete
        /// The connection ended first.
        case failed(ClientError)
    }

    private(set) var phase: Phase
    /// The consumer that waits for the next frame.
    var waiter: Waiter?
    /// Whether the consumer has given up: its frames are dropped, and it is told so.
    var isAbandoned = false
    /// Whether nobody will ask again, so that the entry may go once the last frame has come.
    var isReleased = false
    /// Whether `cancel` was sent.
    var cancelWasSent = false

    private var frames: [AnswerFrame] = []
    private var firstFrame = 0

    init(phase: Phase = .open) { self.phase = phase }

    var hasEnded: Bool {
        switch self.phase {
        case .open: false
        case .complete, .failed: true
        }
    }

    mutating func append(_ frame: AnswerFrame) { self.frames.append(frame) }

    mutating func complete() { self.phase = .complete }

    mutating func fail(_ error: ClientError) { self.phase = .failed(error) }

    /// What the consumer gets now, or `nil` where it has to wait.
    mutating func next() -> Delivery? {
        if self.isAbandoned { return .failure(.cancelled) }
        if self.firstFrame < self.frames.count {
            let frame = self.frames[self.firstFrame]
            self.firstFrame += 1
            if self.firstFrame == self.frames.count {
                self.frames.removeAll(keepingCapacity: self.frames.count <= 64)
                self.firstFrame = 0
            }
            return .success(frame)
        }
        switch self.phase {
        case .open: return nil
        case .complete: return .success(nil)
        case .failed(let error): return .failure(error)
        }
    }

    /// Drops the frames that wait and returns what they cost.
    mutating func drop() -> Int {
        let cost = self.frames[self.firstFrame...].reduce(0) { $0 + $1.cost }
        self.frames = []
        self.firstFrame = 0
        return cost
    }
}
