import JSON

/// One attempt of a request that needed more than one.
public struct RecordedAttempt: Equatable, Sendable {
    /// From 1.
    public var number: Int
    public var provider: String
    public var model: String
    /// Since 1970, UTC.
    public var startedAtMilliseconds: Int
    public var durationMilliseconds: Int
    public var inputTokens: Int?
    public var outputTokens: Int?
    /// `nil` for the one that succeeded.
    public var error: RecordedError?

    init(decoding value: JSONValue) throws(ClientError) {
        let members = AnswerMembers(value, of: "requests.attempts")
        self.number = try members.integer("attempt")
        self.provider = try members.text("provider")
        self.model = try members.text("model")
        self.startedAtMilliseconds = try members.integer("started_at_ms")
        self.durationMilliseconds = try members.integer("duration_ms")
        self.inputTokens = value["usage"]?["input"]?.integer
        self.outputTokens = value["usage"]?["output"]?.integer
        self.error = RecordedError(value["error"])
    }
}
