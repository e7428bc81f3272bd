import JSON
import Messages

/// The results of a turn's function calls, as Gemini wants them: together, and in the order of the calls.
///
/// Some models give their calls no ids. The id that such a call has here is our own and is not sent: its result is matched
/// by name, and among calls of one function by order.
struct GeminiToolResults {
    /// The calls of the turn before.
    private var calls: [(id: String, name: String, isAnswered: Bool)] = []
    private var responses: [(place: Int, value: JSONValue)] = []

    /// Takes the calls of a turn: what follows answers them.
    mutating func expect(_ message: ModelMessage) {
        self.calls = message.parts.compactMap { part in
            guard case .toolCall(let call) = part.content, !call.isServerExecuted else { return nil }
            return (call.id, call.name, false)
        }
    }

    mutating func append(_ result: ToolResult, _ part: MessagePart) throws(UnsendablePart) {
        let id = result.toolCallID ?? ""
        let place = self.calls.firstIndex { call in
            !call.isAnswered && (id.isEmpty ? call.name == result.name : call.id == id)
        }
        if let place { self.calls[place].isAnswered = true }
        let name = place.map { self.calls[$0].name } ?? result.name
        guard !name.isEmpty else { throw UnsendablePart(part, "it names no tool and answers no call") }
        // The two names that the API gives to what a function says and to what went wrong in it.
        let outcome = JSONValue.Member(result.exception == nil ? "output" : "error", .string(result.output))
        var members = Self.idMember(id) + [.init("name", .string(name)), .init("response", .object([outcome]))]
        let media = try result.attachments.map { attachment throws(UnsendablePart) in
            try GeminiMedia.inline(attachment, of: part)
        }
        if !media.isEmpty { members.append(.init("parts", .array(media))) }
        self.responses.append((place ?? .max, .object([.init("functionResponse", .object(members))])))
    }

    /// The responses so far; none are left.
    mutating func take() -> [JSONValue] {
        defer { self.responses = [] }
        return self.responses.enumerated()
            .sorted { ($0.element.place, $0.offset) < ($1.element.place, $1.offset) }
            .map(\.element.value)
    }

    /// The member `id`, unless there is none or it is our own.
    static func idMember(_ id: String) -> [JSONValue.Member] {
        id.isEmpty || ToolCall.isOwnID(id) ? [] : [.init("id", .string(id))]
    }
}

extension ToolCall {
    /// Whether an id is one that ``newID(_:)`` made.
    fileprivate static func isOwnID(_ id: String) -> Bool {
        id.hasPrefix("tc_") && ULID(String(id.dropFirst(3))) != nil
    }
}
