public import JSON

/// What a client reads (proto/client.md). Members that are not known are ignored, and so are events.
public struct ClientEvent: Sendable, Equatable {
    /// The request that this answers; `nil` for the last frame of a connection that failed as a whole.
    public var id: RequestIdentifier?
    public var event: Event
    /// Of a start: which attempt begins. Of the last frame: how many there were. `nil` where it is the first and only one.
    public var attempts: Int?
    /// Of an error: what is wrong with the configuration that was to be taken, one thing a line.
    public var problems: [String] = []

    public enum Event: Sendable, Equatable {
        case start(Start)
        case text(String)
        case reasoning(String)
        case toolCall(ToolCall)
        /// What came of a tool that the provider ran itself.
        case toolResult(ToolResult)
        /// What belongs to the part before, for who sends the messages of a conversation themselves.
        case metadata(PartMetadata)
        /// A round of a chain has ended, and the chain goes on: what `done` says of a prompt, and the ids of the calls
        /// whose results the client owes. A chain that is resumed begins with one that says nothing else.
        case round(Completion, pending: [String])
        case done(Completion)
        case error(Failure, request: String?, usage: Usage?)
        /// An event of a later version.
        case unknown(String)
    }

    /// A request was handed to a slot.
    public struct Start: Sendable, Equatable {
        public var request: String
        public var model: String
        public var provider: String
        /// The thread that the answer will be on record in; `nil` where prompts are not stored.
        public var conversation: String?
        /// The chain that it is a round of, and which.
        public var chain: String?
        public var round: Int?

        public init(request: String, model: String, provider: String, conversation: String? = nil) {
            self.request = request
            self.model = model
            self.provider = provider
            self.conversation = conversation
        }
    }

    /// The end of a request that succeeded. A prompt fills the first part, other operations one of the last.
    public struct Completion: Sendable, Equatable {
        public var request: String?
        public var model: String?
        public var provider: String?
        /// The thread that the answer is on record in; `nil` where prompts are not stored.
        public var conversation: String?
        public var usage: Usage?
        public var finishReason: String?
        public var durationMilliseconds: Int?
        public var providerRequestID: String?
        /// The model that answered, where it is another than was asked.
        public var resolvedModel: String?
        /// The whole answer, where it was not streamed.
        public var text: String?
        public var reasoning: String?
        public var toolCalls: [ToolCall] = []
        /// The whole answer as the events that a streamed one would have been, where the three above do not say all.
        public var events: [SlotEvent] = []
        /// The chain that it ends, or that goes on, and which round it was.
        public var chain: String?
        public var round: Int?

        /// The answer to `op: embed`: vectors, each a JSON array of numbers (``EmbeddingText/vector(_:)``).
        public var embeddings: [[UInt8]]?
        /// The answer to `op: models`.
        public var models: JSONValue?
        /// What became of each provider that was asked for its own models.
        public var refreshed: JSONValue?
        /// The answer to `op: purposes`.
        public var purposes: JSONValue?
        /// The answer to `op: whoami`.
        public var whoami: JSONValue?
        /// The answer to `op: explain`.
        public var explanation: JSONValue?
        /// The answer to `op: secrets`.
        public var secrets: SecretsAnswer?
        /// The answer to `op: status`.
        public var status: JSONValue?
        /// The group that was begun, or has ended.
        public var group: String?
        /// How many requests of the group that has ended are on record.
        public var groupRequests: Int?
        /// The answer to `op: reload`.
        public var reload: ReloadReport?
        /// The rows of the answer to `op: logs` or `op: requests`.
        public var rows: JSONValue?
        /// The `before` of the next page; `nil` on the last one.
        public var next: String?

        public init() {}
    }

    public init(id: RequestIdentifier?, event: Event, attempts: Int? = nil) {
        self.id = id
        self.event = event
        self.attempts = attempts
    }

