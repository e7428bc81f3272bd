import JSON

/// What a prompt asked, for the record.
///
/// Texts are the JSON that the client sent, so that the supervisor need not read them.
public struct PromptContent: Sendable, Equatable {
    /// The thread that the prompt belongs to: llm's conversation.
    public var conversation: String
    /// The hash of the message that the prompt follows; `nil` where it begins the thread.
    public var parent: String?
    /// The request whose answer the prompt follows, as a later round of a chain does; `parent` is `nil` then.
    public var follows: ULID?
    /// The prompt, a JSON string; `nil` is an empty one.
    public var prompt: [UInt8]?
    /// The system prompt, a JSON string. A thread has one at its beginning, or none.
    public var system: [UInt8]?
    /// The model's options, a JSON object.
    public var options: [UInt8]?
    /// What the client says was said before, a JSON array of messages.
    public var messages: [UInt8]?
    /// A JSON array, as are the tools and the results.
    public var attachments: [UInt8]?
    /// A JSON Schema.
    public var schema: [UInt8]?
    public var tools: [UInt8]?
    public var toolResults: [UInt8]?

    public init(
        conversation: String, parent: String? = nil, prompt: [UInt8]? = nil, system: [UInt8]? = nil,
        options: [UInt8]? = nil
    ) {
        self.conversation = conversation
        self.parent = parent
        self.prompt = prompt
        self.system = system
        self.options = options
    }

    /// What `prompt` asks.
    public init(_ prompt: PromptRequest, conversation: String, parent: String?) {
        self.init(
            conversation: conversation, parent: parent, prompt: prompt.prompt, system: prompt.system,
            options: prompt.options)
        self.messages = prompt.messages
        self.attachments = prompt.attachments
        self.schema = prompt.schema
        self.tools = prompt.tools
        self.toolResults = prompt.toolResults
    }

    /// Says that it follows the answer to `request`, and only what it adds to that.
    public mutating func follow(_ request: ULID) {
        self.follows = request
        (self.parent, self.system, self.messages) = (nil, nil, nil)
    }

    /// The bytes of all that is JSON already.
    public var length: Int {
        [
            self.prompt, self.system, self.options, self.messages, self.attachments, self.schema, self.tools,
            self.toolResults,
        ].reduce(0) { $0 + ($1?.count ?? 0) }
    }

    /// `nil` where the object names no conversation.
    init?(decoding object: JSONObject) throws(MessageError) {
        guard let conversation = object.optional("conversation") else { return nil }
        self.conversation = try conversation.expectString("conversation")
        self.parent = try object.optional("parent")?.expectString("parent")
        self.follows = object.optional("follows") == nil ? nil : try ULID.named("follows", in: object)
        self.prompt = try object.raw("prompt", .string)
        self.system = try object.raw("system", .string)
        self.options = try object.raw("options", .object)
        self.messages = try object.raw("messages", .array)
        self.attachments = try object.raw("attachments", .array)
        self.schema = try object.raw("schema", .object)
        self.tools = try object.raw("tools", .array)
        self.toolResults = try object.raw("tool_results", .array)
    }

    func append(to object: inout JSONObjectBuilder) {
        object.add("conversation", self.conversation)
        object.add("parent", ifPresent: self.parent)
        object.add("follows", ifPresent: self.follows?.description)
        if let prompt = self.prompt { object.add("prompt", raw: prompt) }
        if let system = self.system { object.add("system", raw: system) }
        if let options = self.options { object.add("options", raw: options) }
        if let messages = self.messages { object.add("messages", raw: messages) }
        if let attachments = self.attachments { object.add("attachments", raw: attachments) }
        if let schema = self.schema { object.add("schema", raw: schema) }
        if let tools = self.tools { object.add("tools", raw: tools) }
        if let results = self.toolResults { object.add("tool_results", raw: results) }
    }
}

extension JSONObject {
    /// The member `name` as it was written, if it is there.
    func raw(_ name: String, _ kind: JSONToken.Kind) throws(MessageError) -> [UInt8]? {
        guard let slice = self.optional(name) else { return nil }
        guard slice.kind == kind else {
            throw .wrongType(name, expected: kind == .object ? "an object" : "a \(kind.rawValue)")
        }
        return Array(slice.raw)
    }
}
