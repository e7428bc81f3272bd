import JSON

/// A slot's event as the supervisor reads it: enough to decide by, and the bytes to pass on.
///
/// A worker is not trusted: an event that is not exactly one of the protocol's condemns its process.
public struct SlotEventEnvelope: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// Text, reasoning or a tool call: passed on as it is.
        case output
        case done(SlotOutcome)
        case error(Failure, usage: Usage?)
    }

    public var kind: Kind
    /// The event as it came.
    public var bytes: [UInt8]

    private static let pieceFields = ["event", "text"]
    private static let toolCallFields = ["event", "tool_call_id", "name", "arguments"]
    private static let doneFields = [
        "event", "usage", "finish_reason", "provider_request_id", "text", "reasoning", "tool_calls",
    ]
    private static let errorFields = ["event", "error", "usage"]

    /// The fields that an event may have; `nil` for one that the protocol does not know.
    private static func fields(of event: String) -> [String]? {
        switch event {
        case "text", "reasoning": self.pieceFields
        case "tool_call": self.toolCallFields
        case "done": self.doneFields
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
        guard name == "done" || name == "error" || bytes.count <= ProtocolBounds.eventFrame else {
            throw .invalidValue("event", "longer than \(ProtocolBounds.eventFrame) bytes")
        }
        self.bytes = bytes
        switch name {
        case "text", "reasoning":
            guard try object.require("text").kind == .string else { throw .wrongType("text", expected: "a string") }
            self.kind = .output
        case "tool_call":
            _ = try ToolCall(decoding: object)
            self.kind = .output
        case "done":
            self.kind = .done(try SlotOutcome(decoding: object))
        default:
            let failure = try Failure(decoding: try object.require("error"))
            guard failure.code.mayComeFromWorker else {
                throw .invalidValue("code", "'\(failure.code.rawValue)' is not a worker's to say")
            }
            self.kind = .error(
                failure,
                usage: try object.optional("usage").map { slice throws(MessageError) in
                    try Usage(decoding: slice)
                })
        }
    }
}

/// What of a success goes on record.
public struct SlotOutcome: Sendable, Equatable {
    public var usage: Usage?
    public var finishReason: String?
    public var providerRequestID: String?

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
        if let text = object.optional("text"), text.kind != .string { throw .wrongType("text", expected: "a string") }
        if let text = object.optional("reasoning"), text.kind != .string {
            throw .wrongType("reasoning", expected: "a string")
        }
        if let calls = object.optional("tool_calls") { _ = try ToolCall.list(decoding: calls) }
    }
}
