import Messages

/// A prompt that continues a conversation, until it is admitted.
///
///     inLine ──its turn──▶ settling ──all on disk──▶ remembering ──history──▶ (admitted, or refused)
///
/// It has no row yet. Whatever ends it before its admission is answered with an error and leaves nothing.
struct Continuation: Sendable {
    enum State: Sendable, Equatable {
        /// Another prompt of the conversation is open.
        case inLine
        /// The records up to this one may hold the turn before; they must be on disk before the history is read.
        case settling(sequence: Int)
        /// The reader was asked for the history.
        case remembering
    }

    let clientID: RequestIdentifier
    let connection: ConnectionID
    /// Whose conversation it must be; `nil`: anybody's.
    let uid: Int?
    let conversation: String
    let prompt: PromptRequest
    /// The chain that it is to be, if it is one.
    let chain: ChainRequest?
    let terms: Terms
    let receivedAt: Instant
    /// By when it must be admitted.
    let deadline: Instant
    var state = State.inLine

    init(
        _ prompt: PromptRequest, of conversation: String, as chain: ChainRequest?, under terms: Terms,
        id: RequestIdentifier,
        from connection: ConnectionID, uid: Int?, timeout: Duration, at now: Instant
    ) {
        self.clientID = id
        self.connection = connection
        self.uid = uid
        self.conversation = conversation
        self.prompt = prompt
        self.chain = chain
        self.terms = terms
        self.receivedAt = now
        self.deadline = now + min(prompt.timeoutMilliseconds.map { .milliseconds($0) } ?? timeout, timeout)
    }
}

/// The prompts of one conversation that is being continued: one may run, the others wait for its record.
struct ConversationLine: Sendable {
    var holder: RequestNumber
    var waiting: [RequestNumber] = []
}
