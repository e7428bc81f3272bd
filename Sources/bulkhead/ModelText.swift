import BulkheadClient

/// Models, written for people.
enum ModelText {
    static func table(_ models: [Model], isVerbose: Bool) -> String {
        // Reasons take a column of their own where there are any.
        let hasReasons = models.contains { $0.reason != nil }
        var rows = [
            ["MODEL", "ALIASES", "PROVIDER"] + (isVerbose ? ["CONTEXT", "OUTPUT", "CAN"] : []) + ["NOTES"]
                + (hasReasons ? ["NOT AVAILABLE BECAUSE"] : [])
        ]
        for model in models {
            var row = [model.id, model.aliases.joined(separator: ", "), model.provider]
            if isVerbose {
                row += [
                    model.facts.context.map(Self.count) ?? "", model.facts.maximumOutput.map(Self.count) ?? "",
                    Self.features(model.facts).joined(separator: ", "),
                ]
            }
            let notes = [model.isDefault ? "default" : "", model.needsKey ? "needs a key" : ""].filter { !$0.isEmpty }
            rows.append(row + [notes.joined(separator: ", ")] + (hasReasons ? [model.reason ?? ""] : []))
        }
        return Text.table(rows)
    }

    /// All that is known of a model, as `llm models --options` lays it out.
    static func whole(_ model: Model) -> String {
        let aliases = model.aliases.isEmpty ? "" : " (aliases: \(model.aliases.joined(separator: ", ")))"
        var lines = ["\(model.provider): \(model.id)\(aliases)"]
        let facts = model.facts
        if let options = facts.options {
            lines.append(options.isEmpty ? "  Options: none" : "  Options:")
            lines += options.map { "    \($0.name): \($0.form)" }
        }
        if let types = facts.attachments {
            lines.append(types.isEmpty ? "  Attachment types: none" : "  Attachment types:")
            lines += Self.wrapped(types.sorted(), indent: "    ")
        }
        let features = Self.features(facts, attachments: false)
        if !features.isEmpty { lines += ["  Features:"] + features.map { "  - \($0)" } }
        let limits = [
            facts.context.map { "    context: \(Self.count($0)) tokens" },
            facts.maximumOutput.map { "    output: \(Self.count($0)) tokens" },
        ].compactMap { $0 }
        if !limits.isEmpty { lines += ["  Limits:"] + limits }
        if let reason = model.reason { lines.append("  Not available: \(reason)") }
        if facts == ModelFacts() { lines.append("  Nothing is known of it; everything is passed on") }
        return lines.joined(separator: "\n") + "\n"
    }

    static func line(_ provider: RefreshedProvider) -> String {
        switch provider.outcome {
        case .listed(let count, let added):
            return "\(provider.name): \(count) \(count == 1 ? "model" : "models"), \(added) new"
        case .failed(let failure): return "\(provider.name): \(failure.code.rawValue): \(failure.message)"
        }
    }

    private static func features(_ facts: ModelFacts, attachments: Bool = true) -> [String] {
        let names: [(ModelFacts.Ability, String)] = [
            (.streaming, "streaming"), (.schema, "schemas"), (.tools, "tools"), (.reasoning, "reasoning"),
            (.embeddings, "embeddings"),
        ]
        let abilities = names.filter { facts.can($0.0) == true }.map(\.1)
        return abilities + (attachments && facts.attachments?.isEmpty == false ? ["attachments"] : [])
    }

    /// `128,000`.
    static func count(_ number: Int) -> String {
        var digits = Array(String(number))
        var place = digits.count - 3
        while place > 0 {
            digits.insert(",", at: place)
            place -= 3
        }
        return String(digits)
    }

    private static func wrapped(_ words: [String], indent: String) -> [String] {
        var lines: [String] = []
        var line = indent
        for (index, word) in words.enumerated() {
            let piece = word + (index < words.count - 1 ? ", " : "")
            if line.count + piece.count > 79, line != indent {
                lines.append(String(line.reversed().drop { $0 == " " }.reversed()))
                line = indent
            }
            line += piece
        }
        return line == indent ? lines : lines + [line]
    }
}
