import JSON

/// One attempt of a request that needed more than one.
public struct AttemptRecord: Sendable, Equatable {
    public var request: ULID
    /// From 1, in the order of the attempts.
    public var number: Int
    public var provider: String
    public var model: String
    /// When it was handed to a slot, or could not be, in milliseconds since 1970, UTC.
    public var atMilliseconds: Int
    /// From then to its end, on the monotonic clock.
    public var durationMilliseconds: Int
    /// What it used, where that is known.
    public var usage: Usage?
    public var providerRequestID: String?
    /// Why it failed; `nil` for the one that succeeded. Its message is cut to ``maximumMessageLength``.
    public var failure: Failure?

    /// The longest message in bytes.
    public static let maximumMessageLength = 256
    /// The highest number.
    public static let maximumNumber = 1000

    public init(
        request: ULID, number: Int, provider: String, model: String, atMilliseconds: Int, durationMilliseconds: Int,
        usage: Usage? = nil, providerRequestID: String? = nil, failure: Failure? = nil
    ) {
        self.request = request
        self.number = number
        self.provider = provider
        self.model = model
        self.atMilliseconds = atMilliseconds
        self.durationMilliseconds = durationMilliseconds
        self.usage = usage
        self.providerRequestID = providerRequestID
        self.failure = failure
        self.failure?.message = failure?.message.truncated(toUTF8Length: Self.maximumMessageLength) ?? ""
    }

    init(decoding object: JSONObject) throws(MessageError) {
        self.init(
            request: try ULID.named("request", in: object),
            number: try object.require("number").expectInteger("number", in: 1...Self.maximumNumber),
            provider: try object.require("provider").expectString("provider"),
            model: try object.require("model").expectString("model"),
            atMilliseconds: try object.milliseconds("at_ms"),
            durationMilliseconds: try object.milliseconds("duration_ms"),
            usage: try object.optional("usage").map { slice throws(MessageError) in try Usage(decoding: slice) },
            providerRequestID: try object.optional("provider_request_id")?.expectString("provider_request_id"),
            failure: try object.optional("error").map { slice throws(MessageError) in try Failure(decoding: slice) })
    }

    func append(to object: inout JSONObjectBuilder) {
        object.add("request", self.request.description)
        object.add("number", self.number)
        object.add("provider", self.provider)
        object.add("model", self.model)
        object.add("at_ms", self.atMilliseconds)
        object.add("duration_ms", self.durationMilliseconds)
        if let usage = self.usage { object.add("usage", raw: usage.encoded) }
        object.add("provider_request_id", ifPresent: self.providerRequestID)
        if let failure = self.failure { object.add("error", raw: failure.encoded) }
    }
}
