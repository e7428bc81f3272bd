import JSON

/// A slot's event as the supervisor reads it: enough to decide by, and the bytes to pass on.
///
/// A worker is not trusted: an event that is not exactly one of the protocol's condemns its process.
public struct SlotEventEnvelope: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// Text, reasoning or a tool call: passed on as it is.
        case output(SlotOutput)
        /// Work goes on: a batch of embeddings is done, or a tool call grows; nothing to pass on.
        case progress
        case done(SlotOutcome)
        /// What the provider lists, which ends a question for models.
        case models([ModelDescription])
        case error(Failure, usage: Usage?)
    }

    public var kind: Kind
    /// The event as it came.
    public var bytes: [UInt8]

    init(_ kind: Kind, _ bytes: [UInt8]) {
        self.kind = kind
        self.bytes = bytes
    }

    private static let pieceFields = ["event", "text"]
    private static let toolCallFields = ["event", "tool_call_id", "name", "arguments", "server_executed"]
    private static let toolResultFields = [
        "event", "name", "output", "tool_call_id", "server_executed", "exception", "attachments",
    ]
    private static let metadataFields = ["event", "of", "redacted", "provider_metadata"]
    private static let doneFields = [
        "event", "usage", "finish_reason", "provider_request_id", "resolved_model", "text", "reasoning", "tool_calls",
        "events",
    ]
    static let errorFields = ["event", "error", "usage"]

    /// The fields that an event may have; `nil` for one that the protocol does not know.
    private static func fields(of event: String) -> [String]? {
        switch event {
        case "text", "reasoning": self.pieceFields
        case "tool_call": self.toolCallFields
        case "tool_result": self.toolResultFields
        case "metadata": self.metadataFields
        case "done": self.doneFields
        case "models": ["event", "models"]
        case "progress": ["event"]
        case "error": self.errorFields
        default: nil
        }
    }

    public init(decoding bytes: [UInt8]) throws(MessageError) {
        let object = try JSONObject.internalMessage(bytes, bounds: .slotEvent)
        let name = try object.require("event").expectString("event")
        guard let fields = Self.fields(of: name) else {
            throw .invalidValue("event", "'\(name.truncated(toUTF8Length: 64))' is not known")
        }
        try object.expectOnly(fields)
        guard ["done", "error", "models"].contains(name) || bytes.count <= ProtocolBounds.eventFrame else {
            throw .invalidValue("event", "longer than \(ProtocolBounds.eventFrame) bytes")
        }
        self.bytes = bytes
        switch name {
        case "text", "reasoning":
            let content = try object.require("text").expectStringContent("text")
            self.kind = .output(name == "text" ? .text(content) : .reasoning(content))
        case "tool_call":
            _ = try ToolCall(decoding: object)
            self.kind = .output(.whole)
        case "tool_result", "metadata":
            _ = try SlotEvent(output: object.value)
            self.kind = .output(.whole)
        case "done":
            self.kind = .done(try SlotOutcome(decoding: object))
        case "progress": self.kind = .progress
        case "models":
            let models = try ModelDescription.list(decoding: try object.require("models"))
            guard models.count <= ModelListing.maximumModels, models.allSatisfy({ ModelListing.isUsable($0.id) }) else {
                throw .invalidValue("models", "more than \(ModelListing.maximumModels), or with ids that are none")
            }
            self.kind = .models(models)
        default:
            self.kind = try Self.error(object)
        }
    }

    static func error(_ object: JSONObject) throws(MessageError) -> Kind {
        let failure = try Failure(decoding: try object.require("error"))
        guard failure.code.mayComeFromWorker else {
            throw .invalidValue("code", "'\(failure.code.rawValue)' is not a worker's to say")
        }
        return .error(
            failure,
            usage: try object.optional("usage").map { slice throws(MessageError) in try Usage(decoding: slice) })
    }
}

/// A piece of an answer, as it stands in its event.
public enum SlotOutput: Sendable, Equatable {
    /// Where the content of the JSON string is, without its quotes.
    case text(Range<Int>)
    case reasoning(Range<Int>)
    /// The whole event: a tool call, a tool's result, or metadata.
    case whole
}

/// What of a success goes on record.
public struct SlotOutcome: Sendable, Equatable {
    /// The answer of a request that was not streamed, as it stands in its event.
    public struct Answer: Sendable, Equatable {
        /// Where the contents of the JSON strings are, without their quotes.
        public var text: Range<Int>?
        public var reasoning: Range<Int>?
        public var toolCalls: [ToolCall] = []
        /// Where the JSON array of events is that says all of it, if there is one.
        public var events: Range<Int>?

        public var isEmpty: Bool {
            (self.text?.isEmpty ?? true) && (self.reasoning?.isEmpty ?? true) && self.toolCalls.isEmpty
                && self.events == nil
        }
    }

    public var answer = Answer()
    public var usage: Usage?
    public var finishReason: String?
    public var providerRequestID: String?
    public var resolvedModel: String?

    public init(usage: Usage? = nil, finishReason: String? = nil, providerRequestID: String? = nil) {
        self.usage = usage
        self.finishReason = finishReason
        self.providerRequestID = providerRequestID
    }

    init(decoding object: JSONObject) throws(MessageError) {
        self.usage = try object.optional("usage").map { slice throws(MessageError) in try Usage(decoding: slice) }
        self.finishReason = try object.optional("finish_reason")?.expectString("finish_reason").truncated(
            toUTF8Length: 64)
        self.providerRequestID = try object.optional("provider_request_id")?.expectString("provider_request_id")
            .truncated(toUTF8Length: 128)
        self.resolvedModel = try object.optional("resolved_model")?.expectString("resolved_model").truncated(
            toUTF8Length: ProtocolBounds.nameLength)
        self.answer.text = try object.optional("text")?.expectStringContent("text")
        self.answer.reasoning = try object.optional("reasoning")?.expectStringContent("reasoning")
        if let calls = object.optional("tool_calls") { self.answer.toolCalls = try ToolCall.list(decoding: calls) }
        if let events = object.optional("events") {
            _ = try SlotEvent.output(decoding: try events.expectRawArray("events"))
            self.answer.events = events.raw.startIndex..<events.raw.endIndex
        }
    }
}

extension JSONSlice {
    /// Where the content of a string is, without its quotes.
    fileprivate func expectStringContent(_ name: String) throws(MessageError) -> Range<Int> {
        guard self.kind == .string else { throw .wrongType(name, expected: "a string") }
        return self.raw.startIndex + 1..<self.raw.endIndex - 1
    }
}
