import JSON

/// What the supervisor tells the logger (proto/logger.md).
public enum LoggerCommand: Sendable, Equatable {
    /// The first frame: which run of the supervisor the sequence numbers belong to.
    ///
    /// A session that the logger does not know closes the rows that an earlier one left open, as `lost`.
    case begin(session: ULID, atMilliseconds: Int)
    /// A fact to commit. Sequence numbers grow by one; one that was committed already is ignored.
    case record(sequence: Int, LogRecord)

    public init(decoding bytes: [UInt8]) throws(MessageError) {
        let object = try JSONObject.internalMessage(bytes, bounds: .logRecord)
        switch try object.require("op").expectString("op") {
        case "begin":
            self = .begin(
                session: try ULID.named("session", in: object), atMilliseconds: try object.milliseconds("at_ms"))
        case let name:
            let sequence = try object.require("sequence").expectInteger("sequence", in: 1...Int.max)
            self = .record(sequence: sequence, try LogRecord(decoding: object, operation: name))
        }
    }

    public var encoded: [UInt8] {
        switch self {
        case .begin(let session, let milliseconds):
            var object = JSONObjectBuilder()
            object.add("op", "begin")
            object.add("session", session.description)
            object.add("at_ms", milliseconds)
            return object.finish()
        case .record(let sequence, let record):
            return record.encoded(sequence: sequence)
        }
    }
}

/// A fact about a request, for the record.
public enum LogRecord: Sendable, Equatable {
    /// A request was admitted.
    case open(OpenRecord)
    /// The model said more.
    case output(OutputRecord)
    /// An attempt of a request ended that is not its only one.
    case attempt(AttemptRecord)
    /// A request ended.
    case end(EndRecord)

    init(decoding object: JSONObject, operation: String) throws(MessageError) {
        switch operation {
        case "open": self = .open(try OpenRecord(decoding: object))
        case "output": self = .output(try OutputRecord(decoding: object))
        case "attempt": self = .attempt(try AttemptRecord(decoding: object))
        case "end": self = .end(try EndRecord(decoding: object))
        default: throw .invalidValue("op", "'\(operation)' is not known")
        }
    }

    public func encoded(sequence: Int) -> [UInt8] {
        var object = JSONObjectBuilder(minimumCapacity: 384 + self.contentLength)
        switch self {
        case .open(let record):
            object.add("op", "open")
            object.add("sequence", sequence)
            record.append(to: &object)
        case .output(let record):
            object.add("op", "output")
            object.add("sequence", sequence)
            record.append(to: &object)
        case .attempt(let record):
            object.add("op", "attempt")
            object.add("sequence", sequence)
            record.append(to: &object)
        case .end(let record):
            object.add("op", "end")
            object.add("sequence", sequence)
            record.append(to: &object)
        }
        return object.finish()
    }

    /// The bytes of what was asked or answered.
    private var contentLength: Int {
        switch self {
        case .open(let record): record.content?.length ?? 0
        case .output(let record): record.output.count
        case .attempt: 0
        case .end(let record): record.output?.count ?? 0
        }
    }
}

/// Who asked which model, and when.
public struct OpenRecord: Sendable, Equatable {
    /// What was asked for.
    public enum Operation: String, Sendable, CaseIterable {
        case prompt
        /// Vectors. Neither the texts nor the vectors go on record.
        case embed
    }

    public var request: ULID
    /// Milliseconds since 1970, UTC.
    public var atMilliseconds: Int
    /// The kernel's word on who is at the other end of the connection.
    public var peer: PeerCredentials
    public var provider: String
    public var model: String
    public var stream: Bool
    /// The chain that it is a round of.
    public var chain: ULID?
    public var operation: Operation
    /// What it is for, and on whose behalf where that is not the user itself.
    public var mandate: Mandate
    /// Whom the configuration takes the peer for; `nil` where it names nobody.
    public var caller: String?
    /// The name of the key that it is asked with, where that is not its provider's.
    public var keyName: String?
    /// What hooks noted, a JSON object.
    public var annotations: [UInt8]?
    /// What was asked; `nil` where prompts are not stored.
    public var content: PromptContent?

