import Messages

/// A hook's process, and what it is asked: several questions at a time, answered in any order.
///
///     waiting, parked ──due──▶ up ──hung, lies──▶ dying ──exit──▶ waiting, parked
///            ▲                 │                                   │
///            └──── exit ───────┤ drain, taken out                  │ drain, taken out
///                              ▼                                   ▼
///                          stopping ──nothing is left──▶ closing ──exit──▶ gone
///
/// It says nothing when it is ready: what it is asked before waits in its channel, and for its time.
struct HookProcess: Sendable {
    enum State: Sendable, Equatable {
        /// There is no process; the next one starts then.
        case waiting(until: Instant)
        /// Processes died too often; the next one starts then.
        case parked(until: Instant)
        /// It is asked.
        case up
        /// It was killed; its exit is all that may still come.
        case dying
        /// It is asked nothing new; what is out or waits may be answered until then.
        case stopping(until: Instant)
        /// Its channel is closed; it is killed if it has not ended by then.
        case closing(until: Instant)
        /// There is none any more.
        case gone
    }

    /// Who waits for an answer.
    enum Asker: Sendable, Hashable {
        /// What a client asked for and is not admitted yet.
        case consultation(RequestNumber)
        /// The end of a group.
        case group(ULID)
        /// Nobody: it is told.
        case nobody
    }

    struct Question: Sendable {
        let asker: Asker
        let event: HookEvent
        /// The frame but for its number.
        let body: [UInt8]
        let askedAt: Instant
    }

    /// A question that the process has.
    struct Open: Sendable {
        /// `nil` once nobody waits for it any more.
        var asker: Asker?
        let event: HookEvent
        /// Of the frame, in bytes.
        let length: Int
        let askedAt: Instant
        let sentAt: Instant
    }

    let id: HookID
    let settings: HookSettings
    var state: State
    var pid: Int?
    /// Why it was killed, if it was.
    var verdict: String?
    private(set) var startedAt: Instant
    private var backoff: Backoff
    private let bounds: SupervisorBounds

    private var lastNumber = 0
    private(set) var open: [Int: Open] = [:]
    /// Questions that somebody waits for.
    private var waiting: [Question] = []
    /// What it is told of requests that have ended.
    private var notices: [Question] = []
    /// When it answered last, and the last of the questions that it has answered.
    private var answeredAt: Instant?
    private var lastAnswered = 0
    private var openBytes = 0
    private var noticeBytes = 0
    /// Whether a notice was dropped since the last time that none waited.
    private var hasDropped = false

    // For the operator.
    private(set) var starts = 0
    private(set) var deaths = 0
    private(set) var lastExit: String?
    private(set) var answers = 0
    private(set) var failures = 0
    private(set) var dropped = 0

    init(id: HookID, settings: HookSettings, bounds: SupervisorBounds, at now: Instant) {
        self.id = id
        self.settings = settings
        self.bounds = bounds
        self.backoff = Backoff(bounds: bounds.backoff)
        self.state = .waiting(until: now)
        self.startedAt = now
    }

    var timeout: Duration { .milliseconds(self.settings.timeoutMilliseconds) }
    var waitingCount: Int { self.waiting.count + self.notices.count }
    var isIdle: Bool { self.open.isEmpty && self.waitingCount == 0 }
    /// What the questions of this process hold here, in bytes; those that somebody waits for are held by who asked.
    var heldBytes: Int { self.openBytes + self.noticeBytes }

    /// Whether there is, or will be, somebody to ask.
    var isAsked: Bool {
        switch self.state {
        case .waiting, .parked, .up, .dying: true
        case .stopping, .closing, .gone: false
        }
    }

    /// Whether it has a say in what is let in.
    var isAskedBeforehand: Bool {
        self.isAsked
            && self.settings.events.contains { $0 == .defaultModel || $0 == .filterModels || $0 == .beforePrompt }
    }

    // MARK: Questions

    /// Takes a question, or says why it cannot be asked.
    mutating func ask(_ question: Question) -> Refusal? {
        guard self.state == .up else {
            self.failures += 1
            return .notRunning
        }
        guard self.waiting.count < self.bounds.hookQuestions else {
            self.failures += 1
            return .tooMany
        }
        self.waiting.append(question)
        return nil
    }

    enum Refusal { case notRunning, tooMany }

    /// Takes a notice, for now or for the next process. Returns `true` if it is the first that is dropped.
    mutating func tell(_ notice: Question) -> Bool {
        guard self.isAsked else { return false }
        guard self.notices.count < self.bounds.hookNotices,
            self.noticeBytes + notice.body.count <= self.bounds.hookNoticeMemory
        else {
            self.dropped += 1
            defer { self.hasDropped = true }
            return !self.hasDropped
        }
        self.notices.append(notice)
        self.noticeBytes += notice.body.count
        return false
    }

