import Messages

/// Reads one entry of `providers`.
struct ProviderReader {
    let name: String
    /// Where its name stands.
    let position: Position
    let keys: KeyFinder
    let isTesting: Bool
    let collector: ProblemCollector

    /// - Returns: The provider, its models claimed in `names`, or `nil` where nothing can be made of it. Either way,
    ///   what is wrong has been reported.
    func read(_ value: YAMLValue, names: inout ModelNames) -> ProviderSettings? {
        guard let fields = value.mapping(SupportedFields.provider) else { return nil }
        let slots = fields["slots"]?.integer(in: 1...ProviderSettings.maximumSlots)
        let retries = fields["retries"]?.integer(in: ProviderSettings.retriesRange)
        let timeouts = fields["timeouts"].map(TimeoutsReader.read) ?? TimeoutsReader()
        let kind = self.readKind(fields["type"], value)
        var settings: ProviderSettings?
        switch kind {
        case .echo: settings = self.readEcho(fields, names: &names)
        case .echoFault: settings = self.readEchoFault(fields, names: &names)
        case .openAI, .anthropic, .gemini, .openAICompatible, .ollama, .llamaCpp, .vLLM, .lmStudio, .groq, .mistral,
            .openRouter, .deepSeek,
            .cerebras, .xAI:
            settings = kind.flatMap { self.readOverHTTP($0, fields, names: &names) }
        case nil: _ = fields["key"].map(KeyName.read)
        }
        if let slots { settings?.slots = slots }
        if let retries { settings?.retries = retries }
        settings?.connectTimeoutMilliseconds = timeouts.connect
        settings?.timeouts = timeouts.timeouts
        return settings
    }

    private func readKind(_ field: YAMLValue?, _ value: YAMLValue) -> ProviderSettings.Kind? {
        guard let field else {
            if let kind = ProviderSettings.Kind(rawValue: self.name) {
                return self.checkTesting(kind, at: self.position)
            }
            self.collector.refuse(
                "provider '\(self.name)' needs a 'type': one of \(SupportedFields.types.joined(separator: ", "))",
                at: self.position)
            return nil
        }
        if case .string(let text) = field.kind {
            if let kind = ProviderSettings.Kind(rawValue: text) { return self.checkTesting(kind, at: field.position) }
            if SupportedFields.laterTypes.contains(text) {
                field.refuse(
                    "this version does not support the type '\(text)' yet; it supports "
                        + SupportedFields.types.joined(separator: ", "))
                return nil
            }
        }
        _ = field.choice(of: SupportedFields.types)
        return nil
    }

    private func checkTesting(_ kind: ProviderSettings.Kind, at position: Position) -> ProviderSettings.Kind? {
        guard kind == .echoFault, !self.isTesting else { return kind }
        self.collector.refuse(
            "the type 'echo-fault' fails on purpose and needs 'testing: true' at the top of the file", at: position)
        return nil
    }

    private func readEcho(_ fields: YAMLMapping, names: inout ModelNames) -> ProviderSettings {
        self.refuse(["base_url", "models"], of: fields, type: "echo", reason: "its models are fixed")
        var settings = ProviderSettings(name: self.name, kind: .echo, models: self.claim(BuiltInModels.echo, &names))
        if let field = fields["key"] {
            settings.take(self.namedKey(field, llmNames: []))
        } else {
            settings.take(self.ownKey(BuiltInModels.echoKeyName, .echo))
        }
        return settings
    }

    private func readEchoFault(_ fields: YAMLMapping, names: inout ModelNames) -> ProviderSettings {
        self.refuse(
            ["base_url", "models", "key"], of: fields, type: "echo-fault", reason: "it has one model and no key")
        return ProviderSettings(
            name: self.name, kind: .echoFault, models: self.claim(BuiltInModels.echoFault, &names))
    }

    /// What is known of a provider of this type, or of OpenAI where chat completions are asked of it under its name.
    private func preset(_ kind: ProviderSettings.Kind) -> ProviderPreset? {
        kind == .openAICompatible && self.name == ProviderSettings.Kind.openAI.rawValue
            ? .openAI : ProviderPreset.of(kind)
    }

    private func readOverHTTP(
        _ kind: ProviderSettings.Kind, _ fields: YAMLMapping, names: inout ModelNames
    ) -> ProviderSettings? {
        let preset = self.preset(kind)
        let baseURL = self.readBaseURL(fields["base_url"], preset)
        let key = self.readKey(fields, preset, kind)
        if let field = fields["base_url"], baseURL?.isReadableOnTheWay == true, key.name != nil {
            field.warn("the key travels in the clear: use https:// for a provider on another machine")
        }
        let known = BuiltInModels.models(of: kind, preset)
        var models: [ModelDescription] = []
        if let field = fields["models"] {
            models = self.readModels(field, known: known, needsKey: key.name != nil, names: &names)
            if models.isEmpty { return nil }
        } else {
            models = self.claim(known, &names).map { model in
                var model = model
                model.needsKey = key.name != nil
                return model
            }
            if models.isEmpty {
                self.collector.warn(
                    "provider '\(self.name)' names no models: ask for '\(self.name)/MODEL', name them in 'models', or "
                        + "have the provider list them: bulkhead models --refresh", at: self.position)
            }
        }
        guard let baseURL else { return nil }
        var settings = ProviderSettings(name: self.name, kind: kind, models: models, baseURL: baseURL.text)
        settings.take(key)
        return settings
    }

