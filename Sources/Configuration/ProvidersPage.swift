import Messages

/// The page docs/providers.md: what each type of provider, and each model of the catalogue, can do.
///
///     bulkhead-config --providers > docs/providers.md
public struct ProvidersPage: CustomStringConvertible {
    private let catalogue: ModelCatalogue

    public init(_ catalogue: ModelCatalogue = .shipped) { self.catalogue = catalogue }

    public var description: String {
        (Self.introduction + self.overview + self.sections + self.optionSets).joined(separator: "\n") + "\n"
    }

    private static let introduction = [
        "# Providers and models", "",
        "Made from the catalogue, `Sources/Configuration/models.json`. After a change of it: `bulkhead-config --providers > docs/providers.md`.",
        "",
        "An empty cell means that nothing is known, and then nothing is refused: the provider decides. What a cell denies is refused before",
        "anything is sent, with `not_supported`; an option that a model does not have, or a value that does not fit, with `invalid_options`.",
        "",
        "Each provider but `echo` has models besides, which can be asked as `provider/model` (`openai/gpt-9`), or by their own names once the provider has",
        "listed them: `bulkhead models --refresh`. How models are described in bulkhead.yaml is in [configuration.md](configuration.md#models).",
        "",
    ]

    // MARK: All providers

    private var overview: [String] {
        var lines = [
            "| Type | Provider | API | Streaming | Schemas | Tools | Attachments | Reasoning | Embeddings | Models |",
            "|---|---|---|---|---|---|---|---|---|---|",
        ]
        for kind in ProviderSettings.Kind.allCases where kind != .echoFault {
            let models = self.catalogue.models(of: kind)
            let abilities: [ModelFacts.Ability] = [.streaming, .schema, .tools]
            let cells =
                abilities.map { Self.summary(models.map { $0.facts }, $0) } + [Self.attachments(models)]
                + [Self.summary(models.map(\.facts), .reasoning), Self.summary(models.map(\.facts), .embeddings)]
            lines.append(
                "| [`\(kind.rawValue)`](#\(kind.rawValue)) | \(kind.title) | \(kind.api) | "
                    + cells.joined(separator: " | ") + " | \(models.isEmpty ? "name them" : "\(models.count)") |")
        }
        return lines + [""]
    }

    /// `yes` where all that is known says so, `some` where models differ.
    private static func summary(_ facts: [ModelFacts], _ ability: ModelFacts.Ability) -> String {
        let known = Set(facts.compactMap { $0.can(ability) })
        if known == [true] { return "yes" }
        return known == [false] ? "no" : known.isEmpty ? "" : "some"
    }

    private static func attachments(_ models: [ModelDescription]) -> String {
        let known = Set(models.compactMap { $0.facts.attachments.map { !$0.isEmpty } })
        if known == [true] { return "yes" }
        return known == [false] ? "no" : known.isEmpty ? "" : "some"
    }

    // MARK: Each provider

    private var sections: [String] {
        ProviderSettings.Kind.allCases.filter { $0 != .echoFault }.flatMap { kind -> [String] in
            let models = self.catalogue.models(of: kind)
            var lines = ["## \(kind.rawValue)", "", "\(kind.title): \(kind.about)", ""]
            guard !models.isEmpty else { return lines }
            lines += [
                "| Model | Aliases | Context | Output | Streaming | Schemas | Tools | Reasoning | Attachments | Options |",
                "|---|---|---|---|---|---|---|---|---|---|",
            ]
            lines += models.map { self.row($0, kind) }
            return lines + [""]
        }
    }

    private func row(_ model: ModelDescription, _ kind: ProviderSettings.Kind) -> String {
        let facts = model.facts
        var cells = [
            "`\(model.id)`", model.aliases.map { "`\($0)`" }.joined(separator: ", "),
            facts.context.map(Self.count) ?? "", facts.maximumOutput.map(Self.count) ?? "",
        ]
        if facts.can(.prompts) == false {
            cells += ["makes embeddings", "", "", "", "", ""]
        } else {
            cells += [ModelFacts.Ability.streaming, .schema, .tools, .reasoning].map { ability in
                facts.can(ability).map { $0 ? "yes" : "no" } ?? ""
            }
            cells.append(facts.attachments.map(Self.kinds) ?? "")
            cells.append(self.optionsReference(facts, kind))
        }
        return "| " + cells.joined(separator: " | ") + " |"
    }

    /// `images, PDF, text`: kinds of media types; all of them are in the answer to `bulkhead models --options`.
    private static func kinds(_ types: [String]) -> String {
        let names: [(String, (String) -> Bool)] = [
            ("images", { $0.hasPrefix("image/") }), ("sounds", { $0.hasPrefix("audio/") }),
            ("videos", { $0.hasPrefix("video/") }), ("PDF", { $0 == "application/pdf" }),
            ("text", { $0.hasPrefix("text/") }),
            ("office documents", { $0.hasPrefix("application/vnd.openxmlformats") }),
        ]
        let kinds = names.filter { name in types.contains(where: name.1) }.map(\.0)
        return types.isEmpty ? "none" : kinds.joined(separator: ", ")
    }

    // MARK: Options

    private func optionsReference(_ facts: ModelFacts, _ kind: ProviderSettings.Kind) -> String {
        guard let options = facts.options else { return "" }
        return options.isEmpty ? "none" : "[\(options.count)](#options-of-\(kind.rawValue))"
    }

    private var optionSets: [String] {
        ProviderSettings.Kind.allCases.flatMap { kind -> [String] in
            let models = self.catalogue.models(of: kind).filter { $0.facts.options != nil }
            var options: [ModelOption] = []
            for option in models.flatMap({ $0.facts.options ?? [] })
            where !options.contains(where: { $0.name == option.name }) {
                options.append(option)
            }
            guard !options.isEmpty else { return [] }
            let lines = options.sorted { $0.name < $1.name }.map { option in
                let owners = models.filter { $0.facts.options!.contains { $0.name == option.name } }
                let only = owners.count == models.count ? "" : "\(owners.count) of \(models.count) models"
                return "| `\(option.name)` | \(option.form) | \(only) |"
            }
            return ["## Options of \(kind.rawValue)", "", "| Option | | |", "|---|---|---|"] + lines + [""]
        }.dropLast()
    }

    private static func count(_ number: Int) -> String {
        var digits = Array(String(number))
        var place = digits.count - 3
        while place > 0 {
            digits.insert(",", at: place)
            place -= 3
        }
        return String(digits)
    }
}

extension ProviderSettings.Kind {
    fileprivate var title: String {
        switch self {
        case .echo: "Echo"
        case .openAICompatible: "Anything that speaks chat completions"
        default: ProviderPreset.of(self)?.title ?? self.rawValue
        }
    }

    fileprivate var api: String {
        switch self {
        case .echo, .echoFault: "none"
        case .openAI: "Responses"
        case .anthropic: "Messages"
        case .gemini: "generateContent"
        case .openAICompatible, .ollama, .llamaCpp, .vLLM, .lmStudio, .groq, .mistral, .openRouter, .deepSeek,
            .cerebras,
            .xAI:
            "chat completions"
        }
    }

    fileprivate var about: String {
        if self == .echo {
            return
                "answers with what it was asked; it needs no network. It checks its options itself, as llm-echo does."
        }
        guard let preset = ProviderPreset.of(self) else { return "its `base_url` says where." }
        let key = preset.keyName.map { "key from `\($0)`" } ?? "no key"
        return "`\(preset.baseURL)`, \(key)."
    }
}
