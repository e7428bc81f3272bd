public import JSON

/// How the daemon does: the answer to `op: status`.
public struct DaemonStatus: Equatable, Sendable {
    public var version: String
    public var pid: Int
    public var uptimeMilliseconds: Int
    /// Whether the daemon finishes what it has and accepts nothing new.
    public var isDraining: Bool
    /// `commit` or `relaxed`.
    public var durability: String
    public var connections: Int
    public var requests: Requests
    public var memory: Memory
    public var logger: Logger
    public var reader: Reader
    public var configuration: Configuration
    public var providers: [Provider]
    /// Programs that have a say in requests, in the order of the configuration.
    public var hooks: [Hook]
    /// The whole answer, as it came.
    public var json: JSONValue

    /// Counts of requests: `open`, `queued`, `waiting`, `chains`, `groups` and `finishing` now, the others since the start.
    public struct Requests: Equatable, Sendable {
        public var open: Int
        public var queued: Int
        /// Those that wait for their next attempt.
        public var waiting: Int
        /// Chains, those that wait for the results of tools included.
        public var chains: Int
        /// Groups of requests.
        public var groups: Int
        /// Those that go on to their end though their clients have gone.
        public var finishing: Int
        public var admitted: Int
        public var done: Int
        public var error: Int
        public var cancelled: Int
        public var crashed: Int
        /// Attempts after a wait.
        public var retries: Int
        /// Requests that went to another model.
        public var fallbacks: Int
    }

    /// What frames occupy in the daemon, in bytes.
    public struct Memory: Equatable, Sendable {
        public var budgetBytes: Int
        public var usedBytes: Int
    }

    /// The process that writes the record.
    public struct Logger: Equatable, Sendable {
        /// `starting`, `ready` or `restarting`.
        public var state: String
        public var pid: Int?
        public var restarts: Int
        /// Records that are not yet on disk.
        public var backlogRecords: Int
        public var backlogBytes: Int
        /// The number of the last record that is on disk.
        public var acknowledged: Int
    }

    /// The process that answers questions about the record.
    public struct Reader: Equatable, Sendable {
        /// `off` (nobody asks), `starting`, `ready` or `restarting`.
        public var state: String
        public var pid: Int?
        public var restarts: Int
        /// Questions that wait for it.
        public var questions: Int
    }

    /// What is configured, which may change while the daemon runs.
    public struct Configuration: Equatable, Sendable {
        /// The number of the present one, from 1.
        public var generation: Int
        /// Earlier ones under which something is open.
        public var former: Int
        /// How many were refused since the start.
        public var refused: Int
        /// Whether one is being read.
        public var isReloading: Bool
    }

    /// A provider and its worker process.
    public struct Provider: Equatable, Sendable {
        public var name: String
        public var type: String
        /// `starting`, `ready`, `waiting` (for its next start), `parked` (refusing for a while after many deaths) or `stopped`.
        public var state: String
        /// Whether it only finishes what began before it was changed or removed.
        public var isRetired: Bool
        public var pid: Int?
        public var processes: Int
        public var slots: Int
        public var busy: Int
        public var queued: Int
        public var starts: Int
        public var deaths: Int
        /// How the last process ended.
        public var lastExit: String?
        /// When the next start is due.
        public var retryInMilliseconds: Int?
    }

    /// A hook and its process.
    public struct Hook: Equatable, Sendable {
        public var name: String
        /// When it is asked.
        public var events: [String]
        /// Whether requests are refused while it gives no answer.
        public var isClosed: Bool
        /// `ready`, `waiting` (for its next start), `parked` (for a while, after many deaths) or `stopped`.
        public var state: String
        public var pid: Int?
        /// Questions that it has and has not answered.
        public var open: Int
        /// Questions that wait for their turn.
        public var waiting: Int
        public var answers: Int
        /// Questions that it did not answer, or not in time.
        public var failures: Int
        /// Requests whose end it was not told.
        public var dropped: Int
        public var starts: Int
        public var deaths: Int
        /// How the last process ended.
        public var lastExit: String?
        /// When the next start is due.
        public var retryInMilliseconds: Int?
    }
}

