public import Messages

/// The text of a chain as one: between the texts of two rounds stands a space, unless there is white space already, as llm
/// has it. It is for who reads; the record has the texts as they were.
public struct ChainText: Sendable {
    private var beginsRound = false
    /// The end of the text so far; `nil` where there is none.
    private var last: Character?

    public init() {}

    /// What `event` adds to the text.
    public mutating func next(_ event: ClientEvent.Event) -> String {
        switch event {
        case .text(let text): return self.append(text)
        case .round(let completion, _):
            // What is not streamed stands in the round's end.
            defer { self.beginsRound = true }
            return self.append(completion.text ?? "")
        case .done(let completion): return self.append(completion.text ?? "")
        case .start, .reasoning, .toolCall, .toolResult, .metadata, .error, .unknown: return ""
        }
    }

    private mutating func append(_ text: String) -> String {
        guard let first = text.first else { return "" }
        defer { (self.beginsRound, self.last) = (false, text.last) }
        guard self.beginsRound, let last = self.last, !last.isWhitespace, !first.isWhitespace else { return text }
        return " " + text
    }
}
