import Messages

/// Which provider serves which name, ids and aliases alike: a name belongs to one model.
struct ModelNames {
    private struct Claim {
        var provider: String
        var position: Position
    }

    private var claims: [String: Claim] = [:]
    private let collector: ProblemCollector

    init(collector: ProblemCollector) {
        self.collector = collector
    }

    var all: Set<String> { Set(self.claims.keys) }

    /// Gives `name` to `provider`, or reports who has it.
    mutating func claim(_ name: String, for provider: String, at position: Position) {
        if let other = self.claims[name] {
            let owner = other.provider == provider ? "this provider" : "provider '\(other.provider)'"
            let place =
                other.position == position ? "" : " (line \(other.position.line), column \(other.position.column))"
            self.collector.refuse(
                "\(owner) has the model or alias \(SafeQuotation.quote(name)) already\(place)", at: position)
        } else {
            self.claims[name] = Claim(provider: provider, position: position)
        }
    }
}
