import JSON

/// What a model said, put together as llm does: texts that follow each other are one part, and empty ones are none.
///
/// Reasoning that the provider keeps to itself stands at the front.
public struct AnswerAssembly: Sendable {
    private var parts: [MessagePart] = []
    /// Of the message as a whole.
    private var metadata: JSONValue?
    /// The part that goes on while events of its kind follow each other.
    private var run = Run.none

    private enum Run: Sendable {
        case none
        case text(String)
        case reasoning(String)
    }

    public init() {}

    /// Adds a JSON array of events.
    ///
    /// - Throws: If it is none; what came before it stays.
    public mutating func append(events: [UInt8]) throws(MessageError) {
        for event in try SlotEvent.output(decoding: events) { self.append(event) }
    }

    /// Adds an event. The last one of a request says nothing here.
    public mutating func append(_ event: SlotEvent) {
        switch (event, self.run) {
        case (.text(let more), .text(let text)): self.run = .text(text + more)
        case (.reasoning(let more), .reasoning(let text)): self.run = .reasoning(text + more)
        case (.text(let text), _): self.begin(.text(text))
        case (.reasoning(let text), _): self.begin(.reasoning(text))
        case (.toolCall(let call), _): self.add(.toolCall(call))
        case (.toolResult(let result), _): self.add(.toolResult(result))
        case (.metadata(let metadata), _): self.append(metadata)
        case (.done, _), (.models, _), (.error, _): break
        }
    }

    private mutating func add(_ content: MessagePart.Content) {
        self.begin(.none)
        self.parts.append(MessagePart(content))
    }

    /// Ends the part that went on, and begins another.
    private mutating func begin(_ run: Run) {
        switch self.run {
        case .text(let text) where !text.isEmpty: self.parts.append(MessagePart(.text(text)))
        case .reasoning(let text) where !text.isEmpty: self.parts.append(MessagePart(.reasoning(text)))
        case .none, .text, .reasoning: break
        }
        self.run = run
    }

    /// The message; `nil` where nothing was said.
    public var message: ModelMessage? {
        var whole = self
        whole.begin(.none)
        guard !whole.parts.isEmpty else { return nil }
        if whole.parts.contains(where: \.isRedacted) {
            whole.parts = whole.parts.filter(\.isRedacted) + whole.parts.filter { !$0.isRedacted }
        }
        return ModelMessage(.assistant, whole.parts, providerMetadata: whole.metadata)
    }

    // MARK: Metadata

    private mutating func append(_ more: PartMetadata) {
        let isOpen = if case .reasoning(let text) = self.run { !text.isEmpty } else { false }
        self.begin(.none)
        guard more.isRedacted || more.providerMetadata != nil else { return }
        switch more.target {
        case .message: self.metadata = Self.merged(self.metadata, more.providerMetadata)
        case .text: self.add(more, to: .text(""))
        case .reasoning:
            // Reasoning that is kept secret is a part of its own, unless it ends what was said.
            if more.isRedacted, !isOpen { self.parts.append(MessagePart(.reasoning(""))) }
            self.add(more, to: .reasoning(""))
        case .toolCall, .toolResult:
            // There is no empty one of these.
            let last = self.parts.lastIndex { $0.type == more.target.rawValue }
            if let last { self.add(more, at: last) }
        }
    }

    /// Adds the metadata to the last part if it is like `empty`, and otherwise to a new one.
    private mutating func add(_ more: PartMetadata, to empty: MessagePart.Content) {
        if self.parts.last?.type != more.target.rawValue { self.parts.append(MessagePart(empty)) }
        self.add(more, at: self.parts.count - 1)
    }

    private mutating func add(_ more: PartMetadata, at index: Int) {
        self.parts[index].providerMetadata = Self.merged(self.parts[index].providerMetadata, more.providerMetadata)
        if more.isRedacted, case .reasoning(let text, _) = self.parts[index].content {
            self.parts[index].content = .reasoning(text, isRedacted: true)
        }
    }

    /// Both; of a provider's two, the later.
    private static func merged(_ first: JSONValue?, _ second: JSONValue?) -> JSONValue? {
        guard var members = first?.members else { return second }
        for member in second?.members ?? [] {
            if let index = members.firstIndex(where: { $0.name == member.name }) {
                members[index] = member
            } else {
                members.append(member)
            }
        }
        return .object(members)
    }
}

extension MessagePart {
    fileprivate var isRedacted: Bool {
        if case .reasoning(_, isRedacted: true) = self.content { true } else { false }
    }
}
