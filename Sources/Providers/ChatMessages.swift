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
        for (index, message) in request.messages.enumerated() { try self.append(message, number: index + 1) }
        if let system = request.system, !system.isEmpty { self.appendSystem(system) }
        // An empty prompt after other messages asks for what comes next; alone it is still a request.
        if !request.prompt.isEmpty || self.values.isEmpty {
            self.append(role: "user", content: .string(request.prompt))
        }
    }

    private mutating func append(_ message: ModelMessage, number: Int) throws(RequestEnd) {
        var texts: [String] = []
        var calls: [JSONValue] = []
        for part in message.parts {
            switch (part["type"]?.string ?? "", message.role) {
            case ("text", let role) where role != "tool":
                guard let text = part["text"]?.string else { throw Self.unsendable(part, in: message, number) }
                texts.append(text)
            case ("reasoning", _): break
            case ("tool_call", "assistant"):
                guard let call = Self.toolCall(part) else { throw Self.unsendable(part, in: message, number) }
                calls.append(call)
            case ("tool_result", "tool"):
                guard let result = Self.toolResult(part) else { throw Self.unsendable(part, in: message, number) }
                self.values.append(result)
            default: throw Self.unsendable(part, in: message, number)
            }
        }
        let text = texts.joined()
        switch message.role {
        case "tool": break
        case "system" where !texts.isEmpty: self.appendSystem(text)
        case "assistant": self.append(role: "assistant", content: texts.isEmpty ? .null : .string(text), calls)
        default: if !texts.isEmpty { self.append(role: message.role, content: .string(text)) }
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

    /// `nil` for a call that the provider made itself: its result is in the same message, for which there is no place.
    private static func toolCall(_ part: JSONValue) -> JSONValue? {
        guard !Self.wasMadeByProvider(part), let name = part["name"], name.string != nil else { return nil }
        let arguments = (part["arguments"] ?? .object([])).text(JSONFormat(isSpaced: true, escapesNonASCII: true))
        return .object([
            .init("type", .string("function")),
            .init("id", part["tool_call_id"] ?? .null),
            .init("function", .object([.init("name", name), .init("arguments", .string(arguments))])),
        ])
    }

    private static func toolResult(_ part: JSONValue) -> JSONValue? {
        guard !Self.wasMadeByProvider(part), let output = part["output"], output.string != nil else { return nil }
        return .object([
            .init("role", .string("tool")),
            .init("tool_call_id", part["tool_call_id"] ?? .null),
            .init("content", output),
        ])
    }

    private static func wasMadeByProvider(_ part: JSONValue) -> Bool { part["server_executed"]?.bool == true }

    private static func unsendable(_ part: JSONValue, in message: ModelMessage, _ number: Int) -> RequestEnd {
        let kind = (part["type"]?.string ?? "without a type").truncated(toUTF8Length: 64)
        let type = part["attachment"]?["type"]?.string.map { " (\($0.truncated(toUTF8Length: 64)))" } ?? ""
        let origin = Self.wasMadeByProvider(part) ? " that a provider ran itself" : ""
        return .failed(
            .modelError,
            "message \(number) of the conversation, of role '\(message.role.truncated(toUTF8Length: 64))', has a part "
                + "'\(kind)'\(type)\(origin), which this version cannot send to this provider; begin a new conversation"
        )
    }
}
