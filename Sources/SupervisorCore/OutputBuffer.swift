import Messages

/// What a slot has said of an answer and is not on record yet: a JSON array of its events.
///
/// Texts that follow each other become one. They are joined as the JSON that they came as: a string of two contents, one after
/// the other, is the string of both texts.
struct OutputBuffer: Sendable {
    private var bytes: [UInt8] = []
    /// The event whose text is still open for more.
    private var open = Open.nothing
    /// All that was ever gathered, in bytes.
    private(set) var total = 0

    private enum Open { case nothing, text, reasoning }

    var count: Int { self.bytes.count }

    /// Adds an event of the slot, and returns how many bytes there are now.
    @discardableResult
    mutating func append(_ output: SlotOutput, of event: [UInt8]) -> Int {
        let before = self.bytes.count
        switch output {
        case .text(let content): self.append(event[content], .text, #"{"event":"text","text":""#)
        case .reasoning(let content): self.append(event[content], .reasoning, #"{"event":"reasoning","text":""#)
        case .whole:
            self.begin(.nothing)
            self.bytes.append(contentsOf: event)
        }
        self.total += self.bytes.count - before
        return self.bytes.count
    }

    /// Adds the answer of a last event that came whole.
    mutating func append(_ answer: SlotOutcome.Answer, of event: [UInt8]) {
        if let events = answer.events { return self.append(events: event[events]) }
        if let reasoning = answer.reasoning { self.append(.reasoning(reasoning), of: event) }
        if let text = answer.text { self.append(.text(text), of: event) }
        for call in answer.toolCalls { self.append(.whole, of: SlotEvent.toolCall(call).encoded) }
    }

    /// Adds the elements of a JSON array of events.
    private mutating func append(events: ArraySlice<UInt8>) {
        let elements = events.dropFirst().dropLast()
        guard elements.contains(where: { $0 > 0x20 }) else { return }
        self.begin(.nothing)
        self.bytes.append(contentsOf: elements)
        self.total += elements.count
    }

    /// Takes what was gathered, as a JSON array; `nil` where there is nothing.
    mutating func take() -> [UInt8]? {
        guard !self.bytes.isEmpty else { return nil }
        self.close()
        self.bytes.append(UInt8(ascii: "]"))
        defer { self.bytes = [] }
        return self.bytes
    }

    private mutating func append(_ content: ArraySlice<UInt8>, _ kind: Open, _ opening: StaticString) {
        guard !content.isEmpty else { return }
        if self.open != kind {
            self.begin(kind)
            opening.withUTF8Buffer { self.bytes.append(contentsOf: $0) }
        }
        self.bytes.append(contentsOf: content)
    }

    private mutating func begin(_ kind: Open) {
        self.close()
        self.bytes.append(self.bytes.isEmpty ? UInt8(ascii: "[") : UInt8(ascii: ","))
        self.open = kind
    }

    private mutating func close() {
        switch self.open {
        case .nothing: break
        case .text, .reasoning:
            self.bytes.append(UInt8(ascii: "\""))
            self.bytes.append(UInt8(ascii: "}"))
            self.open = .nothing
        }
    }
}
