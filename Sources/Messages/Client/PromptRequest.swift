public import JSON

/// `op: prompt`: one question to one model.
///
/// The supervisor reads only what it decides by; the rest stays the JSON text that the client sent, on its way to the
/// worker.
public struct PromptRequest: Sendable, Equatable {
    /// The prompt, a JSON string; `null` and absent mean an empty one.
    public var prompt: [UInt8]?
    /// The system prompt, a JSON string.
    public var system: [UInt8]?
    /// A model's id or alias; `nil` and `""` mean the default model.
    public var model: String?
    /// Whether the answer comes in pieces as it is made (the default), or whole in the last frame.
    public var stream = true
    /// The model's options, a JSON object.
    public var options: [UInt8]?
    /// What was said before, a JSON array of messages; instead of a conversation on record.
    public var messages: [UInt8]?
    /// What is shown with the prompt, a JSON array.
    public var attachments: [UInt8]?
    /// What the answer must look like: a JSON Schema.
    public var schema: [UInt8]?
    /// The tools that the model may ask for, a JSON array.
    public var tools: [UInt8]?
    /// What came of the tool calls of the answer before, a JSON array.
    public var toolResults: [UInt8]?
    /// The conversation on record that the prompt continues; `nil` begins a new one.
    public var conversation: String?
    public var mandate = Mandate()
    /// How long the client will wait for the last frame.
    public var timeoutMilliseconds: Int?
    /// What the model must be able to do.
    public internal(set) var needs = PromptNeeds()

    static let fields =
        [
            "id", "op", "prompt", "system", "model", "stream", "options", "messages", "attachments", "schema",
            "tools", "tool_results", "conversation", "timeout_ms",
        ] + Mandate.fields

    public init() {}

    /// A request made from values.
    ///
    /// - Parameters:
    ///   - stream: Whether the answer comes in pieces as it is made, or whole in the last frame.
    ///   - schema: A JSON Schema, or a text: llm's short form of one (`name, age int: in years`).
    ///   - tools: What the model may ask for, no two of one name.
    ///   - toolResults: What came of the tool calls of the answer before.
    ///   - messages: What was said before, where the client keeps the conversation itself; not beside `conversation`.
    ///   - conversation: The conversation on record that this continues; `nil` begins one.
    ///   - purpose: What it is for, which decides about models, options and keys.
    ///   - actor: Whom it is for, where the caller may say so.
    public init(
        prompt: String, system: String? = nil, model: String? = nil, stream: Bool = true, options: JSONValue? = nil,
        attachments: [Attachment] = [], schema: JSONValue? = nil, tools: [ToolDefinition] = [],
        toolResults: [ToolResult] = [], messages: [ModelMessage] = [], conversation: String? = nil,
        purpose: String? = nil, actor: String? = nil
    ) {
        self.prompt = JSONValue.string(prompt).serialized()
        self.system = system.map { JSONValue.string($0).serialized() }
        self.model = model
        self.stream = stream
        self.options = options?.serialized()
        self.attachments = Self.array(attachments.map(\.value))
        self.schema = schema?.serialized()
        self.tools = Self.array(tools.map(\.value))
        self.toolResults = Self.array(toolResults.map(\.value))
        self.messages = Self.array(messages.map(\.value))
        self.conversation = conversation
        self.mandate = Mandate(purpose: purpose, actor: actor)
        self.needs.schema = schema != nil
        self.needs.tools = !tools.isEmpty
        self.needs.note(attachments)
        for result in toolResults { self.needs.note(result.attachments) }
        for message in messages { self.needs.note(message) }
    }

    /// The values as JSON; `nil` where there is none.
    private static func array(_ values: [JSONValue]) -> [UInt8]? {
        values.isEmpty ? nil : JSONValue.array(values).serialized()
    }

