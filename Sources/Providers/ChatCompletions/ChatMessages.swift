import JSON
import Messages

/// The messages of a chat completion: what was said before in the conversation, and the prompt after it.
///
/// A message of the record becomes what llm's OpenAI plugin makes of it, so that a conversation goes on the same,
/// whichever of the two continues it:
///
/// | Role        | Becomes                                                                                       |
/// |-------------|-----------------------------------------------------------------------------------------------|
/// | `system`    | a message of its texts, joined; none where that is the system prompt in force already         |
/// | `user`      | a message of its texts, joined, or of parts where it has attachments; none where it is empty  |
/// | `assistant` | a message of its texts, joined, `null` without one, and of its tool calls; reasoning where the provider wants it |
/// | `tool`      | a message for each tool result, and one of role `user` with the attachments of them all       |
///
/// Any other part fails the request: an answer to half of a history is worse than none.
struct ChatMessages {
    private(set) var values: [JSONValue] = []
    /// The system prompt in force.
    private var system: String?
    private let imageDetail: JSONValue?
    private let reasoning: ChatReasoning?

    /// - Throws: ``RequestEnd`` for a part that cannot be sent.
    init(_ request: ModelRequest, imageDetail: JSONValue? = nil, reasoning: ChatReasoning? = nil) throws(RequestEnd) {
        self.imageDetail = imageDetail
        self.reasoning = reasoning
        for (index, message) in request.conversation.enumerated() { try self.append(message, number: index + 1) }
    }

    private mutating func append(_ message: ModelMessage, number: Int) throws(RequestEnd) {
        var texts: [String] = []
        var attachments: [JSONValue] = []
        var calls: [JSONValue] = []
        for part in message.parts {
            switch (part.content, message.role) {
            case (.text(let text), let role) where role != .tool: texts.append(text)
            case (.reasoning, _): break
            case (.attachment(let attachment), .user):
                attachments.append(try self.attachment(attachment, part, in: message, number))
            case (.toolCall(let call), .assistant) where !call.isServerExecuted: calls.append(Self.toolCall(call))
            case (.toolResult(let result), .tool) where !result.isServerExecuted:
                self.values.append(Self.toolResult(result))
                for attachment in result.attachments {
                    attachments.append(try self.attachment(attachment, part, in: message, number))
                }
            // A call that the provider made itself has its result in the same message, for which there is no place.
            default: throw message.unsendable(part, number: number, "chat completions have no place for it")
            }
        }
        let text = texts.joined()
        switch message.role {
        case .system: if !texts.isEmpty { self.appendSystem(text) }
        case .assistant:
            let reasoning = self.reasoning?.members(message.parts, hasToolCalls: !calls.isEmpty) ?? []
            let members = calls.isEmpty ? reasoning : [.init("tool_calls", .array(calls))] + reasoning
            self.append(role: "assistant", content: texts.isEmpty ? .null : .string(text), members)
        case .user, .tool:
            if attachments.isEmpty {
                if !texts.isEmpty { self.append(role: "user", content: .string(text)) }
            } else {
                let texts = texts.isEmpty ? [] : [Self.part("text", .string(text))]
                self.append(role: "user", content: .array(texts + attachments))
            }
        }
    }

    private mutating func appendSystem(_ text: String) {
        guard text != self.system else { return }
        self.system = text
        self.append(role: "system", content: .string(text))
    }

    private mutating func append(role: String, content: JSONValue, _ more: [JSONValue.Member] = []) {
        self.values.append(.object([.init("role", .string(role)), .init("content", content)] + more))
    }

    /// A part of content: its type, and under the same name what it holds.
    private static func part(_ type: String, _ value: JSONValue) -> JSONValue {
        .object([.init("type", .string(type)), .init(type, value)])
    }

    private func attachment(
        _ attachment: Attachment, _ part: MessagePart, in message: ModelMessage, _ number: Int
    ) throws(RequestEnd) -> JSONValue {
        do throws(OpenAIAttachment.Unsendable) {
            switch try OpenAIAttachment(attachment) {
            case .image(let url):
                let detail = self.imageDetail.map { [JSONValue.Member("detail", $0)] } ?? []
                return Self.part("image_url", .object([.init("url", .string(url))] + detail))
            case .document(let name, "application/pdf", let data):
                let file: [JSONValue.Member] = [.init("filename", .string(name)), .init("file_data", .string(data))]
                return Self.part("file", .object(file))
            case .document: throw OpenAIAttachment.Unsendable(reason: "chat completions take no document but PDF")
            case .documentURL:
                throw OpenAIAttachment.Unsendable(reason: "chat completions take a document by its bytes only")
            case .sound(let data, let format):
                let sound: [JSONValue.Member] = [.init("data", .string(data)), .init("format", .string(format))]
                return Self.part("input_audio", .object(sound))
            }
        } catch {
            throw message.unsendable(part, number: number, error.reason)
        }
    }

    private static func toolCall(_ call: ToolCall) -> JSONValue {
        let function: [JSONValue.Member] = [
            .init("name", .string(call.name)), .init("arguments", .string(ToolArguments.text(call))),
        ]
        return .object([
            .init("type", .string("function")),
            .init("id", call.id.isEmpty ? .null : .string(call.id)),
            .init("function", .object(function)),
        ])
    }

    private static func toolResult(_ result: ToolResult) -> JSONValue {
        .object([
            .init("role", .string("tool")),
            .init("tool_call_id", result.toolCallID.map(JSONValue.string) ?? .null),
            .init("content", .string(result.output)),
        ])
    }
}
