public import Messages

/// An answer as the message that it is, for who keeps a conversation themselves.
///
///     var record = AnswerRecord()
///     for try await event in client.prompt(request) { record.append(event) }
///     let messages = [ModelMessage(.user, text: "Name a ship."), record.message]
///     let next = PromptRequest(prompt: "Another one.", messages: messages)
///
/// It is the message that the daemon has on record. What a provider wants to see again (signatures, ids) is kept with the
/// part that it belongs to, and reasoning that the provider keeps to itself stands at the front.
public struct AnswerRecord: Sendable {
    private var assembly = AnswerAssembly()

    public init() {}

    /// The message so far: the model's.
    public var message: ModelMessage { self.assembly.message ?? ModelMessage(.assistant, []) }

    /// Takes the next event of the answer. Those that say nothing of its content are ignored.
    public mutating func append(_ event: ClientEvent.Event) {
        switch event {
        case .text(let text): self.assembly.append(.text(text))
        case .reasoning(let text): self.assembly.append(.reasoning(text))
        case .toolCall(let call): self.assembly.append(.toolCall(call))
        case .toolResult(let result): self.assembly.append(.toolResult(result))
        case .metadata(let metadata): self.assembly.append(.metadata(metadata))
        case .round(let completion, _), .done(let completion): self.append(completion)
        case .start, .error, .unknown: break
        }
    }

    /// A whole answer: its events, where there are some, say all of it.
    private mutating func append(_ completion: ClientEvent.Completion) {
        guard completion.events.isEmpty else { return completion.events.forEach { self.assembly.append($0) } }
        if let reasoning = completion.reasoning { self.assembly.append(.reasoning(reasoning)) }
        if let text = completion.text { self.assembly.append(.text(text)) }
        for call in completion.toolCalls { self.assembly.append(.toolCall(call)) }
    }
}
