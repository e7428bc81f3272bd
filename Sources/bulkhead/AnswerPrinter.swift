import BulkheadClient

/// Prints an answer for people: text on standard output, reasoning on a terminal's standard error.
///
/// What reaches a terminal is made safe for it; what goes into a file or a pipe is what the model said.
struct AnswerPrinter {
    /// Which fenced block is printed instead of the whole answer.
    enum Extraction { case first, last }

    private let output = StandardStream.output
    private let diagnostics = StandardStream.error
    private let showsReasoning: Bool
    private let showsUsage: Bool
    private let extraction: Extraction?
    /// Makes text safe; `nil` where standard output is no terminal.
    private var filter: TerminalFilter?
    /// Whether tool calls are part of the answer, or somebody sees to them.
    private let showsToolCalls: Bool
    /// The text of all rounds.
    private var chainText = ChainText()
    /// The text that a block is to be found in.
    private var collected = ""
    /// Whether what was printed last left its line open.
    private var hasOpenLine = false
    private var hasOpenReasoning = false

    private static let dim = "\u{1B}[2m"
    private static let yellow = "\u{1B}[33;1m"
    private static let normal = "\u{1B}[0m"

    /// - Parameter showsToolCalls: Whether tool calls are part of the answer; not where tools are run.
    init(
        hidesReasoning: Bool, showsUsage: Bool = false, showsToolCalls: Bool = true,
        extracts extraction: Extraction? = nil
    ) {
        self.showsReasoning = !hidesReasoning && StandardStream.error.isTerminal
        self.showsUsage = showsUsage
        self.showsToolCalls = showsToolCalls
        self.extraction = extraction
        self.filter = StandardStream.output.isTerminal ? TerminalFilter() : nil
    }

    /// Prints an answer until its end, and returns that.
    ///
    /// - Parameter observe: Sees each event before it is printed.
    /// - Throws: ``ClientError``, after what came before it was printed, and ``OutputClosed``.
    @discardableResult
    mutating func printAll(
        of frames: Reply.Frames, _ observe: (ClientEvent.Event) -> Void = { _ in }
    ) async throws -> ClientEvent.Completion? {
        var usage: Usage?
        var completion: ClientEvent.Completion?
        do {
            for try await frame in frames {
                observe(frame.event)
                usage = frame.event.usage.map { usage?.adding($0) ?? $0 } ?? usage
                switch frame.event {
                case .error(let failure, _, _): throw ClientError.failure(failure)
                case .done(let done): completion = done
                case .start, .text, .reasoning, .toolCall, .toolResult, .metadata, .round, .unknown: break
                }
                try self.print(frame.event)
            }
        } catch let error as ClientError {
            try self.finish()
            if usage != nil { try self.print(usage) }
            throw error
        }
        try self.printExtract()
        try self.finish()
        try self.print(usage)
        return completion
    }

    private mutating func print(_ event: ClientEvent.Event) throws(OutputClosed) {
        let text = self.chainText.next(event)
        switch event {
        case .text: try self.printText(text)
        case .reasoning(let text): try self.printReasoning(text)
        case .toolCall(let call): try self.printToolCall(call)
        case .round(let completion, _), .done(let completion):
            if let reasoning = completion.reasoning { try self.printReasoning(reasoning) }
            try self.printText(text)
            for call in completion.toolCalls { try self.printToolCall(call) }
        case .start, .toolResult, .metadata, .error, .unknown: break
        }
    }

    /// Ends the line that is open.
    private mutating func finish() throws(OutputClosed) {
        try self.endReasoning()
        if let rest = self.filter?.finish() { try self.output.write(rest) }
        if self.hasOpenLine { try self.output.write("\n") }
        self.hasOpenLine = false
    }

    private mutating func printText(_ text: String) throws(OutputClosed) {
        guard !text.isEmpty else { return }
        try self.endReasoning()
        if self.extraction == nil { try self.writeText(text) } else { self.collected += text }
    }

    private mutating func writeText(_ text: String) throws(OutputClosed) {
        guard let last = text.utf8.last else { return }
        try self.output.write(self.filter?.pass(text) ?? text)
        self.hasOpenLine = last != UInt8(ascii: "\n")
    }

    private mutating func printExtract() throws(OutputClosed) {
        guard let extraction = self.extraction else { return }
        try self.writeText(FencedBlock.find(in: self.collected, last: extraction == .last) ?? self.collected)
    }

    private mutating func printReasoning(_ text: String) throws(OutputClosed) {
        guard self.showsReasoning, !text.isEmpty else { return }
        self.hasOpenReasoning = true
        try self.diagnostics.write(Self.dim + TerminalText.escaped(text) + Self.normal)
    }

    private mutating func printToolCall(_ call: ToolCall) throws(OutputClosed) {
        guard self.showsToolCalls else { return }
        try self.finish()
        try self.output.writeLine(json: call.encoded)
    }

    private mutating func endReasoning() throws(OutputClosed) {
        if self.hasOpenReasoning { try self.diagnostics.write("\n\n") }
        self.hasOpenReasoning = false
    }

    private func print(_ usage: Usage?) throws(OutputClosed) {
        guard self.showsUsage else { return }
        let text = UsageText.make(usage)
        try self.diagnostics.writeLine(self.diagnostics.isTerminal ? Self.yellow + text + Self.normal : text)
    }
}
