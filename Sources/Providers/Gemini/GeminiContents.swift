import JSON
import Messages

/// A conversation as `contents`, and what of it is `systemInstruction`.
///
/// | Role        | Becomes                                                                                       |
/// |-------------|-----------------------------------------------------------------------------------------------|
/// | `system`    | the system instruction: every text that differs from the one before is a part of it             |
/// | `user`      | a content `user` of texts, `inlineData` and `fileData`                                         |
/// | `assistant` | a content `model` of texts and function calls, each with its signature, and the parts of Google's own tools as they came |
/// | `tool`      | a content `user` of function responses, those of tool messages that follow each other together    |
///
/// Reasoning goes back where Gemini has signed it, and stays here otherwise. Any other part fails the request.
struct GeminiContents {
    private(set) var contents: [JSONValue] = []
    private(set) var systemTexts: [String] = []
    /// Whether there is a call or result of a tool that Google ran.
    private(set) var holdsServerParts = false
    private var results = GeminiToolResults()

    /// - Throws: ``RequestEnd`` for a part that cannot be sent.
    init(_ request: ModelRequest) throws(RequestEnd) {
        for (index, message) in request.conversation.enumerated() {
            do throws(UnsendablePart) {
                try self.append(message)
            } catch {
                throw .failed(
                    .modelError,
                    "message \(index + 1) of the conversation, of role '\(message.role.rawValue)', has a part "
                        + "'\(error.type)' that cannot be sent to this provider: \(error.reason)")
            }
        }
        self.appendResults()
    }

    private mutating func append(_ message: ModelMessage) throws(UnsendablePart) {
        if message.role != .tool { self.appendResults() }
        var parts: [JSONValue] = []
        switch message.role {
        case .system: try self.appendSystem(message)
        case .tool:
            for part in message.parts {
                guard case .toolResult(let result) = part.content, !result.isServerExecuted else {
                    throw UnsendablePart(part, "a message of tools has results only")
                }
                try self.results.append(result, part)
            }
        case .user:
            for part in message.parts { parts += try Self.userPart(part) }
            self.append(role: "user", parts)
        case .assistant:
            self.results.expect(message)
            for part in message.parts { parts += try self.modelPart(part) }
            self.append(role: "model", parts)
        }
    }

    private mutating func append(role: String, _ parts: [JSONValue]) {
        guard !parts.isEmpty else { return }
        self.contents.append(.object([.init("role", .string(role)), .init("parts", .array(parts))]))
    }

    private mutating func appendResults() { self.append(role: "user", self.results.take()) }

    private mutating func appendSystem(_ message: ModelMessage) throws(UnsendablePart) {
        for part in message.parts {
            guard case .text = part.content else { throw UnsendablePart(part, "a system prompt has texts only") }
        }
        guard !message.text.isEmpty, message.text != self.systemTexts.last else { return }
        self.systemTexts.append(message.text)
    }

    private static func userPart(_ part: MessagePart) throws(UnsendablePart) -> [JSONValue] {
        switch part.content {
        case .text(let text): [.object([.init("text", .string(text))])]
        case .reasoning: []
        case .attachment(let attachment): [try GeminiMedia.part(attachment, of: part)]
        case .toolCall: throw UnsendablePart(part, "only a model calls tools")
        case .toolResult: throw UnsendablePart(part, "tool results stand in messages of role 'tool'")
        }
    }

    private mutating func modelPart(_ part: MessagePart) throws(UnsendablePart) -> [JSONValue] {
        let signature = GeminiMetadata.signatureMember(of: part)
        switch part.content {
        case .text(let text):
            return text.isEmpty && signature.isEmpty ? [] : [.object([.init("text", .string(text))] + signature)]
        case .reasoning(let text, isRedacted: _):
            guard !signature.isEmpty else { return [] }
            return [.object([.init("text", .string(text)), .init("thought", .bool(true))] + signature)]
        case .attachment(let attachment): return [try GeminiMedia.part(attachment, of: part)]
        case .toolCall(let call) where !call.isServerExecuted:
            return [.object([.init("functionCall", Self.functionCall(call))] + signature)]
        case .toolResult(let result) where !result.isServerExecuted:
            throw UnsendablePart(part, "tool results stand in messages of role 'tool'")
        case .toolCall, .toolResult:
            guard let native = GeminiMetadata.nativePart(of: part) else {
                throw UnsendablePart(part, "another provider ran the tool itself; begin a new conversation")
            }
            self.holdsServerParts = self.holdsServerParts || native["toolCall"] != nil
            return [native]
        }
    }

    private static func functionCall(_ call: ToolCall) -> JSONValue {
        let arguments = (try? JSONValue(parsing: call.arguments, bounds: .lenient)) ?? .object([])
        return .object(
            GeminiToolResults.idMember(call.id) + [.init("name", .string(call.name)), .init("args", arguments)])
    }
}

/// A part that Gemini has no place for.
struct UnsendablePart: Error {
    var type: String
    var reason: String

    init(_ part: MessagePart, _ reason: String) {
        self.type = part.type
        self.reason = reason
    }
}
