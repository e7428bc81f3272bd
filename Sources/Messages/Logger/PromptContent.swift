import JSON

/// What a prompt asked, for the record.
///
/// Texts are the JSON that the client sent, so that the supervisor need not read them.
public struct PromptContent: Sendable, Equatable {
    /// The thread that the prompt belongs to: llm's conversation.
    public var conversation: String
    /// The hash of the message that the prompt follows; `nil` where it begins the thread.
    public var parent: String?
    /// The prompt, a JSON string; `nil` is an empty one.
    public var prompt: [UInt8]?
    /// The system prompt, a JSON string. A thread has one at its beginning, or none.
    public var system: [UInt8]?
    /// The model's options, a JSON object.
    public var options: [UInt8]?

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

    /// The bytes of the texts.
    public var length: Int {
        (self.prompt?.count ?? 0) + (self.system?.count ?? 0) + (self.options?.count ?? 0)
    }

    /// `nil` where the object names no conversation.
    init?(decoding object: JSONObject) throws(MessageError) {
        guard let conversation = object.optional("conversation") else { return nil }
        self.conversation = try conversation.expectString("conversation")
        self.parent = try object.optional("parent")?.expectString("parent")
        self.prompt = try object.raw("prompt", .string)
        self.system = try object.raw("system", .string)
        self.options = try object.raw("options", .object)
    }

    func append(to object: inout JSONObjectBuilder) {
        object.add("conversation", self.conversation)
        object.add("parent", ifPresent: self.parent)
        if let prompt = self.prompt { object.add("prompt", raw: prompt) }
        if let system = self.system { object.add("system", raw: system) }
        if let options = self.options { object.add("options", raw: options) }
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