    /// The frame of the next question, if the process may have another.
    mutating func next(at now: Instant) -> [UInt8]? {
        switch self.state {
        case .up, .stopping: break
        case .waiting, .parked, .dying, .closing, .gone: return nil
        }
        guard self.open.count < self.bounds.hookQuestionsOut, let question = self.waiting.first ?? self.notices.first,
            self.open.isEmpty || self.openBytes + question.body.count <= self.bounds.hookWindow
        else { return nil }
        if self.waiting.isEmpty {
            self.notices.removeFirst()
            self.noticeBytes -= question.body.count
            if self.notices.isEmpty { self.hasDropped = false }
        } else {
            self.waiting.removeFirst()
        }
        self.lastNumber += 1
        let frame = HookQuestion.frame(question.body, number: self.lastNumber)
        self.open[self.lastNumber] = Open(
            asker: question.asker, event: question.event, length: frame.count, askedAt: question.askedAt, sentAt: now)
        self.openBytes += frame.count
        return frame
    }

    /// An answer has come. `nil` if there is no such question.
    mutating func answered(_ number: Int, at now: Instant) -> Open? {
        guard let open = self.open.removeValue(forKey: number) else { return nil }
        self.openBytes -= open.length
        self.answeredAt = now
        self.lastAnswered = max(self.lastAnswered, number)
        self.answers += 1
        return open
    }

    /// Whoever asked does not need to know any more. What the process has it may answer all the same.
    mutating func forget(_ asker: Asker) {
        self.waiting.removeAll { $0.asker == asker }
        for (number, question) in self.open where question.asker == asker { self.open[number]!.asker = nil }
    }

    /// Gives up all that somebody waits for, and what the process has. Notices that it has not may go to the next one.
    ///
    /// - Returns: Who waited, in the order in which they asked.
    mutating func giveUp() -> [Asker] {
        let askers =
            self.open.sorted { $0.key < $1.key }.compactMap(\.value.asker) + self.waiting.map(\.asker)
        self.failures += askers.count
        self.open = [:]
        self.openBytes = 0
        self.waiting = []
        return askers.filter { $0 != .nobody }
    }

    /// Gives up on what waits to be told.
    mutating func dropNotices() {
        self.dropped += self.notices.count
        self.notices = []
        self.noticeBytes = 0
    }

    // MARK: Time

    var deadline: Instant? {
        switch self.state {
        case .waiting(let until), .parked(let until), .closing(let until): return until
        case .stopping(let until): return [until, self.firstDeadline].compactMap { $0 }.min()
        case .up: return self.firstDeadline
        case .dying, .gone: return nil
        }
    }

    /// When the first of those that wait has waited long enough, or the process must be taken for hung.
    private var firstDeadline: Instant? {
        var first = self.waiting.first.map { $0.askedAt + self.timeout }
        for (number, question) in self.open {
            let deadline = self.deadline(of: number, question)
            first = first.map { min($0, deadline) } ?? deadline
        }
        return first
    }

    private func deadline(of number: Int, _ question: Open) -> Instant {
        switch question.asker {
        case .consultation, .group: min(question.askedAt + self.timeout, self.patience(with: number, question))
        case .nobody, nil: self.patience(with: number, question)
        }
    }

    /// Until when the process may keep a question. One that has much to do answers others in the meantime, those that it was asked
    /// before; one that answers a later question has forgotten this one.
    private func patience(with number: Int, _ question: Open) -> Instant {
        guard number > self.lastAnswered, let answeredAt = self.answeredAt else {
            return question.sentAt + self.timeout
        }
        return max(question.sentAt, answeredAt) + self.timeout
    }

    enum Expiry: Equatable {
        case none
        /// The next process may start.
        case due
        /// The process keeps a question for too long.
        case hung
        /// These have waited for too long, most of it for their turn.
        case late([Asker])
        /// Its time to finish, or to end, is over.
        case overdue
    }

    mutating func expiry(at now: Instant) -> Expiry {
        switch self.state {
        case .waiting(let until), .parked(let until): return until <= now ? .due : .none
        case .closing(let until): return until <= now ? .overdue : .none
        case .stopping(let until) where until <= now: return .overdue
        case .dying, .gone: return .none
        case .up, .stopping: break
        }
        if self.open.contains(where: { self.patience(with: $0.key, $0.value) <= now }) { return .hung }
        var late: [Asker] = []
        for (number, question) in self.open.sorted(by: { $0.key < $1.key }) {
            guard let asker = question.asker, asker != .nobody, question.askedAt + self.timeout <= now else { continue }
            late.append(asker)
            self.open[number]!.asker = nil
        }
        let timeout = self.timeout
        late += self.waiting.filter { $0.askedAt + timeout <= now }.map(\.asker)
        self.waiting.removeAll { $0.askedAt + timeout <= now }
        self.failures += late.count
        return late.isEmpty ? .none : .late(late)
    }

    // MARK: The process

    mutating func started(at now: Instant) {
        self.state = .up
        self.startedAt = now
        self.answeredAt = nil
        self.starts += 1
        self.verdict = nil
    }

    /// The process ended, and nobody had told it to. Says whether there were too many that did.
    ///
    /// - Parameter isHopeless: Another would end the same way.
    mutating func died(
        _ reason: String, isHopeless: Bool, at now: Instant, using random: inout some RandomNumberGenerator
    ) -> Bool {
        self.deaths += 1
        self.lastExit = reason
        self.pid = nil
        switch self.backoff.processDied(
            startedAt: self.startedAt, isHopeless: isHopeless, at: now, using: &random)
        {
        case .retry(let at):
            self.state = .waiting(until: at)
            return false
        case .park(let until):
            self.state = .parked(until: until)
            return true
        }
    }
}
