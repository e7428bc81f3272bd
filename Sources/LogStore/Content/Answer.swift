import JSON
import Messages

/// What a model said, put together as llm does: texts that follow each other are one part, and empty ones are none.
struct Answer {
    private var finished: [MessagePart] = []
    /// The part that goes on while events of its kind follow each other.
    private var run = Run.none

    private enum Run {
        case none
        case text(String)
        case reasoning(String)
    }

    /// Adds a JSON array of events.
    ///
    /// - Throws: If it is none; what came before it stays.
    mutating func append(events: [UInt8]) throws(MessageError) {
        for event in try SlotEvent.output(decoding: events) { self.append(event) }
    }

    private mutating func append(_ event: SlotEvent) {
        switch (event, self.run) {
        case (.text(let more), .text(let text)): self.run = .text(text + more)
        case (.reasoning(let more), .reasoning(let text)): self.run = .reasoning(text + more)
        case (.text(let text), _): self.begin(.text(text))
        case (.reasoning(let text), _): self.begin(.reasoning(text))
        case (.toolCall(let call), _):
            self.begin(.none)
            self.finished.append(
                .toolCall(id: call.id, name: call.name, arguments: PythonObject.value(of: call.arguments)))
        case (.toolResult, _), (.metadata, _), (.done, _), (.error, _): break
        }
    }

    private mutating func begin(_ run: Run) {
        self.finished = self.parts
        self.run = run
    }

    /// The parts of the answer so far.
    var parts: [MessagePart] {
        switch self.run {
        case .text(let text) where !text.isEmpty: self.finished + [.text(text)]
        case .reasoning(let text) where !text.isEmpty: self.finished + [.reasoning(text)]
        case .none, .text, .reasoning: self.finished
        }
    }

    /// All text of the parts, which is what a search finds.
    static func text(of parts: [MessagePart]) -> String {
        if case .text(let text)? = parts.first, parts.count == 1 { return text }
        return parts.reduce(into: "") { text, part in
            if case .text(let more) = part { text += more }
        }
    }
}

/// A JSON object that is stored where llm reads it.
enum PythonObject {
    /// The object, or `{"_raw": "…"}` where Python could not read it: one such value would end every listing of llm.
    static func value(of json: [UInt8]) -> JSONValue {
        if let value = try? JSONValue(parsing: json, bounds: .lenient), value.members != nil, value.isReadableByPython {
            return value
        }
        return .object([JSONValue.Member("_raw", .string(String(decoding: json, as: UTF8.self)))])
    }

    /// The text of an object as llm stores it; `nil` for an empty one.
    static func text(of json: [UInt8]) -> String? {
        let value = Self.value(of: json)
        return value.members?.isEmpty == false ? PythonJSON.text(value, .plain) : nil
    }

    /// The text of a prompt's options as llm stores them: without those that are null, and `nil` where none are left.
    static func options(_ json: [UInt8]) -> String? {
        let members = Self.value(of: json).members?.filter { !$0.value.isNull } ?? []
        return members.isEmpty ? nil : PythonJSON.text(.object(members), .plain)
    }
}
