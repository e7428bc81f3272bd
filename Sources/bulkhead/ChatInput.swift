/// What the lines of a chat mean.
///
///     outside ──"!multi"──▶ inside ──a line──▶ inside
///        ▲                    │ "!end", or Ctrl-C
///        └────────────────────┘
struct ChatInput {
    enum Action: Equatable {
        /// A prompt is complete.
        case ask(String)
        /// There is nothing to do before the next line.
        case goOn
        case quit
        /// A command that this program does not have.
        case refuse(String)
    }

    private struct Lines {
        /// The line that ends them.
        var end: String
        var lines: [String] = []
    }

    private var collected: Lines?

    /// Whether lines are collected for one prompt.
    var isCollecting: Bool { self.collected != nil }

    /// Takes the next line, without its end.
    mutating func take(_ line: String) -> Action {
        let words = line.split(whereSeparator: \.isWhitespace)
        if var collected = self.collected {
            guard words.joined(separator: " ") == collected.end else {
                collected.lines.append(line)
                self.collected = collected
                return .goOn
            }
            self.collected = nil
            let text = collected.lines.joined(separator: "\n")
            return text.allSatisfy(\.isWhitespace) ? .goOn : .ask(text)
        }
        switch words.first {
        case nil: return .goOn
        case "!multi":
            self.collected = Lines(end: (["!end"] + words.dropFirst()).joined(separator: " "))
            return .goOn
        case "exit", "quit", "!quit", "!exit": return words.count == 1 ? .quit : .ask(line)
        case "!edit", "!fragment": return .refuse("there is no '\(words[0])' here; '!multi' takes several lines")
        case "!end": return .refuse("'!end' ends what '!multi' began, and nothing has begun")
        default: return .ask(line)
        }
    }

    /// Forgets the lines that are collected, and returns how many there were.
    mutating func drop() -> Int {
        defer { self.collected = nil }
        return self.collected?.lines.count ?? 0
    }
}
