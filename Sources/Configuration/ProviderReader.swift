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
        let timeouts = fields["timeouts"].map(TimeoutsReader.read) ?? TimeoutsReader()
        let kind = self.readKind(fields["type"], value)
        var settings: ProviderSettings?
        switch kind {
        case .echo: settings = self.readEcho(fields, names: &names)
        case .echoFault: settings = self.readEchoFault(fields, names: &names)
        case .openAICompatible:
            settings = self.readHTTP(fields, .openAICompatible, self.name == "openai" ? .openAI : nil, names: &names)
        case .anthropic: settings = self.readHTTP(fields, .anthropic, .anthropic, names: &names)
        case nil: _ = fields["key"].map { ProviderKey.read($0, environment: self.environment) }
        }
        if let slots { settings?.slots = slots }
        settings?.connectTimeoutMilliseconds = timeouts.connect
        settings?.timeouts = timeouts.timeouts
        return settings
    }

    private func readKind(_ field: YAMLValue?, _ value: YAMLValue) -> ProviderSettings.Kind? {
        let types = ["echo", "openai-compatible", "anthropic"]
        guard let field else {
            if let kind = ProviderSettings.Kind(rawValue: self.name) {
                return self.checkTesting(kind, at: self.position)
            }
            self.collector.refuse(
                "provider '\(self.name)' needs a 'type': \(Self.list(types, "or"))", at: self.position)
            return nil
        }
        if case .string(let text) = field.kind {
            if let kind = ProviderSettings.Kind(rawValue: text) { return self.checkTesting(kind, at: field.position) }
            if SupportedFields.laterTypes.contains(text) {
                let advice =
                    text == "openai" ? "use type openai-compatible" : "it supports \(Self.list(types, "and"))"
                field.refuse("this version does not support the type '\(text)' yet; \(advice)")
                return nil
            }
        }
        _ = field.choice(of: types)
        return nil
    }

    /// `a, b and c`
    private static func list(_ names: [String], _ word: String) -> String {
        "\(names.dropLast().joined(separator: ", ")) \(word) \(names.last ?? "")"
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
        for model in BuiltInModels.echo { names.claim(model.id, for: self.name, at: self.position) }
        return ProviderSettings(
            name: self.name, kind: .echo, models: BuiltInModels.echo, key: key.value, keyName: key.name)
    }

    private func readEchoFault(_ fields: YAMLMapping, names: inout ModelNames) -> ProviderSettings {
        self.refuse(
            ["base_url", "models", "key"], of: fields, type: "echo-fault", reason: "it has one model and no key")
        for model in BuiltInModels.echoFault { names.claim(model.id, for: self.name, at: self.position) }
        return ProviderSettings(name: self.name, kind: .echoFault, models: BuiltInModels.echoFault)
    }

    /// - Parameter service: What is known of the service itself, where the provider is one.
    private func readHTTP(
        _ fields: YAMLMapping, _ kind: ProviderSettings.Kind, _ service: KnownService?, names: inout ModelNames
    ) -> ProviderSettings? {
        let baseURL = self.readBaseURL(fields["base_url"], service)
        let key = self.readKey(fields, service)
        if let field = fields["base_url"], baseURL?.isReadableOnTheWay == true, key.name != nil {
            field.warn("the key travels in the clear: use https:// for a provider on another machine")
        }
        var models: [ModelDescription] = []
        if let field = fields["models"] {
            for entry in ModelListReader.read(field) ?? [] {
                for (name, position) in zip([entry.id] + entry.aliases, entry.positions) {
                    names.claim(name, for: self.name, at: position)
                }
                models.append(ModelDescription(id: entry.id, aliases: entry.aliases))
            }
        } else if let service {
            for name in service.models.flatMap({ [$0.id] + $0.aliases }) {
                names.claim(name, for: self.name, at: self.position)
            }
            models = service.models
        } else {
            self.collector.refuse("provider '\(self.name)' needs 'models': the ids that it serves", at: self.position)
        }
        guard let baseURL, !models.isEmpty else { return nil }
        for index in models.indices { models[index].needsKey = key.name != nil }
        return ProviderSettings(
            name: self.name, kind: kind, models: models, baseURL: baseURL.text, key: key.value, keyName: key.name)
    }

    private func readBaseURL(_ field: YAMLValue?, _ service: KnownService?) -> BaseURL? {
        let example = "such as \(service?.baseURL ?? "http://127.0.0.1:11434/v1")"
        guard let field else {
            if let service { return try? BaseURL(service.baseURL) }
            self.collector.refuse("provider '\(self.name)' needs a 'base_url', \(example)", at: self.position)
            return nil
        }
        guard let text = field.string("an address, \(example)") else { return nil }
        do throws(BaseURL.Refusal) {
            return try BaseURL(text)
        } catch {
            field.refuse("the address \(error.message)")
            return nil
        }
    }

    /// The key that is named, or a service's own variable for its own address: it is never sent elsewhere unasked.
    private func readKey(_ fields: YAMLMapping, _ service: KnownService?) -> ProviderKey {
        if let field = fields["key"] {
            return ProviderKey.read(field, environment: self.environment) ?? .none
        }
        guard let service, fields["base_url"] == nil else { return .none }
        let key = ProviderKey(variable: service.keyName, environment: self.environment) { message in
            self.collector.refuse(message, at: self.position)
        }
        if (self.environment[service.keyName] ?? "").isEmpty {
            self.collector.warn(
                "provider '\(self.name)' takes its key from the environment variable \(service.keyName), "
                    + "which is not set",
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

/// What need not be configured of a service that is known.
private struct KnownService {
    var baseURL: String
    /// The environment variable of its key.
    var keyName: String
    var models: [ModelDescription]

    static let openAI = KnownService(
        baseURL: BuiltInModels.openAIBaseURL, keyName: BuiltInModels.openAIKeyName,
        models: BuiltInModels.openAI.map { ModelDescription(id: $0) })
    static let anthropic = KnownService(
        baseURL: BuiltInModels.anthropicBaseURL, keyName: BuiltInModels.anthropicKeyName,
        models: BuiltInModels.anthropic)
}