    /// The models of a list: what is said of one counts for more than what the catalogue knows of it.
    private func readModels(
        _ field: YAMLValue, known: [ModelDescription], needsKey: Bool, names: inout ModelNames
    ) -> [ModelDescription] {
        let entries = ModelListReader.read(field) ?? []
        let named = Set(entries.map(\.id))
        var models: [ModelDescription] = []
        for entry in entries where entry.id != ModelListReader.rest {
            let model = known.first { $0.id == entry.id }
            let aliases = entry.aliases ?? model?.aliases ?? []
            for (index, name) in ([entry.id] + aliases).enumerated() {
                let position = index < entry.positions.count ? entry.positions[index] : entry.positions[0]
                names.claim(name, for: self.name, at: position)
            }
            models.append(
                ModelDescription(
                    id: entry.id, aliases: aliases, needsKey: entry.needsKey ?? needsKey,
                    facts: (model?.facts ?? ModelFacts()).changed(by: entry.facts)))
        }
        if named.contains(ModelListReader.rest) {
            if known.isEmpty { field.refuse("'*' stands for the built-in models, and this type has none") }
            models += self.claim(known.filter { !named.contains($0.id) }, &names).map { model in
                var model = model
                model.needsKey = needsKey
                return model
            }
        }
        return models
    }

    /// Claims the names of models of the catalogue.
    private func claim(_ models: [ModelDescription], _ names: inout ModelNames) -> [ModelDescription] {
        for name in models.flatMap({ [$0.id] + $0.aliases }) { names.claim(name, for: self.name, at: self.position) }
        return models
    }

    private func readBaseURL(_ field: YAMLValue?, _ preset: ProviderPreset?) -> BaseURL? {
        guard let field else {
            if let preset { return try? BaseURL(preset.baseURL) }
            let example = "such as http://127.0.0.1:11434/v1"
            self.collector.refuse("provider '\(self.name)' needs a 'base_url', \(example)", at: self.position)
            return nil
        }
        guard let text = field.string("an address, such as http://127.0.0.1:11434/v1") else { return nil }
        do throws(BaseURL.Refusal) {
            return try BaseURL(text)
        } catch {
            field.refuse("the address \(error.message)")
            return nil
        }
    }

    /// The key that is named, or the provider's own for the provider's own address: it is never sent elsewhere unasked.
    private func readKey(
        _ fields: YAMLMapping, _ preset: ProviderPreset?, _ kind: ProviderSettings.Kind
    ) -> ProviderKey {
        let ownName = fields["base_url"] == nil ? preset?.keyName : nil
        if let field = fields["key"] {
            let isOwn = ownName != nil && field.kind == .string(ownName ?? "")
            return self.namedKey(field, llmNames: isOwn ? self.llmNames(preset?.kind ?? kind) : [])
        }
        guard let ownName else { return .none }
        let key = self.ownKey(ownName, preset?.kind ?? kind)
        if key.source == nil {
            self.collector.warn(
                "provider '\(self.name)' lacks its key: \(ProviderKey.missing(ownName))", at: self.position)
        }
        return key
    }

    private func namedKey(_ field: YAMLValue, llmNames: [String]) -> ProviderKey {
        guard let name = KeyName.read(field) else { return .none }
        let key = ProviderKey(
            name, self.keys.find(name, llmNames: llmNames), refuse: { field.refuse($0) }, warn: { field.warn($0) })
        if key.source == nil {
            field.warn("\(ProviderKey.missing(name)); until then this provider's models lack their key")
        }
        return key
    }

    private func ownKey(_ name: String, _ kind: ProviderSettings.Kind) -> ProviderKey {
        ProviderKey(
            name, self.keys.find(name, llmNames: self.llmNames(kind), isOwnVariable: true),
            refuse: { self.collector.refuse($0, at: self.position) },
            warn: { self.collector.warn("provider '\(self.name)': \($0)", at: self.position) })
    }

    /// Under which names llm may keep this provider's key.
    private func llmNames(_ kind: ProviderSettings.Kind) -> [String] { [self.name, kind.rawValue] }

    private func refuse(_ unwanted: [String], of fields: YAMLMapping, type: String, reason: String) {
        for entry in fields.entries where unwanted.contains(entry.name) {
            self.collector.refuse("the type '\(type)' has no field '\(entry.name)': \(reason)", at: entry.position)
        }
    }
}
