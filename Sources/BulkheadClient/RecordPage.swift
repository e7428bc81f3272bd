public import JSON

/// A page of the record, newest first.
public struct RecordPage<Row: Sendable>: Sendable {
    /// Perhaps fewer than were asked for, even none: only ``next`` says whether there are more.
    public var rows: [Row]
    /// The `before` of the next page; `nil` on the last one.
    public var next: String?

    public init(rows: [Row], next: String?) {
        self.rows = rows
        self.next = next
    }
}

extension RecordPage: Equatable where Row: Equatable {}

/// What was asked and answered once: a row of the answer to `op: logs`.
public struct LogRow: Equatable, Sendable {
    /// The request's id, which is llm's id of the turn too.
    public var id: String
    /// `open`, `done`, `error`, `cancelled`, `crashed` or `lost`; `nil` for what llm itself wrote.
    public var state: String?
    /// Who asked.
    public var uid: Int?
    /// What it was for, and for whom.
    public var origin: RecordedOrigin
    public var provider: String?
    public var model: String
    /// Since 1970, UTC.
    public var startedAtMilliseconds: Int
    public var durationMilliseconds: Int?
    public var conversation: String?
    /// Made of the conversation's first prompt.
    public var conversationName: String?
    /// The conversation's system prompt.
    public var system: String?
    public var prompt: String
    /// What was shown with the prompt: objects with `id` and perhaps `type` and `url`.
    public var attachments: [JSONValue]
    /// An object.
    public var options: JSONValue?
    /// What the answer had to look like: a JSON Schema.
    public var schema: JSONValue?
    /// What was delivered of the answer.
    public var response: String
    public var reasoning: String?
    /// Objects with `tool_call_id`, `name` and `arguments`.
    public var toolCalls: [JSONValue]
    /// What came of tool calls: objects with `name`, `output` and perhaps `tool_call_id` and `exception`.
    public var toolResults: [JSONValue]
    public var inputTokens: Int?
    public var outputTokens: Int?
    public var finishReason: String?
    public var error: RecordedError?
    /// What hooks noted, by their names: an object.
    public var annotations: JSONValue?
    /// Whether something was too long for a page, and is cut or left out.
    public var isTruncated: Bool
    /// Why prompt or response are not whole in the file.
    public var unreadable: String?
    /// The whole row, as it came.
    public var json: JSONValue

    init(decoding value: JSONValue) throws(ClientError) {
        let members = AnswerMembers(value, of: "logs")
        self.id = try members.text("id")
        self.state = value["state"]?.string
        self.uid = members.optionalInteger("uid")
        self.origin = RecordedOrigin(value)
        self.provider = value["provider"]?.string
        self.model = try members.text("model")
        self.startedAtMilliseconds = try members.integer("started_at_ms")
        self.durationMilliseconds = members.optionalInteger("duration_ms")
        self.conversation = value["conversation"]?.string
        self.conversationName = value["conversation_name"]?.string
        self.system = value["system"]?.string
        self.prompt = try members.text("prompt")
        self.attachments = value["attachments"]?.array ?? []
        self.options = value["options"]
        self.schema = value["schema"]
        self.response = try members.text("response")
        self.reasoning = value["reasoning"]?.string
        self.toolCalls = value["tool_calls"]?.array ?? []
        self.toolResults = value["tool_results"]?.array ?? []
        self.inputTokens = value["usage"]?["input"]?.integer
        self.outputTokens = value["usage"]?["output"]?.integer
        self.finishReason = value["finish_reason"]?.string
        self.error = RecordedError(value["error"])
        self.annotations = value["annotations"]
        self.isTruncated = value["truncated"]?.bool ?? false
        self.unreadable = value["unreadable"]?.string
        self.json = value
    }
}

/// A row of the table of requests: who asked which model, how it ended and what it used.
public struct RequestRow: Equatable, Sendable {
    public var id: String
    /// `open`, `done`, `error`, `cancelled`, `crashed` or `lost`.
    public var state: String
    /// Since 1970, UTC.
    public var startedAtMilliseconds: Int
    public var durationMilliseconds: Int?
    public var uid: Int?
    public var pid: Int?
    /// The asker's other groups.
    public var groups: [Int]
    /// The asker's unit of systemd, where that could be seen.
    public var unit: String?
    /// What it was for, and for whom.
    public var origin: RecordedOrigin
    public var provider: String
    public var model: String
    /// The name of the key, where that is not the provider's.
    public var keyName: String?
    public var inputTokens: Int?
    public var outputTokens: Int?
    public var finishReason: String?
    public var error: RecordedError?
    /// `nil` where prompts are not stored.
    public var conversation: String?
    /// What was asked for: `prompt` or `embed`.
    public var operation: String
    /// What was tried, in order; none where one attempt was enough.
    public var attempts: [RecordedAttempt]
    /// What hooks noted, by their names: an object.
    public var annotations: JSONValue?
    /// The whole row, as it came.
    public var json: JSONValue

    init(decoding value: JSONValue) throws(ClientError) {
        let members = AnswerMembers(value, of: "requests")
        self.id = try members.text("id")
        self.state = try members.text("state")
        self.startedAtMilliseconds = try members.integer("started_at_ms")
        self.durationMilliseconds = members.optionalInteger("duration_ms")
        self.uid = members.optionalInteger("uid")
        self.pid = members.optionalInteger("pid")
        self.groups = value["groups"]?.array?.compactMap(\.integer) ?? []
        self.unit = value["unit"]?.string
        self.origin = RecordedOrigin(value)
        self.provider = try members.text("provider")
        self.model = try members.text("model")
        self.keyName = value["key_name"]?.string
        self.inputTokens = value["usage"]?["input"]?.integer
        self.outputTokens = value["usage"]?["output"]?.integer
        self.finishReason = value["finish_reason"]?.string
        self.error = RecordedError(value["error"])
        self.conversation = value["conversation"]?.string
        self.operation = value["operation"]?.string ?? "prompt"
        self.annotations = value["annotations"]
        self.attempts = []
        for attempt in value["attempts"]?.array ?? [] {
            self.attempts.append(try RecordedAttempt(decoding: attempt))
        }
        self.json = value
    }
}

/// Why a request on record failed.
public struct RecordedError: Equatable, Sendable {
    public var code: String
    public var message: String

    init?(_ value: JSONValue?) {
        guard let value, let code = value["code"]?.string else { return nil }
        self.code = code
        self.message = value["message"]?.string ?? ""
    }
}