    public init(
        request: ULID, atMilliseconds: Int, peer: PeerCredentials, provider: String, model: String, stream: Bool,
        chain: ULID? = nil, operation: Operation = .prompt, mandate: Mandate = Mandate(), caller: String? = nil,
        keyName: String? = nil, annotations: [UInt8]? = nil, content: PromptContent? = nil
    ) {
        self.request = request
        self.atMilliseconds = atMilliseconds
        self.peer = peer
        self.provider = provider
        self.model = model
        self.stream = stream
        self.chain = chain
        self.operation = operation
        self.mandate = mandate
        self.caller = caller
        self.keyName = keyName
        self.annotations = annotations
        self.content = content
    }

    init(decoding object: JSONObject) throws(MessageError) {
        self.request = try ULID.named("request", in: object)
        self.atMilliseconds = try object.milliseconds("at_ms")
        self.peer = PeerCredentials(
            uid: try object.require("uid").expectInteger("uid", in: 0...Int(UInt32.max)),
            gid: try object.require("gid").expectInteger("gid", in: 0...Int(UInt32.max)),
            pid: try object.require("pid").expectInteger("pid", in: 0...Int(Int32.max)),
            groups: try object.optional("groups")?.expectArray("groups").compactMap(\.integer) ?? [],
            unit: try object.optional("unit")?.expectString("unit"))
        self.provider = try object.require("provider").expectString("provider")
        self.model = try object.require("model").expectString("model")
        self.stream = try object.require("stream").expectBool("stream")
        self.chain = object.optional("chain") == nil ? nil : try ULID.named("chain", in: object)
        let operation = try object.optional("operation")?.expectString("operation") ?? Operation.prompt.rawValue
        guard let operation = Operation(rawValue: operation) else {
            throw .invalidValue("operation", "'\(operation)' is not known")
        }
        self.operation = operation
        self.mandate = try Mandate(decoding: object)
        self.caller = try object.optional("caller")?.expectString("caller")
        self.keyName = try object.optional("key_name")?.expectString("key_name")
        self.annotations = try object.optional("annotations").map { slice throws(MessageError) in
            guard slice.kind == .object else { throw .wrongType("annotations", expected: "an object") }
            return Array(slice.raw)
        }
        self.content = try PromptContent(decoding: object)
    }

    func append(to object: inout JSONObjectBuilder) {
        object.add("request", self.request.description)
        object.add("at_ms", self.atMilliseconds)
        object.add("uid", self.peer.uid)
        object.add("gid", self.peer.gid)
        object.add("pid", self.peer.pid)
        if !self.peer.groups.isEmpty { object.add("groups", .array(self.peer.groups.map { .integer($0) })) }
        object.add("unit", ifPresent: self.peer.unit)
        object.add("provider", self.provider)
        object.add("model", self.model)
        object.add("stream", self.stream)
        object.add("chain", ifPresent: self.chain?.description)
        if self.operation != .prompt { object.add("operation", self.operation.rawValue) }
        self.mandate.append(to: &object)
        object.add("caller", ifPresent: self.caller)
        object.add("key_name", ifPresent: self.keyName)
        if let annotations = self.annotations { object.add("annotations", raw: annotations) }
        self.content?.append(to: &object)
    }
}

/// Who is at the other end of a Unix socket, as the kernel says (unix(7)), when it connected.
public struct PeerCredentials: Sendable, Hashable {
    /// SO_PEERCRED.
    public var uid: Int
    public var gid: Int
    public var pid: Int
    /// Its other groups (SO_PEERGROUPS).
    public var groups: [Int]
    /// The systemd unit that the process is in, where that could be seen. Nothing is decided by it.
    public var unit: String?

    public init(uid: Int, gid: Int, pid: Int, groups: [Int] = [], unit: String? = nil) {
        self.uid = uid
        self.gid = gid
        self.pid = pid
        self.groups = groups
        self.unit = unit
    }
}

