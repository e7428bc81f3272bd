import BulkheadClient

/// A tool call and its result for people, as llm's `--td` shows them.
enum ToolCallText {
    private static let yellow = "\u{1B}[33;1m"
    private static let green = "\u{1B}[32;1m"
    private static let red = "\u{1B}[31;1m"
    private static let normal = "\u{1B}[0m"

    /// `Tool call: weather({"city": "Oslo"})`
    static func line(_ call: ToolCall) -> String {
        let arguments = (try? JSONValue(parsing: call.arguments))?.text(JSONFormat(isSpaced: true)) ?? "{}"
        return "Tool call: \(call.name)(\(arguments))"
    }

    /// The call and what came of it.
    static func lines(_ call: ToolCall, _ result: ToolResult, _ paint: (String, _ color: String) -> String) -> String {
        var output = result.output
        if let value = try? JSONValue(parsing: output) { output = value.text(JSONFormat(indent: 2)) }
        for attachment in result.attachments {
            output += "\nAttachment: \(attachment.mediaType ?? "of an unknown type")"
        }
        let lines = output.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "" : "  \($0)" }
        var text = "\n" + paint(Self.line(call), Self.yellow) + "\n"
        text += paint(lines.joined(separator: "\n"), Self.green) + "\n"
        if let exception = result.exception { text += paint("  Exception: \(exception)", Self.red) + "\n" }
        return text + "\n"
    }

    /// Shows a call and its result on standard error, at once, so that calls that run together do not mix.
    static func show(_ call: ToolCall, _ result: ToolResult) {
        let stream = StandardStream.error
        let text = Self.lines(call, result) { text, color in
            stream.isTerminal ? color + TerminalText.escaped(text) + Self.normal : text
        }
        // There is nobody to tell that standard error is closed.
        try? stream.write(text)
    }

    /// The call as a question begins with it.
    static func painted(_ call: ToolCall) -> String {
        Self.yellow + TerminalText.escaped(Self.line(call)) + Self.normal
    }
}