    /// - Parameter fields: Those that the request may have.
    init(decoding object: JSONObject, fields: [String] = Self.fields) throws(MessageError) {
        try object.expectOnly(fields)
        self.prompt = try object.raw("prompt", .string)
        self.system = try object.raw("system", .string)
        self.model = try object.optional("model")?.expectString("model")
        if let model = self.model, model.utf8.count > ProtocolBounds.nameLength {
            throw .invalidValue("model", "longer than \(ProtocolBounds.nameLength) bytes")
        }
        self.stream = try object.optional("stream")?.expectBool("stream") ?? true
        self.options = try object.raw("options", .object)
        if let messages = object.optional("messages") {
            for message in try ModelMessage.list(messages.value) {
                for part in message.parts { try Self.check(part.content.attachments, "messages") }
                self.needs.note(message)
            }
        }
        self.messages = try object.raw("messages", .array)
        if let attachments = object.optional("attachments") {
            let attachments = try Attachment.list(attachments.value)
            try Self.check(attachments, "attachments")
            self.needs.note(attachments)
        }
        self.attachments = try object.raw("attachments", .array)
        self.schema = try Self.schema(object)
        self.needs.schema = self.schema != nil
        if let tools = object.optional("tools") { self.needs.tools = try !ToolDefinition.list(tools.value).isEmpty }
        self.tools = try object.raw("tools", .array)
        if let results = object.optional("tool_results") {
            for result in try ToolResult.list(results.value) {
                try Self.check(result.attachments, "tool_results")
                self.needs.note(result.attachments)
            }
        }
        self.toolResults = try object.raw("tool_results", .array)
        self.conversation = try object.optional("conversation")?.expectName("conversation")
        if self.conversation != nil, self.messages != nil {
            throw .invalidValue("messages", "the conversation has its own; name one of the two")
        }
        self.mandate = try Mandate(decoding: object)
        self.timeoutMilliseconds = try object.optional("timeout_ms")?
            .expectInteger("timeout_ms", in: 1...ProtocolBounds.timeoutMilliseconds)
    }

    /// No file is opened for a client, and what is no base64 would be refused by a provider, in its own words.
    static func check(_ attachments: [Attachment], _ field: String) throws(MessageError) {
        for (index, attachment) in attachments.enumerated() {
            if let type = attachment.mediaType, type.utf8.count > ProtocolBounds.nameLength {
                throw .invalidValue(
                    field, "the type of attachment \(index + 1) is longer than \(ProtocolBounds.nameLength) bytes")
            }
            switch attachment.source {
            case .url: break
            case .path:
                throw .invalidValue(field, "the daemon opens no files of clients: send the 'content' in base64")
            case .content(let content):
                guard Base64.isValid(content) else {
                    throw .invalidValue(
                        field, "the 'content' of attachment \(index + 1) is not base64 (RFC 4648, with its padding)")
                }
            }
        }
    }

    /// A JSON Schema, or llm's short form of one.
    private static func schema(_ object: JSONObject) throws(MessageError) -> [UInt8]? {
        guard let slice = object.optional("schema") else { return nil }
        switch slice.kind {
        case .object: return Array(slice.raw)
        case .string:
            do { return try SchemaText.schema(slice.string!).serialized() } catch {
                throw .invalidValue("schema", error.description)
            }
        default: throw .wrongType("schema", expected: "a JSON Schema, or a text such as 'name, age int'")
        }
    }

    /// Appends what goes to the worker as it came: all but prompt and system.
    func appendContent(to object: inout JSONObjectBuilder) {
        if let messages = self.messages { object.add("messages", raw: messages) }
        if let attachments = self.attachments { object.add("attachments", raw: attachments) }
        if let schema = self.schema { object.add("schema", raw: schema) }
        if let tools = self.tools { object.add("tools", raw: tools) }
        if let results = self.toolResults { object.add("tool_results", raw: results) }
    }

    /// The bytes of all that is JSON already.
    public var length: Int {
        [
            self.prompt, self.system, self.options, self.messages, self.attachments, self.schema, self.tools,
            self.toolResults,
        ].reduce(0) { $0 + ($1?.count ?? 0) }
    }

    func append(to object: inout JSONObjectBuilder) {
        if let prompt = self.prompt { object.add("prompt", raw: prompt) }
        if let system = self.system { object.add("system", raw: system) }
        object.add("model", ifPresent: self.model)
        if !self.stream { object.add("stream", false) }
        if let options = self.options { object.add("options", raw: options) }
        self.appendContent(to: &object)
        object.add("conversation", ifPresent: self.conversation)
        self.mandate.append(to: &object)
        object.add("timeout_ms", ifPresent: self.timeoutMilliseconds)
    }
}
