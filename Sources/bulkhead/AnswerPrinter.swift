import BulkheadClient

/// Prints an answer for people: text on standard output, reasoning on a terminal's standard error.
struct AnswerPrinter {
    private let output = StandardStream.output
    private let diagnostics = StandardStream.error
    private let showsReasoning: Bool
    /// Whether what was printed last left its line open.
    private var hasOpenLine = false
    private var hasOpenReasoning = false

    private static let dim = "\u{1B}[2m"
    private static let normal = "\u{1B}[0m"

    init(hidesReasoning: Bool) { self.showsReasoning = !hidesReasoning && StandardStream.error.isTerminal }

    mutating func print(_ event: ClientEvent.Event) throws(OutputClosed) {
        switch event {
        case .text(let text): try self.printText(text)
        case .reasoning(let text): try self.printReasoning(text)
        case .toolCall(let call): try self.printToolCall(call)
        case .done(let completion):
            if let reasoning = completion.reasoning { try self.printReasoning(reasoning) }
            if let text = completion.text { try self.printText(text) }
            for call in completion.toolCalls { try self.printToolCall(call) }
        case .start, .toolResult, .metadata, .error, .unknown: break
        }
    }

    /// Ends the line that is open.
    mutating func finish() throws(OutputClosed) {
        try self.endReasoning()
        if self.hasOpenLine { try self.output.write("\n") }
        self.hasOpenLine = false
    }

    private mutating func printText(_ text: String) throws(OutputClosed) {
        guard let last = text.utf8.last else { return }
        try self.endReasoning()
        try self.output.write(text)
        self.hasOpenLine = last != UInt8(ascii: "\n")
    }

    private mutating func printReasoning(_ text: String) throws(OutputClosed) {
        guard self.showsReasoning, !text.isEmpty else { return }
        self.hasOpenReasoning = true
        try self.diagnostics.write(Self.dim + text + Self.normal)
    }

    private mutating func printToolCall(_ call: ToolCall) throws(OutputClosed) {
        try self.finish()
        try self.output.write(Text.line(json: call.encoded))
    }

    private mutating func endReasoning() throws(OutputClosed) {
        if self.hasOpenReasoning { try self.diagnostics.write("\n\n") }
        self.hasOpenReasoning = false
    }
}
