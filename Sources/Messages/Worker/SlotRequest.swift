public import JSON

/// What the supervisor writes to a slot (proto/worker.md).
public enum SlotRequest: Sendable, Equatable {
    /// Run this. The slot answers with events, the last of which is `done` or `error`.
    case prompt(ModelRequest)
    /// Ask the provider which models it has. The slot answers with one event, `models` or `error`.
    case listModels(ModelListing)
    /// Make these vectors. The slot answers with events, the last of which is `done` or `error`.
    case embed(EmbeddingRequest)
    /// End that request. A slot that has already ended it ignores this.
    case cancel(request: ULID)

    public init(decoding bytes: [UInt8]) throws(MessageError) {
        let object = try JSONObject.internalMessage(bytes, bounds: .slotRequest)
        switch try object.require("op").expectString("op") {
        case "prompt": self = .prompt(try ModelRequest(decoding: object))
        case "list_models": self = .listModels(try ModelListing(decoding: object))
        case "embed": self = .embed(try EmbeddingRequest(decoding: object))
        case "cancel": self = .cancel(request: try ULID(decoding: try object.require("request")))
        case let name: throw .invalidValue("op", "'\(name)' is not known")
        }
    }

    /// Whether a slot will read the frame. What one client sent it will; what a chain has gathered may be too much.
    public static func isReadable(_ frame: [UInt8]) -> Bool {
        guard frame.count <= ProtocolBounds.workerRequestFrame else { return false }
        // A value takes two bytes at least: a frame as short as this holds not too many.
        guard frame.count > 2 * JSONBounds.slotRequest.nodes else { return true }
        return (try? JSONObject(frame, bounds: .slotRequest)) != nil
    }

    /// The frame that ends `request`.
    public static func encodeCancel(_ request: ULID) -> [UInt8] {
        var object = JSONObjectBuilder()
        object.add("op", "cancel")
        object.add("request", request.description)
        return object.finish()
    }

    /// The frame that runs a client's prompt.
    ///
    /// - Parameters:
    ///   - messages: What was said before in the conversation on record, a JSON array (``ModelMessage``); `nil` where it
    ///     begins.
    ///   - key: The provider's key, which travels nowhere else.
    public static func encodePrompt(
        _ prompt: PromptRequest, request: ULID, model: String, messages: [UInt8]? = nil, key: String?
    ) -> [UInt8] {
        var prompt = prompt
        prompt.messages = messages ?? prompt.messages
        let payload = prompt.length
        var object = JSONObjectBuilder(minimumCapacity: payload + 256)
        object.add("op", "prompt")
        object.add("request", request.description)
        object.add("model", model)
        object.add("stream", prompt.stream)
        prompt.appendContent(to: &object)
        if let text = prompt.prompt { object.add("prompt", raw: text) }
        if let system = prompt.system { object.add("system", raw: system) }
        if let options = prompt.options { object.add("options", raw: options) }
        object.add("key", ifPresent: key)
        return object.finish()
    }

    /// The options in a frame that one of the functions above returned.
    public static func options(of frame: [UInt8]) -> [JSONValue.Member] {
        (try? JSONObject(frame, bounds: .slotRequest))?["options"]?.value.members ?? []
    }

