import BulkheadClient

/// What was asked and answered, for people to read.
enum LogText {
    /// One row with everything that was said.
    static func full(_ row: LogRow) -> String {
        var text = "# \(Self.heading(row))\n\(Self.details(row).map { $0 + "\n" }.joined())"
        func add(_ title: String, _ content: String) {
            guard !content.isEmpty else { return }
            text += "\n## \(title)\n\n\(content)\(content.hasSuffix("\n") ? "" : "\n")"
        }
        if let system = row.system { add("System", system) }
        add("Prompt", row.prompt)
        add("Attachments", row.attachments.map { $0.text() + "\n" }.joined())
        if let reasoning = row.reasoning { add("Reasoning", reasoning) }
        add("Response", row.response)
        add("Tool calls", row.toolCalls.map { $0.text() + "\n" }.joined())
        add("Tool results", row.toolResults.map { $0.text() + "\n" }.joined())
        if let error = row.error { add("Error", "\(error.code): \(error.message)") }
        return text
    }

    /// One row on a line: when, which, how it went, and how prompt and answer begin.
    static func short(_ row: LogRow) -> [String] {
        [
            Text.time(milliseconds: row.startedAtMilliseconds), row.id, row.model, row.state ?? "llm",
            TerminalText.line(row.prompt, atMost: 40), TerminalText.line(row.response, atMost: 40),
        ]
    }

    private static func heading(_ row: LogRow) -> String {
        let provider = row.provider.map { " (\($0))" } ?? ""
        return "\(Text.time(milliseconds: row.startedAtMilliseconds))  \(row.model)\(provider)  \(row.id)"
    }

    private static func details(_ row: LogRow) -> [String] {
        var lines: [String] = []
        if let conversation = row.conversation {
            let name = row.conversationName.map { ": " + TerminalText.line($0, atMost: 60) } ?? ""
            lines.append("conversation \(conversation)\(name)")
        }
        let facts = [
            row.state ?? "recorded by llm", row.durationMilliseconds.map(Text.duration(milliseconds:)),
            row.inputTokens.map { "\($0) tokens in" }, row.outputTokens.map { "\($0) out" },
            row.finishReason.map { "finish reason \($0)" }, row.uid.map { "uid \($0)" },
        ]
        lines.append(facts.compactMap { $0 }.joined(separator: ", "))
        if let origin = Self.origin(row.origin) { lines.append(origin) }
        if let annotations = row.annotations { lines.append("noted \(annotations.text())") }
        if let options = row.options { lines.append("options \(options.text())") }
        if let schema = row.schema { lines.append("schema \(schema.text())") }
        if row.isTruncated { lines.append("too long to be shown whole; logs.db has all of it") }
        if let reason = row.unreadable { lines.append("not whole in logs.db: \(reason)") }
        return lines
    }

    /// What it was for and for whom, where that is known.
    private static func origin(_ origin: RecordedOrigin) -> String? {
        let facts = [
            origin.purpose.map { "purpose \($0)" }, origin.caller.map { "caller \($0)" },
            origin.actor.map { "for \(TerminalText.line($0, atMost: 60))" },
            origin.group.map { "group \($0)" },
        ].compactMap { $0 }
        return facts.isEmpty ? nil : facts.joined(separator: ", ")
    }
}
