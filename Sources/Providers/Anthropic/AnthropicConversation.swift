import JSON
import Messages

/// A conversation as the API wants it: the system prompt apart, and turns of blocks.
///
/// | Role        | Becomes                                                                                               |
/// |-------------|-------------------------------------------------------------------------------------------------------|
/// | `system`    | `system`, if it is the first; a later one, where it differs, a message of its own after the user's turn |
/// | `user`      | a turn of its texts and attachments                                                                   |
/// | `assistant` | a turn of its texts, its own signed reasoning, and its calls; what the provider ran itself as it came |
/// | `tool`      | a block for each result, in one turn with the user's message that follows                             |
///
/// Reasoning without this provider's metadata is another's and stays here, as do texts with nothing in them, which the API
/// refuses. Any other part without a place fails the request: an answer to half of a conversation is worse than none.
struct AnthropicConversation {
    private(set) var system: String?
    private var turns: [Turn] = []
    /// The system prompt in force.
    private var currentSystem: String?
    private var identifiers = AnthropicIdentifiers()

    private struct Turn {
        var role: String
        var blocks: [JSONValue]
    }

    var messages: [JSONValue] {
        self.turns.map { .object([.init("role", .string($0.role)), .init("content", .array($0.blocks))]) }
    }

    /// - Throws: ``RequestEnd`` for a part that cannot be sent.
    init(_ conversation: [ModelMessage], for model: AnthropicModel) throws(RequestEnd) {
        for (index, message) in conversation.enumerated() {
            if message.role == .system {
                try self.appendSystem(message, number: index + 1, model)
            } else {
                try self.append(message, number: index + 1)
            }
        }
        // A system prompt must follow a turn of the user, while who writes one puts it before.
        for index in self.turns.indices.dropLast()
        where self.turns[index].role == "system" && self.turns[index + 1].role == "user" {
            self.turns.swapAt(index, index + 1)
        }
    }

    private mutating func appendSystem(_ message: ModelMessage, number: Int, _ model: AnthropicModel) throws(RequestEnd)
    {
        for part in message.parts {
            guard case .text = part.content else { throw Self.unsendable(part, in: message, number) }
        }
        let text = message.text
        guard !text.isEmpty, text != self.currentSystem else { return }
        self.currentSystem = text
        guard !self.turns.isEmpty else {
            self.system = text
            return
        }
        guard model.takesLaterSystemPrompts else {
            throw .failed(
                .modelError,
                "message \(number) of the conversation changes the system prompt, which model '\(model.id)' does not take in "
                    + "the middle of a conversation; begin a new one")
        }
        self.turns.append(Turn(role: "system", blocks: [AnthropicPart.text(text)]))
    }

    private mutating func append(_ message: ModelMessage, number: Int) throws(RequestEnd) {
        var blocks: [JSONValue] = []
        for part in message.parts {
            switch AnthropicPart.block(part, of: message.role, &self.identifiers) {
            case .block(let block):
                // Nothing may stand between a call and its result; llm has written a space there.
                if message.role == .assistant, block.isBlankText { continue }
                blocks.append(block)
            case .nothing: break
            case .unsendable: throw Self.unsendable(part, in: message, number)
            }
        }
        guard !blocks.isEmpty else { return }
        let role = message.role == .assistant ? "assistant" : "user"
        if role == "user", self.turns.last?.role == role {
            self.turns[self.turns.count - 1].blocks += blocks
        } else {
            self.turns.append(Turn(role: role, blocks: blocks))
        }
    }

    private static func unsendable(_ part: MessagePart, in message: ModelMessage, _ number: Int) -> RequestEnd {
        var detail = ""
        switch part.content {
        case .attachment(let attachment): detail = " (\(Self.description(attachment)))"
        case .toolCall(let call): detail = call.isServerExecuted ? " that another provider ran itself" : ""
        case .toolResult(let result):
            detail =
                result.isServerExecuted
                ? " that another provider ran itself"
                : result.attachments.first.map { " with an attachment (\(Self.description($0)))" } ?? ""
        case .text, .reasoning: break
        }
        return .failed(
            .modelError,
            "message \(number) of the conversation, of role '\(message.role.rawValue)', has a part '\(part.type)'\(detail), "
                + "which cannot be sent to this provider")
    }

    private static func description(_ attachment: Attachment) -> String {
        if case .path = attachment.source { return "a file's path" }
        return attachment.mediaType.map { $0.truncated(toUTF8Length: 64) } ?? "of a type that nobody said"
    }
}

extension JSONValue {
    fileprivate var isBlankText: Bool {
        self["type"] == .string("text") && self["text"]?.string?.allSatisfy(\.isWhitespace) == true
    }
}

/// The ids of tool calls as the API takes them: letters, digits, `_` and `-`.
struct AnthropicIdentifiers {
    /// Calls without an id and not answered yet, by the name of their tool.
    private var unnamed: [(name: String, id: String)] = []
    private var count = 0

    mutating func id(of call: ToolCall) -> String {
        guard call.id.isEmpty else { return Self.accepted(call.id) }
        self.count += 1
        let id = "call_\(self.count)"
        self.unnamed.append((call.name, id))
        return id
    }

    /// The id of the call that `result` answers; `nil` where no call is known.
    mutating func id(of result: ToolResult) -> String? {
        if let id = result.toolCallID, !id.isEmpty { return Self.accepted(id) }
        guard let place = self.unnamed.firstIndex(where: { $0.name == result.name }) else { return nil }
        return self.unnamed.remove(at: place).id
    }

    private static func accepted(_ id: String) -> String {
        String(decoding: id.utf8.map { Self.isAccepted($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
    }

    private static func isAccepted(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }
}
