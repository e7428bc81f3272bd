import JSON

/// The sizes that both ends of each protocol hold to (proto/PROTOCOL.md, "Bounds"). All are bytes of payload unless
/// named otherwise.
public enum ProtocolBounds {
    /// What a client may send in one frame.
    public static let clientFrame = 16 << 20
    /// What the supervisor may send a client in one frame.
    public static let answerFrame = 17 << 20
    /// What the supervisor may send a worker: a client's frame, the history of a conversation and what else is added, so
    /// that a legal client frame never becomes an illegal internal one.
    public static let workerRequestFrame = clientFrame + history + internalHeadroom
    /// What a worker may send in one event. A longer text goes out in several.
    public static let eventFrame = 1 << 20
    /// What a worker may send in its last frame of a request, which holds the whole answer where it was not streamed.
    public static let lastFrame = 16 << 20
    /// A frame on a worker's control channel, either way.
    public static let controlFrame = 1 << 20
    /// A frame between supervisor and logger, either way: what one client asked, or one slot answered at once.
    public static let logFrame = clientFrame + internalHeadroom
    /// The texts of one request for embeddings.
    public static let embedInputs = 2048
    /// What was said before in a conversation that is continued, as JSON.
    public static let history = 8 << 20
    /// A frame between supervisor and reader, either way: a history or a page.
    public static let readerFrame = history + internalHeadroom
    /// The rows of one page.
    public static let pageRows = 100
    /// What a search may be.
    public static let searchLength = 1024
    /// The frame that bulkhead-config answers with.
    public static let configurationFrame = 8 << 20
    /// What an administrator may want done with the store of secrets at once, as JSON.
    public static let secretsFrame = 1 << 20
    /// A frame between supervisor and hook, either way.
    public static let hookFrame = 2 << 20
    /// What a hook is shown of a prompt: all of it, or nothing.
    public static let hookPrompt = 1 << 20
    /// What one hook may put on record with a request, as JSON.
    public static let hookAnnotation = 4 << 10
    /// What all hooks may put on record with one request, as JSON.
    public static let annotations = 16 << 10
    /// What is added to a client's request on its way to a worker or the logger: key, ids, names, groups, and what hooks
    /// noted.
    public static let internalHeadroom = 128 << 10
    /// A request id that is a string.
    public static let requestIDLength = 128
    /// The name of a model or a provider.
    public static let nameLength = 256
    /// The supplementary groups of a client; what it has beyond is not known.
    public static let groups = 1_024
    /// The details of usage, as JSON.
    public static let usageDetails = 4 << 10
    /// The longest timeout that a client may ask for, in milliseconds: a day.
    public static let timeoutMilliseconds = 86_400_000
}

extension JSONBounds {
    /// For a frame between our own processes: the values of a client's legal frame, and those that are added on the
    /// way.
    static let internalMessage = JSONBounds(nodes: JSONBounds().nodes + 1_024)
    /// For an event of a slot: shallow enough that it can be put on record, and into a history or a page, which nest it
    /// five levels deeper at most.
    static let slotEvent = JSONBounds(depth: 59, nodes: JSONBounds.internalMessage.nodes)
    /// For the last event of a request for embeddings, whose numbers are nowhere built into values, and take two bytes at
    /// least.
    static let embeddings = JSONBounds(depth: 8, nodes: ProtocolBounds.lastFrame / 2)
    /// For an answer of a hook: what of it goes on record is nested a few levels deeper there.
    static let hookAnswer = JSONBounds(depth: 32)
    /// For a record of the logger, which may hold events of several frames.
    static let logRecord = JSONBounds(nodes: 2 * JSONBounds.internalMessage.nodes)
    /// For a slot's request: the values of a client's legal frame and those of a history, which the reader keeps within
    /// ``internalMessage``.
    static let slotRequest = JSONBounds(nodes: 2 * JSONBounds.internalMessage.nodes)
    /// For a frame that a client reads: as many values as embeddings may have, and those that are added on the way.
    static let answer = JSONBounds(nodes: ProtocolBounds.answerFrame / 2, refusesLoneSurrogates: false)
}

/// The version of the protocols in proto/. It changes when an old peer could misunderstand a new one.
public enum ProtocolVersion {
    public static let current = 1
}

/// The version of this software.
public enum SoftwareVersion {
    public static let current = "0.1.0"
}
