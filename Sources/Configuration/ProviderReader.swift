import Messages

/// Reads one entry of `providers`.
struct ProviderReader {
    let name: String
    /// Where its name stands.
    let position: Position
    let environment: [String: String]
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
        case nil: _ = fields["key"].map { ProviderKey.read($0, environment: self.environment) }
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
        let key =
            if let field = fields["key"] {
                ProviderKey.read(field, environment: self.environment) ?? .none
            } else {
                ProviderKey(variable: BuiltInModels.echoKeyName, environment: self.environment) { message in
                    self.collector.refuse(message, at: self.position)
                }
            }
        return ProviderSettings(
            name: self.name, kind: .echo, models: self.claim(BuiltInModels.echo, &names), key: key.value,
            keyName: key.name)
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
        let key = self.readKey(fields, preset)
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
        return ProviderSettings(
            name: self.name, kind: kind, models: models, baseURL: baseURL.text, key: key.value, keyName: key.name)
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

    /// The key that is named, or the provider's own variable for the provider's own address: it is never sent elsewhere
    /// unasked.
    private func readKey(_ fields: YAMLMapping, _ preset: ProviderPreset?) -> ProviderKey {
        if let field = fields["key"] {
            return ProviderKey.read(field, environment: self.environment) ?? .none
        }
        guard let name = preset?.keyName, fields["base_url"] == nil else { return .none }
        let key = ProviderKey(variable: name, environment: self.environment) { message in
            self.collector.refuse(message, at: self.position)
        }
        if (self.environment[name] ?? "").isEmpty {
            self.collector.warn(
                "provider '\(self.name)' takes its key from the environment variable \(name), which is not set",
                at: self.position)
        }
        return key
    }

    private func refuse(_ unwanted: [String], of fields: YAMLMapping, type: String, reason: String) {
        for entry in fields.entries where unwanted.contains(entry.name) {
            self.collector.refuse("the type '\(type)' has no field '\(entry.name)': \(reason)", at: entry.position)
        }
    }
}
