public import JSON

/// How a request ended that did not succeed: a code for programs, a sentence for people.
public struct Failure: Error, Equatable, Sendable {
    public var code: ErrorCode
    /// What happened, and what to do next. At most ``maximumMessageLength`` bytes of UTF-8, and nothing secret.
    public var message: String
    /// How long the provider asked to wait before another try, in milliseconds.
    public var retryAfterMilliseconds: Int?
    /// The name under which the provider knows the request, for a question to its support.
    public var providerRequestID: String?

    /// The longest message in bytes; a longer one is cut at a character.
    public static let maximumMessageLength = 1024
    /// The longest wait that is passed on, in milliseconds: 24 days. A provider that asks for more is taken to ask for
    /// this.
    public static let maximumRetryAfterMilliseconds = Int(Int32.max)

    public init(
        _ code: ErrorCode, _ message: String, retryAfterMilliseconds: Int? = nil, providerRequestID: String? = nil
    ) {
        self.code = code
        self.message = message.truncated(toUTF8Length: Self.maximumMessageLength)
        self.retryAfterMilliseconds = retryAfterMilliseconds.map { min(max($0, 0), Self.maximumRetryAfterMilliseconds) }
        self.providerRequestID = providerRequestID?.truncated(toUTF8Length: 128)
    }

    /// `{"code":…,"message":…,"retryable":…}` and what else is known.
    public var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        object.add("code", self.code.rawValue)
        object.add("message", self.message)
        object.add("retryable", self.code.isRetryable)
        object.add("retry_after_ms", ifPresent: self.retryAfterMilliseconds)
        object.add("provider_request_id", ifPresent: self.providerRequestID)
        return object.finish()
    }

    /// Reads ``encoded``. Members that are not known are ignored.
    public init(decoding slice: JSONSlice) throws(MessageError) {
        guard let object = slice.object else { throw .wrongType("error", expected: "an object") }
        let text = try object.require("code").expectString("code")
        guard let code = ErrorCode(rawValue: text) else { throw .invalidValue("code", "'\(text)' is no error code") }
        self.init(
            code, try object.require("message").expectString("message"),
            retryAfterMilliseconds: try object.optional("retry_after_ms")?.expectInteger(
                "retry_after_ms", in: 0...Self.maximumRetryAfterMilliseconds),
            providerRequestID: try object.optional("provider_request_id")?.expectString("provider_request_id"))
    }
}

extension String {
    /// The string, or as many of its first characters as fit `length` bytes of UTF-8.
    public func truncated(toUTF8Length length: Int) -> String {
        guard self.utf8.count > length else { return self }
        var end = self.utf8.index(self.startIndex, offsetBy: length)
        while end > self.startIndex, end.samePosition(in: self.unicodeScalars) == nil {
            end = self.utf8.index(before: end)
        }
        return String(self[..<end])
    }
}
