import JSON
import Messages

/// The items that a conversation is for the Responses API.
///
/// | Part | Becomes |
/// |---|---|
/// | text of the first system prompt | `instructions`; a later one, where it differs, a message in its place |
/// | text and attachments of the user | one message |
/// | text of an answer | a message, with the `phase` that it had |
/// | reasoning | the item that it was, with its encrypted content; none where that is another provider's, or where the model does not reason |
/// | the provider's own summary of what was said before (`compaction`) | the item that it was |
/// | tool call, tool result | `function_call`, `function_call_output`, the latter with what is attached |
/// | what the provider ran itself | the item that it was |
///
/// The API refuses reasoning that nothing follows, so reasoning waits here for what comes after it.
struct ResponsesInput {
    private(set) var items: [JSONValue] = []
    private(set) var instructions: String?
    /// The system prompt in force.
    private var system: String?
    /// Reasoning that nothing has followed yet.
    private var reasoning: [JSONValue] = []
    private let imageDetail: JSONValue?
    private let sendsReasoning: Bool

    /// - Throws: ``RequestEnd`` for a part that cannot be sent.
    init(_ request: ModelRequest, imageDetail: JSONValue?, sendsReasoning: Bool) throws(RequestEnd) {
        self.imageDetail = imageDetail
        self.sendsReasoning = sendsReasoning
        for (index, message) in request.conversation.enumerated() { try self.append(message, number: index + 1) }
        if self.items.isEmpty { self.append(role: "user", .string("")) }
    }

    private mutating func append(_ message: ModelMessage, number: Int) throws(RequestEnd) {
        switch message.role {
        case .system: try self.appendSystem(message, number)
        case .user: try self.appendUser(message, number)
        case .assistant: try self.appendAnswer(message, number)
        case .tool: try self.appendResults(message, number)
        }
    }

    private mutating func append(role: String, _ content: JSONValue, _ more: [JSONValue.Member] = []) {
        self.items.append(.object([.init("role", .string(role)), .init("content", content)] + more))
    }

    private mutating func appendSystem(_ message: ModelMessage, _ number: Int) throws(RequestEnd) {
        for part in message.parts {
            guard case .text = part.content else { throw Self.unsendable(part, message, number) }
        }
        let text = message.text
        guard !text.isEmpty, text != self.system else { return }
        if self.items.isEmpty { self.instructions = text } else { self.append(role: "system", .string(text)) }
        self.system = text
    }

    private mutating func appendUser(_ message: ModelMessage, _ number: Int) throws(RequestEnd) {
        var content: [JSONValue] = []
        for part in message.parts {
            switch part.content {
            case .text(let text): if !text.isEmpty { content.append(Self.textPart(text)) }
            case .attachment(let attachment):
                content.append(try self.attachment(attachment, part, message, number))
            case .reasoning: break
            default: throw Self.unsendable(part, message, number)
            }
        }
        let hasAttachments = content.contains { $0["type"] != .string("input_text") }
        if hasAttachments {
            self.append(role: "user", .array(content))
        } else if !content.isEmpty {
            self.append(role: "user", .string(message.text))
        }
    }

    private mutating func appendAnswer(_ message: ModelMessage, _ number: Int) throws(RequestEnd) {
        self.reasoning = []
        var replayed: Set<String> = []
        for (index, part) in message.parts.enumerated() {
            let metadata = part.providerMetadata?["openai"]
            switch part.content {
            case .text(let text):
                guard !text.isEmpty else { continue }
                let phase = metadata?["phase"].map { [JSONValue.Member("phase", $0)] } ?? []
                self.follow(.object([.init("role", .string("assistant")), .init("content", .string(text))] + phase))
            case .reasoning:
                if let item = metadata?["item"] {
                    self.follow(item)
                } else if self.sendsReasoning, let item = Self.reasoning(metadata) {
                    self.reasoning.append(item)
                }
            case .toolCall(let call) where !call.isServerExecuted:
                self.follow(
                    .object([
                        .init("type", .string("function_call")), .init("call_id", .string(call.id)),
                        .init("name", .string(call.name)), .init("arguments", .string(ToolArguments.text(call))),
                    ]))
            case .toolCall(let call):
                guard let item = metadata?["item"] else { throw Self.unsendable(part, message, number) }
                self.follow(ResponsesToolItem.restored(item, from: message.parts[(index + 1)...], id: call.id))
                replayed.insert(call.id)
            // Its result is in the item of the call.
            case .toolResult(let result) where result.isServerExecuted && replayed.contains(result.toolCallID ?? ""):
                break
            default: throw Self.unsendable(part, message, number)
            }
        }
    }

    /// Appends an item of an answer, after the reasoning that led to it.
    private mutating func follow(_ item: JSONValue) {
        self.items += self.reasoning
        self.items.append(item)
        self.reasoning = []
    }

    /// Only what OpenAI encrypted can be sent to it again: it kept nothing that an id alone could name.
    private static func reasoning(_ metadata: JSONValue?) -> JSONValue? {
        guard let metadata, let encrypted = metadata["encrypted_content"], !encrypted.isNull else { return nil }
        var members: [JSONValue.Member] = [.init("type", .string("reasoning"))]
        if let id = metadata["id"] { members.append(.init("id", id)) }
        members.append(.init("summary", metadata["summary"] ?? .array([])))
        if let content = metadata["content"] { members.append(.init("content", content)) }
        return .object(members + [.init("encrypted_content", encrypted)])
    }

    private mutating func appendResults(_ message: ModelMessage, _ number: Int) throws(RequestEnd) {
        for part in message.parts {
            guard case .toolResult(let result) = part.content, !result.isServerExecuted else {
                if case .reasoning = part.content { continue }
                throw Self.unsendable(part, message, number)
            }
            var output = JSONValue.string(result.output)
            if !result.attachments.isEmpty {
                let text = result.output.isEmpty ? [] : [Self.textPart(result.output)]
                output = .array(
                    text
                        + (try result.attachments.map { attachment throws(RequestEnd) in
                            try self.attachment(attachment, part, message, number)
                        }))
            }
            self.items.append(
                .object([
                    .init("type", .string("function_call_output")),
                    .init("call_id", .string(result.toolCallID ?? "")), .init("output", output),
                ]))
        }
    }

    private static func textPart(_ text: String) -> JSONValue {
        .object([.init("type", .string("input_text")), .init("text", .string(text))])
    }

    private func attachment(
        _ attachment: Attachment, _ part: MessagePart, _ message: ModelMessage, _ number: Int
    ) throws(RequestEnd) -> JSONValue {
        do throws(OpenAIAttachment.Unsendable) {
            switch try OpenAIAttachment(attachment) {
            case .image(let url):
                let detail = self.imageDetail ?? .string("auto")
                return .object([
                    .init("type", .string("input_image")), .init("image_url", .string(url)), .init("detail", detail),
                ])
            case .document(let name, _, let data):
                return .object([
                    .init("type", .string("input_file")), .init("filename", .string(name)),
                    .init("file_data", .string(data)),
                ])
            case .documentURL(let url):
                return .object([.init("type", .string("input_file")), .init("file_url", .string(url))])
            case .sound:
                throw OpenAIAttachment.Unsendable(
                    reason:
                        "OpenAI's Responses API takes no sounds; with the option chat_completions set to true the older API "
                        + "answers, which does")
            }
        } catch {
            throw message.unsendable(part, number: number, error.reason)
        }
    }

    private static func unsendable(_ part: MessagePart, _ message: ModelMessage, _ number: Int) -> RequestEnd {
        message.unsendable(part, number: number, "OpenAI's Responses API has no place for it")
    }
}