/// How a request ended.
public struct EndRecord: Sendable, Equatable {
    /// The states in which a row may come to rest.
    public enum State: String, Sendable, CaseIterable {
        /// The answer is whole.
        case done
        /// The provider, or a deadline, or the daemon's own end said no.
        case error
        /// The client asked for it, or went away.
        case cancelled
        /// The worker died, hung or broke the protocol.
        case crashed
        /// The supervisor died while the request was open. Only the logger writes this.
        case lost
    }

    public var request: ULID
    public var atMilliseconds: Int
    public var state: State
    /// From admission to end, on the monotonic clock.
    public var durationMilliseconds: Int
    public var usage: Usage?
    public var finishReason: String?
    public var providerRequestID: String?
    public var failure: Failure?
    /// What the model said after the last ``OutputRecord``: a JSON array of events, where there is anything.
    public var output: [UInt8]?
    /// The model that answered, where it is another than was asked.
    public var resolvedModel: String?

    public init(
        request: ULID, atMilliseconds: Int, state: State, durationMilliseconds: Int, usage: Usage? = nil,
        finishReason: String? = nil, providerRequestID: String? = nil, failure: Failure? = nil, output: [UInt8]? = nil,
        resolvedModel: String? = nil
    ) {
        self.request = request
        self.atMilliseconds = atMilliseconds
        self.state = state
        self.durationMilliseconds = durationMilliseconds
        self.usage = usage
        self.finishReason = finishReason
        self.providerRequestID = providerRequestID
        self.failure = failure
        self.output = output
        self.resolvedModel = resolvedModel
    }

    init(decoding object: JSONObject) throws(MessageError) {
        self.request = try ULID.named("request", in: object)
        self.atMilliseconds = try object.milliseconds("at_ms")
        let state = try object.require("state").expectString("state")
        guard let state = State(rawValue: state), state != .lost else {
            throw .invalidValue("state", "'\(state)' is not known")
        }
        self.state = state
        self.durationMilliseconds = try object.milliseconds("duration_ms")
        self.usage = try object.optional("usage").map { slice throws(MessageError) in try Usage(decoding: slice) }
        self.finishReason = try object.optional("finish_reason")?.expectString("finish_reason")
        self.providerRequestID = try object.optional("provider_request_id")?.expectString("provider_request_id")
        self.failure = try object.optional("error").map { slice throws(MessageError) in try Failure(decoding: slice) }
        self.resolvedModel = try object.optional("resolved_model")?.expectString("resolved_model")
        self.output = try object.optional("output").map { slice throws(MessageError) in
            try slice.expectRawArray("output")
        }
    }

    func append(to object: inout JSONObjectBuilder) {
        object.add("request", self.request.description)
        object.add("at_ms", self.atMilliseconds)
        object.add("state", self.state.rawValue)
        object.add("duration_ms", self.durationMilliseconds)
        if let usage = self.usage { object.add("usage", raw: usage.encoded) }
        object.add("finish_reason", ifPresent: self.finishReason)
        object.add("provider_request_id", ifPresent: self.providerRequestID)
        if let failure = self.failure { object.add("error", raw: failure.encoded) }
        if let output = self.output { object.add("output", raw: output) }
        object.add("resolved_model", ifPresent: self.resolvedModel)
    }
}

extension ULID {
    static func named(_ name: String, in object: JSONObject) throws(MessageError) -> ULID {
        guard let ulid = ULID(try object.require(name).expectString(name)) else {
            throw .wrongType(name, expected: "a ULID")
        }
        return ulid
    }
}

extension JSONSlice {
    /// An array as it was written.
    func expectRawArray(_ name: String) throws(MessageError) -> [UInt8] {
        guard self.kind == .array else { throw .wrongType(name, expected: "an array") }
        return Array(self.raw)
    }
}

extension JSONObject {
    func milliseconds(_ name: String) throws(MessageError) -> Int {
        try self.require(name).expectInteger(name, in: 0...Int.max)
    }
}