    /// The same frame for another model, and with another key.
    ///
    /// - Parameters:
    ///   - frame: What one of the functions above returned: its key, if it has one, is its last member.
    ///   - options: What takes the place of its options; `nil` where they stay.
    public static func readdress(_ frame: [UInt8], model: String, options: JSONValue? = nil, key: String?) -> [UInt8] {
        guard let object = try? JSONObject(frame, bounds: .slotRequest),
            let named = object.members.first(where: { $0.name == "model" }),
            let last = object.members.last(where: { $0.name != "key" })
        else { preconditionFailure("a frame for a slot that names no model") }
        var changes = [(named.value.range, JSONValue.string(model).serialized())]
        var ending: [UInt8] = []
        if let options {
            if let place = object.members.first(where: { $0.name == "options" }) {
                changes.append((place.value.range, options.serialized()))
            } else {
                ending += Array(#","options":"#.utf8) + options.serialized()
            }
        }
        if let key { ending += Array(#","key":"#.utf8) + JSONValue.string(key).serialized() }
        ending.append(UInt8(ascii: "}"))
        var result: [UInt8] = []
        result.reserveCapacity(changes.reduce(frame.count + ending.count) { $0 + $1.1.count })
        var position = 0
        for (range, text) in changes.sorted(by: { $0.0.lowerBound < $1.0.lowerBound }) {
            result += frame[position..<range.lowerBound]
            result += text
            position = range.upperBound
        }
        result += frame[position..<last.value.range.upperBound]
        result += ending
        return result
    }
}

/// One request to a model, as a slot runs it.
public struct ModelRequest: Sendable, Equatable {
    public var request: ULID
    public var model: String
    public var stream: Bool
    /// What was said before in the conversation, oldest first. Its system prompt, if it has one, is the first.
    public var messages: [ModelMessage]
    /// Empty where the client gave none.
    public var prompt: String
    /// The system prompt of a conversation that begins.
    public var system: String?
    /// The options in the order in which the client gave them.
    public var options: [JSONValue.Member]
    /// What is shown with the prompt.
    public var attachments: [Attachment]
    /// What the answer must look like: a JSON Schema.
    public var schema: JSONValue?
    public var tools: [ToolDefinition]
    /// What came of the tool calls of the answer before.
    public var toolResults: [ToolResult]
    public var key: String?
    /// What is known of the model: for a worker to fill in, which was told once. It travels in no frame.
    public var facts = ModelFacts()

    public init(
        request: ULID, model: String, stream: Bool = true, messages: [ModelMessage] = [], prompt: String,
        system: String? = nil, options: [JSONValue.Member] = [], attachments: [Attachment] = [],
        schema: JSONValue? = nil, tools: [ToolDefinition] = [], toolResults: [ToolResult] = [], key: String? = nil
    ) {
        self.request = request
        self.model = model
        self.stream = stream
        self.messages = messages
        self.prompt = prompt
        self.system = system
        self.options = options
        self.attachments = attachments
        self.schema = schema
        self.tools = tools
        self.toolResults = toolResults
        self.key = key
    }

    init(decoding object: JSONObject) throws(MessageError) {
        self.request = try ULID(decoding: try object.require("request"))
        self.model = try object.require("model").expectString("model")
        self.stream = try object.require("stream").expectBool("stream")
        self.messages =
            try object.optional("messages").map { slice throws(MessageError) in
                try ModelMessage.list(slice.value)
            } ?? []
        self.prompt = try object.optional("prompt")?.expectString("prompt") ?? ""
        self.system = try object.optional("system")?.expectString("system")
        self.options = object.optional("options")?.value.members ?? []
        self.attachments =
            try object.optional("attachments").map { slice throws(MessageError) in
                try Attachment.list(slice.value)
            } ?? []
        self.schema = object.optional("schema")?.value
        self.tools =
            try object.optional("tools").map { slice throws(MessageError) in
                try ToolDefinition.list(slice.value)
            } ?? []
        self.toolResults =
            try object.optional("tool_results").map { slice throws(MessageError) in
                try ToolResult.list(slice.value)
            } ?? []
        self.key = try object.optional("key")?.expectString("key")
    }
}

extension ModelRequest {
    /// The whole conversation that the model is asked to go on with: what was said before, and then what is said now, as llm
    /// puts it: the system prompt of one that begins, tool results, and the prompt with its attachments.
    ///
    /// A prompt that says nothing adds no message where there is something to go on with.
    public var conversation: [ModelMessage] {
        ModelMessage.conversation(
            after: self.messages, system: self.system, toolResults: self.toolResults, prompt: self.prompt,
            attachments: self.attachments)
    }
}

extension ModelMessage {
    /// What was said before, and what a prompt adds (``ModelRequest/conversation``).
    static func conversation(
        after history: [ModelMessage], system: String?, toolResults: [ToolResult], prompt: String,
        attachments: [Attachment]
    ) -> [ModelMessage] {
        var messages = history
        if let system, !system.isEmpty, messages.first?.role != .system {
            messages.insert(ModelMessage(.system, text: system), at: 0)
        }
        if !toolResults.isEmpty { messages.append(ModelMessage(toolResults)) }
        var parts = attachments.map { MessagePart(.attachment($0)) }
        if !prompt.isEmpty { parts.insert(MessagePart(.text(prompt)), at: 0) }
        if !parts.isEmpty || messages.isEmpty {
            messages.append(ModelMessage(.user, parts.isEmpty ? [MessagePart(.text(""))] : parts))
        }
        return messages
    }

    /// The message that brings results of tools.
    init(_ results: [ToolResult]) { self.init(.tool, results.map { MessagePart(.toolResult($0)) }) }
}

extension ULID {
    init(decoding slice: JSONSlice) throws(MessageError) {
        guard let ulid = ULID(try slice.expectString("request")) else {
            throw .wrongType("request", expected: "a ULID")
        }
        self = ulid
    }
}
