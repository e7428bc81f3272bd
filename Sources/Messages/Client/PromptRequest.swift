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
    /// The conversation on record that the prompt continues; `nil` begins a new one.
    public var conversation: String?
    /// How long the client will wait for the last frame.
    public var timeoutMilliseconds: Int?

    static let fields = ["id", "op", "prompt", "system", "model", "stream", "options", "conversation", "timeout_ms"]

    /// Fields that have a name in the protocol and no meaning yet.
    public static let reservedFields = [
        "purpose", "actor", "messages", "attachments", "schema", "tools", "tool_results", "group",
    ]

    public init() {}

    /// A request made from texts.
    public init(
        prompt: String, system: String? = nil, model: String? = nil, stream: Bool = true, options: JSONValue? = nil,
        conversation: String? = nil
    ) {
        self.prompt = JSONValue.string(prompt).serialized()
        self.system = system.map { JSONValue.string($0).serialized() }
        self.model = model
        self.stream = stream
        self.options = options?.serialized()
        self.conversation = conversation
    }

    init(decoding object: JSONObject) throws(MessageError) {
        try object.expectOnly(Self.fields)
        self.prompt = try object.raw("prompt", .string)
        self.system = try object.raw("system", .string)
        self.model = try object.optional("model")?.expectString("model")
        if let model = self.model, model.utf8.count > ProtocolBounds.nameLength {
            throw .invalidValue("model", "longer than \(ProtocolBounds.nameLength) bytes")
        }
        self.stream = try object.optional("stream")?.expectBool("stream") ?? true
        self.options = try object.raw("options", .object)
        self.conversation = try object.optional("conversation")?.expectName("conversation")
        self.timeoutMilliseconds = try object.optional("timeout_ms")?
            .expectInteger("timeout_ms", in: 1...ProtocolBounds.timeoutMilliseconds)
    }

    /// The bytes of its texts and options.
    public var length: Int {
        (self.prompt?.count ?? 0) + (self.system?.count ?? 0) + (self.options?.count ?? 0)
    }

    func append(to object: inout JSONObjectBuilder) {
        if let prompt = self.prompt { object.add("prompt", raw: prompt) }
        if let system = self.system { object.add("system", raw: system) }
        object.add("model", ifPresent: self.model)
        if !self.stream { object.add("stream", false) }
        if let options = self.options { object.add("options", raw: options) }
        object.add("conversation", ifPresent: self.conversation)
        object.add("timeout_ms", ifPresent: self.timeoutMilliseconds)
    }
}
