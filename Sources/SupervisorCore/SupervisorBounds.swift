/// Everything in the supervisor that could grow, or take time, and where it stops (proto/PROTOCOL.md, "Bounds").
public struct SupervisorBounds: Sendable {
    // Connections.
    public var connections = 512
    public var requestsPerConnection = 128
    /// From the connection to its first whole frame.
    public var firstFrameTimeout = Duration.seconds(10)
    /// From a frame's first byte to its last.
    public var frameTimeout = Duration.seconds(30)
    /// How long a client may take nothing while output waits for it.
    public var stallTimeout = Duration.seconds(30)
    /// How long a connection that is being closed may take to accept its last frames.
    public var lingerTimeout = Duration.seconds(2)
    /// Bytes of output that may wait for one client before the slots that make it are no longer read.
    public var outputHighWater = 128 << 10
    /// Bytes of output at which the client itself is no longer read. Until then it is, for it may want to cancel what it
    /// cannot take.
    public var outputFull = 512 << 10
    /// Bytes at which both are read again.
    public var outputLowWater = 32 << 10

    // Memory.
    /// A frame up to this many bytes needs no reservation.
    public var smallFrame = 64 << 10
    /// What frames larger than that, in either direction, and output beyond the high water may hold in all, in bytes. A quarter
    /// of it is for answers, the rest for requests.
    public var memory = 128 << 20
    /// What a history may hold that is being read, and the large requests that continue a conversation until a slot takes them,
    /// in bytes. The prompt of one of them may come on top.
    public var historyMemory = 16 << 20
    /// What smaller requests may hold in all until a slot takes them, in bytes; one provider's at most half of it, and so those
    /// that wait for their histories.
    public var smallRequestMemory = 32 << 20

    /// What one chain may hold of what was said in it, in bytes.
    public var chain = 16 << 20
    /// What a chain holds besides, in bytes.
    public var chainOverhead = 2 << 10
    /// What all chains may hold, each twice what was said, in bytes.
    public var chainMemory = 64 << 20
    /// What the requests may hold in all that are kept to be tried again, in bytes. One that finds no room is tried once.
    public var retryMemory = 32 << 20

    // Requests.
    public var queuedRequestsPerProvider = 1024
    public var attempts = Attempts.Bounds()

    // Groups.
    public var groupsPerConnection = 32
    /// In all; one user's are half of them at most.
    public var groups = 1024

    // Requests that go on though their clients have gone.
    /// Of one user.
    public var finishingPerUser = 64
    /// In all.
    public var finishing = 256

    // Workers.
    /// From its start to its hello.
    public var workerStartTimeout = Duration.seconds(10)
    public var pingInterval = Duration.seconds(5)
    /// From a ping to its pong.
    public var pongTimeout = Duration.seconds(15)
    /// From the closing of its channels to its exit.
    public var workerStopTimeout = Duration.seconds(5)
    /// Processes of one provider that may finish their requests beside the one that takes new ones.
    public var retiringWorkers = 2
    public var backoff = Backoff.Bounds()
    /// Models that providers listed, all together.
    public var listedModels = 8_000
    /// How long a provider may take to list its models.
    public var listingTimeout = Duration.seconds(30)

    // Reloads.
    /// From the start of bulkhead-config to its end.
    public var reloadTimeout = Duration.seconds(10)
    /// Who may wait for the configuration to be read.
    public var reloadAskers = 32
    /// Providers of earlier configurations whose processes live, unless one change alone has retired more.
    public var retiredProviders = 32
    /// Earlier configurations under which something is open.
    public var formerGenerations = 32

    // The record.
    /// Openings and endings that wait for the logger, and the room that open requests' endings will need, in bytes.
    public var logBacklog = 16 << 20
    /// What the end of a request may take there, its output apart, in bytes.
    public var endRecord = 8 << 10
    /// Bytes of an answer that are gathered before they are sent to the logger.
    public var outputPiece = 16 << 10
    /// Bytes of answers that may wait for the logger before slots are no longer read.
    public var logOutput = 16 << 20
    /// Bytes that the logger may have been sent and not acknowledged, unless it is one record.
    public var logWindow = 2 << 20
    /// What one answer may hold that is recorded, in bytes of JSON.
    public var recordedAnswer = 16 << 20
    public var loggerStartTimeout = Duration.seconds(15)
    /// How long records may wait for an acknowledgement before the logger is taken for hung.
    public var loggerStallTimeout = Duration.seconds(60)
    /// From the closing of its channel to its exit.
    public var loggerStopTimeout = Duration.seconds(15)

    // Questions about the record.
    /// Prompts that continue a conversation and are not admitted yet.
    public var continuations = 1024
    /// How long such a prompt may wait, unless its client will wait less.
    public var continuationTimeout = Duration.seconds(600)
    /// Questions that wait for the reader, those of such prompts apart.
    public var questions = 256
    public var questionsPerConnection = 16
    /// From a question to its answer.
    public var questionTimeout = Duration.seconds(30)
    /// What a history may hold, in bytes: as in `ProtocolBounds`, but that a simulation makes it smaller.
    public var history = 8 << 20
    /// What a page may hold, in bytes.
    public var page = 2 << 20
    public var readerStartTimeout = Duration.seconds(15)
    /// How long the reader may take for one answer.
    public var readerAnswerTimeout = Duration.seconds(15)
    /// How long the reader is kept when nobody asks.
    public var readerIdleTimeout = Duration.seconds(60)
    /// From the closing of its channel to its exit.
    public var readerStopTimeout = Duration.seconds(5)

    // Secrets.
    /// Actions on the store of secrets that wait for the one that is being done.
    public var secretsErrands = 16
    /// How long one may take.
    public var secretsTimeout = Duration.seconds(10)
    /// From its answer to the exit of the process that did it.
    public var secretsStopTimeout = Duration.seconds(2)
    /// How long it may take until a key's last use is on disk.
    public var keyUseInterval = Duration.seconds(600)

    // Hooks.
    /// Requests, and lists of models, that wait for what hooks say to them.
    public var consultations = 1024
    /// Questions that one hook has and has not answered.
    public var hookQuestionsOut = 64
    /// What they may hold, unless it is one question, in bytes.
    public var hookWindow = 2 << 20
    /// Questions that wait for one hook and that somebody waits for.
    public var hookQuestions = 1024
    /// What one hook is yet to be told of requests that have ended.
    public var hookNotices = 1024
    /// What of that may be held, in bytes.
    public var hookNoticeMemory = 1 << 20
    /// How long a hook may take, when the daemon stops or it is taken out, to be told what it was not told yet.
    public var hookDrainTimeout = Duration.seconds(5)
    /// From the closing of its channel to its exit.
    public var hookStopTimeout = Duration.seconds(5)

    public init() {}
}