extension DaemonStatus {
    init(decoding value: JSONValue) throws(ClientError) {
        let status = AnswerMembers(value, of: "status")
        self.version = try status.text("version")
        self.pid = try status.integer("pid")
        self.uptimeMilliseconds = try status.integer("uptime_ms")
        self.isDraining = try status.bool("draining")
        self.durability = try status.text("durability")
        self.connections = try status.integer("connections")
        self.requests = try Requests(decoding: try status.object("requests"))
        let memory = try status.object("memory")
        self.memory = Memory(
            budgetBytes: try memory.integer("budget_bytes"), usedBytes: try memory.integer("used_bytes"))
        self.logger = try Logger(decoding: try status.object("logger"))
        self.reader = try Reader(decoding: try status.object("reader"))
        self.configuration = try Configuration(decoding: try status.object("configuration"))
        self.providers = []
        for provider in try status.array("providers") {
            self.providers.append(try Provider(decoding: AnswerMembers(provider, of: "status.providers")))
        }
        self.hooks = []
        for hook in value["hooks"]?.array ?? [] {
            self.hooks.append(try Hook(decoding: AnswerMembers(hook, of: "status.hooks")))
        }
        self.json = value
    }
}

extension DaemonStatus.Requests {
    init(decoding members: AnswerMembers) throws(ClientError) {
        self.open = try members.integer("open")
        self.queued = try members.integer("queued")
        self.waiting = try members.integer("waiting")
        self.chains = try members.integer("chains")
        self.groups = try members.integer("groups")
        self.finishing = try members.integer("finishing")
        self.admitted = try members.integer("admitted")
        self.done = try members.integer("done")
        self.error = try members.integer("error")
        self.cancelled = try members.integer("cancelled")
        self.crashed = try members.integer("crashed")
        self.retries = try members.integer("retries")
        self.fallbacks = try members.integer("fallbacks")
    }
}

extension DaemonStatus.Logger {
    init(decoding members: AnswerMembers) throws(ClientError) {
        self.state = try members.text("state")
        self.pid = members.optionalInteger("pid")
        self.restarts = try members.integer("restarts")
        self.backlogRecords = try members.integer("backlog_records")
        self.backlogBytes = try members.integer("backlog_bytes")
        self.acknowledged = try members.integer("acknowledged")
    }
}

extension DaemonStatus.Reader {
    init(decoding members: AnswerMembers) throws(ClientError) {
        self.state = try members.text("state")
        self.pid = members.optionalInteger("pid")
        self.restarts = try members.integer("restarts")
        self.questions = try members.integer("questions")
    }
}

extension DaemonStatus.Configuration {
    init(decoding members: AnswerMembers) throws(ClientError) {
        self.generation = try members.integer("generation")
        self.former = try members.integer("former")
        self.refused = try members.integer("refused")
        self.isReloading = try members.bool("reloading")
    }
}

extension DaemonStatus.Provider {
    init(decoding members: AnswerMembers) throws(ClientError) {
        self.name = try members.text("name")
        self.type = try members.text("type")
        self.state = try members.text("state")
        self.isRetired = members.isTrue("retired")
        self.pid = members.optionalInteger("pid")
        self.processes = try members.integer("processes")
        self.slots = try members.integer("slots")
        self.busy = try members.integer("busy")
        self.queued = try members.integer("queued")
        self.starts = try members.integer("starts")
        self.deaths = try members.integer("deaths")
        self.lastExit = members.optionalDescription("last_exit")
        self.retryInMilliseconds = members.optionalInteger("retry_in_ms")
    }
}

extension DaemonStatus.Hook {
    init(decoding members: AnswerMembers) throws(ClientError) {
        self.name = try members.text("name")
        self.events = try members.array("events").compactMap(\.string)
        self.isClosed = try members.text("on_failure") == "closed"
        self.state = try members.text("state")
        self.pid = members.optionalInteger("pid")
        self.open = try members.integer("open")
        self.waiting = try members.integer("waiting")
        self.answers = try members.integer("answers")
        self.failures = try members.integer("failures")
        self.dropped = try members.integer("dropped")
        self.starts = try members.integer("starts")
        self.deaths = try members.integer("deaths")
        self.lastExit = members.optionalDescription("last_exit")
        self.retryInMilliseconds = members.optionalInteger("retry_in_ms")
    }
}
