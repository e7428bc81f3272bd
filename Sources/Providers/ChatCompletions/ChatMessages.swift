import JSON
import Messages

/// The messages of a chat completion: what was said before in the conversation, and the prompt after it.
///
/// A message of the record becomes what llm's OpenAI plugin makes of it, so that a conversation goes on the same,
/// whichever of the two continues it:
///
/// | Role        | Becomes                                                                                     |
/// |-------------|---------------------------------------------------------------------------------------------|
/// | `system`    | a message of its texts, joined; none where that is the system prompt in force already         |
/// | `user`      | a message of its texts, joined; none where it has no text part                                |
/// | `assistant` | a message of its texts, joined, `null` without one, and of its tool calls; reasoning stays here |
/// | `tool`      | a message for each tool result                                                              |
///
/// Any other part cannot be sent in this version, and fails the request: an answer to half of a history is worse than
/// none.
struct ChatMessages {
    private(set) var values: [JSONValue] = []
    /// The system prompt in force.
    private var system: String?

    /// - Throws: ``RequestEnd`` for a part that cannot be sent.
    init(_ request: ModelRequest) throws(RequestEnd) {
        for (index, message) in request.conversation.enumerated() { try self.append(message, number: index + 1) }
    }

    private mutating func append(_ message: ModelMessage, number: Int) throws(RequestEnd) {
        var texts: [String] = []
        var calls: [JSONValue] = []
        for part in message.parts {
            switch (part.content, message.role) {
            case (.text(let text), let role) where role != .tool: texts.append(text)
            case (.reasoning, _): break
            // A call that the provider made itself has its result in the same message, for which there is no place.
            case (.toolCall(let call), .assistant) where !call.isServerExecuted: calls.append(Self.toolCall(call))
            case (.toolResult(let result), .tool) where !result.isServerExecuted && result.attachments.isEmpty:
                self.values.append(Self.toolResult(result))
            default: throw Self.unsendable(part, in: message, number)
            }
        }
        let text = texts.joined()
        switch message.role {
        case .tool: break
        case .system: if !texts.isEmpty { self.appendSystem(text) }
        case .assistant: self.append(role: "assistant", content: texts.isEmpty ? .null : .string(text), calls)
        case .user: if !texts.isEmpty { self.append(role: "user", content: .string(text)) }
        }
    }

    private mutating func appendSystem(_ text: String) {
        guard text != self.system else { return }
        self.system = text
        self.append(role: "system", content: .string(text))
    }

    private mutating func append(role: String, content: JSONValue, _ toolCalls: [JSONValue] = []) {
        let calls = toolCalls.isEmpty ? [] : [JSONValue.Member("tool_calls", .array(toolCalls))]
        self.values.append(.object([.init("role", .string(role)), .init("content", content)] + calls))
    }

    private static func toolCall(_ call: ToolCall) -> JSONValue {
        let value = (try? JSONValue(parsing: call.arguments, bounds: .lenient)) ?? .object([])
        let arguments = value.text(JSONFormat(isSpaced: true, escapesNonASCII: true))
        return .object([
            .init("type", .string("function")),
            .init("id", call.id.isEmpty ? .null : .string(call.id)),
            .init("function", .object([.init("name", .string(call.name)), .init("arguments", .string(arguments))])),
        ])
    }

    private static func toolResult(_ result: ToolResult) -> JSONValue {
        .object([
            .init("role", .string("tool")),
            .init("tool_call_id", result.toolCallID.map(JSONValue.string) ?? .null),
            .init("content", .string(result.output)),
        ])
    }

    private static func unsendable(_ part: MessagePart, in message: ModelMessage, _ number: Int) -> RequestEnd {
        var detail = ""
        switch part.content {
        case .attachment(let attachment):
            detail = attachment.mediaType.map { " (\($0.truncated(toUTF8Length: 64)))" } ?? ""
        case .toolCall(let call): detail = call.isServerExecuted ? " that a provider ran itself" : ""
        case .toolResult(let result):
            detail =
                result.isServerExecuted
                ? " that a provider ran itself" : result.attachments.isEmpty ? "" : " with attachments"
        case .text, .reasoning: break
        }
        return .failed(
            .modelError,
            "message \(number) of the conversation, of role '\(message.role.rawValue)', has a part '\(part.type)'\(detail), "
                + "which this version cannot send to this provider; begin a new conversation")
    }
}
