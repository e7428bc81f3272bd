public import Messages

/// An answer as the message that it is, for who keeps a conversation themselves.
///
///     var record = AnswerRecord()
///     for try await event in client.prompt(request) { record.append(event) }
///     let messages = [ModelMessage(.user, text: "Name a ship."), record.message]
///     let next = PromptRequest(prompt: "Another one.", messages: messages)
///
/// What a provider wants to see again (signatures, ids) is kept with the part that it belongs to.
public struct AnswerRecord: Sendable {
    /// The message so far: the model's.
    public private(set) var message = ModelMessage(.assistant, [])
    /// Whether the next piece of a text or a reasoning begins a part of its own.
    private var isClosed = true

    public init() {}

    /// Takes the next event of the answer. Those that say nothing of its content are ignored.
    public mutating func append(_ event: ClientEvent.Event) {
        switch event {
        case .text(let text): self.append(text: text)
        case .reasoning(let text): self.append(reasoning: text)
        case .toolCall(let call): self.begin(.toolCall(call))
        case .toolResult(let result): self.begin(.toolResult(result))
        case .metadata(let metadata): self.append(metadata)
        case .done(let completion): self.append(completion)
        case .start, .round, .error, .unknown: break
        }
    }
}

extension AnswerRecord {
    private mutating func append(text more: String) {
        if !self.isClosed, case .text(let text)? = self.message.parts.last?.content {
            self.message.parts[self.message.parts.count - 1].content = .text(text + more)
        } else if !more.isEmpty {
            self.begin(.text(more))
            self.isClosed = false
        }
    }

    private mutating func append(reasoning more: String) {
        if !self.isClosed, case .reasoning(let text, let isRedacted)? = self.message.parts.last?.content {
            self.message.parts[self.message.parts.count - 1].content = .reasoning(text + more, isRedacted: isRedacted)
        } else if !more.isEmpty {
            self.begin(.reasoning(more))
            self.isClosed = false
        }
    }

    private mutating func begin(_ content: MessagePart.Content) {
        self.message.parts.append(MessagePart(content))
        self.isClosed = true
    }

    /// A whole answer: its events, where there are some, say all of it.
    private mutating func append(_ completion: ClientEvent.Completion) {
        if completion.events.isEmpty {
            if let reasoning = completion.reasoning { self.append(reasoning: reasoning) }
            if let text = completion.text { self.append(text: text) }
            for call in completion.toolCalls { self.begin(.toolCall(call)) }
        }
        for event in completion.events {
            switch event {
            case .text(let text): self.append(text: text)
            case .reasoning(let text): self.append(reasoning: text)
            case .toolCall(let call): self.begin(.toolCall(call))
            case .toolResult(let result): self.begin(.toolResult(result))
            case .metadata(let metadata): self.append(metadata)
            case .done, .error: break
            }
        }
    }

    private mutating func append(_ metadata: PartMetadata) {
        switch metadata.target {
        case .message:
            self.message.providerMetadata = Self.joined(self.message.providerMetadata, metadata.providerMetadata)
            return
        case .text: if self.message.parts.last?.type != "text" { self.begin(.text("")) }
        case .reasoning: if self.message.parts.last?.type != "reasoning" { self.begin(.reasoning("")) }
        case .toolCall, .toolResult: break
        }
        self.isClosed = true
        guard let index = self.message.parts.lastIndex(where: { $0.type == metadata.target.rawValue }) else { return }
        let known = self.message.parts[index].providerMetadata
        self.message.parts[index].providerMetadata = Self.joined(known, metadata.providerMetadata)
        if metadata.isRedacted, case .reasoning(let text, _) = self.message.parts[index].content {
            self.message.parts[index].content = .reasoning(text, isRedacted: true)
        }
    }

    /// Both objects of objects as one; where both say something, the later one counts.
    private static func joined(_ one: JSONValue?, _ other: JSONValue?) -> JSONValue? {
        guard var members = one?.members else { return other }
        for member in other?.members ?? [] {
            if let index = members.firstIndex(where: { $0.name == member.name }) {
                members[index].value = self.joinedMembers(members[index].value, member.value)
            } else {
                members.append(member)
            }
        }
        return .object(members)
    }

    private static func joinedMembers(_ one: JSONValue, _ other: JSONValue) -> JSONValue {
        guard let old = one.members, let new = other.members else { return other }
        return .object(old.filter { member in !new.contains { $0.name == member.name } } + new)
    }
}
