import JSON
public import Messages

/// The conversation of a chain as messages, for who keeps it themselves: what was asked, and then for each round the model's
/// message and one with the results of its calls, in the order of the calls.
///
///     asked ──start──▶ a round is made ──round──▶ its calls are owed ──start──▶ a round is made ──done──▶ ended
///
/// A ``Chain`` has one. A round that has not ended is not in it: what a model was about to say when the daemon died is said
/// again.
public struct ChainRecord: Sendable {
    /// The conversation on record that the messages go on with, which this does not know; `nil` where they are all.
    let conversation: String?
    /// Whether the conversation on record has a round of this chain.
    private(set) var hasEndedRound = false
    /// What is complete, but for the results of the last round that has ended.
    private var closed: [ModelMessage]
    /// The calls of that round, or those that the chain is resumed with, that the provider has not seen to itself.
    private var calls: [ToolCall] = []
    /// What came of them, by their place.
    private var resultsByPlace: [Int: ToolResult] = [:]
    /// The round that is being made.
    private var round = AnswerRecord()

    /// A chain that begins with `request`.
    public init(_ request: PromptRequest) {
        self.conversation = request.conversation
        self.closed = request.openingMessages
    }

    /// All messages so far, with the results that there are: a chain that goes on from them asks for the others.
    public var messages: [ModelMessage] {
        var messages = self.closed
        messages.append(results: self.results)
        return messages
    }

    /// The results of the last round that has ended, as far as they are known, in the order of its calls.
    var results: [ToolResult] { self.calls.indices.compactMap { self.resultsByPlace[$0] } }

    /// The calls of that round whose result is missing.
    var unansweredCalls: [ToolCall] {
        self.calls.indices.filter { self.resultsByPlace[$0] == nil }.map { self.calls[$0] }
    }

    /// The results, with one for each call that has none.
    func results(cancelling reason: String) -> [ToolResult] {
        self.calls.indices.map { place in
            self.resultsByPlace[place] ?? ToolResult(self.calls[place], ToolCallCancelled(reason))
        }
    }

    /// Takes the next event of the chain.
    public mutating func append(_ event: ClientEvent.Event) {
        switch event {
        case .start: self.round = AnswerRecord()
        // What the daemon says of a call that nobody can run.
        case .toolResult(let result) where !result.isServerExecuted: self.append(result)
        case .text, .reasoning, .toolCall, .toolResult, .metadata: self.round.append(event)
        case .round(let completion, _):
            self.round.append(event)
            self.endRound(isResumed: completion.request == nil)
        case .done:
            self.round.append(event)
            self.endRound(isResumed: false)
        case .error(let failure, _, _):
            // The last round that there may be is on record, and so are its calls.
            if failure.code == .chainLimitExceeded { self.endRound(isResumed: false) }
        case .unknown: break
        }
    }

    /// Takes the result of a call that a round has ended with. One that nobody waits for is ignored.
    public mutating func append(_ result: ToolResult) {
        let id = result.toolCallID ?? ""
        let place = self.calls.indices.first { place in
            let call = self.calls[place]
            return self.resultsByPlace[place] == nil && call.id == id && (!id.isEmpty || call.name == result.name)
        }
        if let place { self.resultsByPlace[place] = result }
    }

    /// - Parameter isResumed: Whether the chain goes on from calls that its messages end with.
    private mutating func endRound(isResumed: Bool) {
        let message = self.round.message
        if !isResumed {
            self.hasEndedRound = true
            self.closed = self.messages
            if !message.parts.isEmpty { self.closed.append(message) }
        }
        self.calls = message.parts.compactMap { part in
            if case .toolCall(let call) = part.content, !call.isServerExecuted { call } else { nil }
        }
        (self.resultsByPlace, self.round) = ([:], AnswerRecord())
    }
}

extension PromptRequest {
    /// The messages that the request begins with, as the daemon puts them together: those it gives, the system prompt in
    /// front, results, and the prompt with its attachments.
    fileprivate var openingMessages: [ModelMessage] {
        var messages = (try? ModelMessage.list(Self.value(self.messages) ?? .array([]))) ?? []
        if let system = Self.value(self.system)?.string, !system.isEmpty, messages.first?.role != .system {
            messages.insert(ModelMessage(.system, text: system), at: 0)
        }
        messages.append(results: (try? ToolResult.list(Self.value(self.toolResults) ?? .array([]))) ?? [])
        let attachments = (try? Attachment.list(Self.value(self.attachments) ?? .array([]))) ?? []
        var parts = attachments.map { MessagePart(.attachment($0)) }
        let prompt = Self.value(self.prompt)?.string ?? ""
        if !prompt.isEmpty { parts.insert(MessagePart(.text(prompt)), at: 0) }
        if !parts.isEmpty { messages.append(ModelMessage(.user, parts)) }
        return messages
    }

    private static func value(_ bytes: [UInt8]?) -> JSONValue? {
        bytes.flatMap { try? JSONValue(parsing: $0, bounds: .lenient) }
    }
}

extension [ModelMessage] {
    /// Adds results: to the message of results that is the last one, where it is.
    fileprivate mutating func append(results: [ToolResult]) {
        guard !results.isEmpty else { return }
        let parts = results.map { MessagePart(.toolResult($0)) }
        if self.last?.role == .tool {
            self[self.count - 1].parts += parts
        } else {
            self.append(ModelMessage(.tool, parts))
        }
    }
}
