import JSON
import Messages

/// A chain: rounds of one conversation, each a request of its own, until the model calls no tool.
///
///     (resumed) ─▶ owing ──all results──▶ asking ──round's row on disk, no call──▶ (done)
///                    ▲                      │
///                    └──round's row on disk, calls──┘
///
/// While it is *asking*, there is a ``Request`` under its number; while it is *owing*, there is none, and no slot is held.
/// What was said stays here until the chain ends, so that it needs no record to go on.
struct Chain: Sendable {
    let clientID: RequestIdentifier
    let connection: ConnectionID
    /// Whose it is.
    let uid: Int
    let terms: Terms
    let limit: Int
    let toolTimeout: Duration
    let receivedAt: Instant
    /// By when it must be over, where its client has said so.
    let deadline: Instant?
    /// What the next round asks.
    private(set) var prompt: PromptRequest
    /// What the first round follows, where it continues a conversation on record. Later rounds follow what is here.
    private(set) var precedent: Precedent?
    /// The round that is open, or was the last; `nil` before the first.
    private(set) var round: ChainRound?
    /// The request of that round.
    private(set) var request: ULID?
    /// Who answered it, and is asked in the next one: a name may mean another model by then.
    private(set) var candidate: Attempts.Candidate?
    /// The thread that it is on record in, once it is.
    private(set) var conversation: String?
    /// What the open round has said so far.
    var answer = OutputBuffer()
    var calls: OwedCalls
    /// Whether there is another round after the one that is open.
    var goesOn = false
    /// How it is to end when the open round has ended.
    var failure: Failure?

    /// - Parameters:
    ///   - precedent: What it follows, where it continues a conversation on record.
    ///   - receivedAt: When it came, where that was not just now.
    init(
        _ wish: ChainRequest, under terms: Terms, id: RequestIdentifier, from connection: ConnectionID, uid: Int,
        following precedent: Precedent?, since receivedAt: Instant? = nil, at now: Instant
    ) throws(Failure) {
        self.clientID = id
        self.connection = connection
        self.uid = uid
        self.terms = terms
        self.limit = wish.limit
        self.toolTimeout = .milliseconds(wish.toolTimeoutMilliseconds)
        self.receivedAt = precedent?.continuation.receivedAt ?? receivedAt ?? now
        self.prompt = try precedent?.continued(wish.prompt) ?? wish.prompt
        self.precedent = precedent
        self.conversation = precedent?.continuation.conversation
        let receivedAt = self.receivedAt
        self.deadline = wish.prompt.timeoutMilliseconds.map { receivedAt + .milliseconds($0) }
        do throws(MessageError) {
            self.calls = OwedCalls(tools: try self.prompt.toolNames)
        } catch {
            throw Failure(.invalidRequest, "\(error)")
        }
    }

    /// What it holds, in bytes of JSON.
    var length: Int {
        self.prompt.length + (self.precedent?.history.messages.count ?? 0) + self.answer.count + self.calls.length
    }

    /// The calls that it begins with: those that its messages, or its history, end with, and that its own results do not answer.
    /// None, as in llm, where it has no tools, or asks something itself.
    func unansweredCalls() throws(MessageError) -> [ToolCall] {
        guard self.round == nil, self.prompt.saysNothing, self.prompt.tools != nil else { return [] }
        return try self.prompt.conversation(after: self.precedent?.messages).unansweredCalls
    }

    /// A round was admitted.
    mutating func begin(_ request: ULID, by candidate: Attempts.Candidate, conversation: String?) {
        self.candidate = candidate
        self.round = ChainRound(chain: self.round?.chain ?? request, number: (self.round?.number ?? 0) + 1)
        self.request = request
        self.conversation = conversation
        self.goesOn = false
    }

    /// The round went to another model, which is asked in those after it too.
    mutating func handedOn(to candidate: Attempts.Candidate) { self.candidate = candidate }

    /// All results have come: the next round is asked with them.
    mutating func settle() {
        self.prompt.add(self.calls.results)
        self.calls.removeAll()
    }

    /// The round that is open has ended with calls: what it asked and answered is what the next one follows.
    mutating func extend() throws(MessageError) {
        var answer = AnswerAssembly()
        if let events = self.answer.take() { try answer.append(events: events) }
        try self.prompt.follow(answer.message, after: self.precedent?.messages)
        self.answer = OutputBuffer()
        self.precedent = nil
    }
}