    /// Reads a frame's payload.
    public init(decoding bytes: [UInt8]) throws(MessageError) {
        let object: JSONObject
        do { object = try JSONObject(bytes, bounds: .answer) } catch { throw .invalidValue("frame", "\(error)") }
        let id = try object.require("id")
        self.id = id.isNull ? nil : try RequestIdentifier(decoding: id)
        let name = try object.require("event").expectString("event")
        let counter = name == "start" ? "attempt" : "attempts"
        self.attempts = try object.optional(counter)?.expectInteger(counter, in: 1...Int.max)
        self.problems = try object.optional("problems")?.expectStrings("problems") ?? []
        switch name {
        case "start":
            self.event = .start(try Start(decoding: object))
        case "text": self.event = .text(try object.require("text").expectString("text"))
        case "reasoning": self.event = .reasoning(try object.require("text").expectString("text"))
        case "tool_call": self.event = .toolCall(try ToolCall(decoding: object))
        case "tool_result": self.event = .toolResult(try ToolResult(object.value))
        case "metadata": self.event = .metadata(try PartMetadata(object.value))
        case "round":
            self.event = .round(
                try Completion(decoding: object), pending: try object.require("pending").expectStrings("pending"))
        case "done": self.event = .done(try Completion(decoding: object))
        case "error":
            self.event = .error(
                try Failure(decoding: try object.require("error")),
                request: try object.optional("request")?.expectString("request"),
                usage: try object.optional("usage").map { slice throws(MessageError) in try Usage(decoding: slice) })
        default: self.event = .unknown(name)
        }
    }

    /// Whether this is the last frame of its request.
    public var isLast: Bool {
        switch self.event {
        case .done, .error: true
        case .start, .text, .reasoning, .toolCall, .toolResult, .metadata, .round, .unknown: false
        }
    }
}

extension ClientEvent.Start {
    init(decoding object: JSONObject) throws(MessageError) {
        self.request = try object.require("request").expectString("request")
        self.model = try object.require("model").expectString("model")
        self.provider = try object.require("provider").expectString("provider")
        self.conversation = try object.optional("conversation")?.expectString("conversation")
        self.chain = try object.optional("chain")?.expectString("chain")
        self.round = try object.optional("round")?.expectInteger("round", in: 1...Int.max)
    }
}

extension ClientEvent.Completion {
    init(decoding object: JSONObject) throws(MessageError) {
        self.request = try object.optional("request")?.expectString("request")
        self.model = try object.optional("model")?.expectString("model")
        self.provider = try object.optional("provider")?.expectString("provider")
        self.conversation = try object.optional("conversation")?.expectString("conversation")
        self.usage = try object.optional("usage").map { slice throws(MessageError) in try Usage(decoding: slice) }
        self.finishReason = try object.optional("finish_reason")?.expectString("finish_reason")
        self.durationMilliseconds = try object.optional("duration_ms")?.expectInteger("duration_ms", in: 0...Int.max)
        self.providerRequestID = try object.optional("provider_request_id")?.expectString("provider_request_id")
        self.text = try object.optional("text")?.expectString("text")
        self.reasoning = try object.optional("reasoning")?.expectString("reasoning")
        self.toolCalls =
            try object.optional("tool_calls").map { slice throws(MessageError) in
                try ToolCall.list(decoding: slice)
            } ?? []
        self.resolvedModel = try object.optional("resolved_model")?.expectString("resolved_model")
        self.events =
            try object.optional("events").map { slice throws(MessageError) in
                try SlotEvent.output(decoding: try slice.expectRawArray("events"))
            } ?? []
        self.chain = try object.optional("chain")?.expectString("chain")
        self.round = try object.optional("round")?.expectInteger("round", in: 1...Int.max)
        self.embeddings = try object.optional("embeddings").map { slice throws(MessageError) in
            guard let vectors = EmbeddingText.vectors(slice) else {
                throw .wrongType("embeddings", expected: "an array of arrays of numbers")
            }
            return vectors
        }
        self.models = object.optional("models")?.value
        self.refreshed = object.optional("refreshed")?.value
        self.purposes = object.optional("purposes")?.value
        self.whoami = object.optional("whoami")?.value
        self.explanation = object.optional("explanation")?.value
        // A reload names what it changed too, and always says its warnings.
        if object["changed"] != nil, object["warnings"] == nil { self.secrets = try SecretsAnswer(decoding: object) }
        self.status = object.optional("status")?.value
        self.reload = try ReloadReport(decoding: object)
        self.group = try object.optional("group")?.expectString("group")
        if self.group != nil {
            self.groupRequests = try object.optional("requests")?.expectInteger("requests", in: 0...Int.max)
        } else {
            self.rows = (object.optional("logs") ?? object.optional("requests"))?.value
        }
        self.next = try object.optional("next")?.expectString("next")
    }
}
