import Messages

/// Reads the fields of a file, each with the help of those that were read before it.
struct FieldsReader {
    let fields: YAMLMapping
    let surroundings: Surroundings
    let overrides: ConfigurationOverrides
    let paths: PathResolver
    let collector: ProblemCollector

    /// - Returns: What can be made of the fields; what is wrong has been reported.
    func read() -> ServiceConfiguration {
        let fields = self.fields
        let socket = SocketReader(fields["socket"], groups: .groups(self.surroundings))
        let stateDirectory = self.paths.stateDirectory(
            fields["state_directory"], override: self.overrides.stateDirectory)
        let secrets = SecretsReader(fields["secrets"])
        let finder = self.keyFinder(secrets, stateDirectory: stateDirectory)
        let policyFields = PolicyFields(fields, collector: self.collector)
        let (providers, isComplete) = self.readProviders(finder)
        let configured = ServedModels(providers, isComplete: isComplete)
        let keyNames = KeyNames()
        let log = fields["log"]?.mapping(SupportedFields.log, expected: "a mapping such as {durability: commit}")
        let durability = log?["durability"]?.choice(of: ServiceConfiguration.Durability.allCases.map(\.rawValue))
            .flatMap(ServiceConfiguration.Durability.init)
        var configuration = ServiceConfiguration(
            socketPath: self.paths.socket(socket.path, override: self.overrides.socketPath),
            socketMode: socket.mode,
            socketGroup: socket.group,
            stateDirectory: stateDirectory,
            durability: durability ?? .commit,
            storesPrompts: log?["prompts"]?.bool() ?? true,
            defaultModel: self.defaultModel(
                policyFields["default_model"], providers,
                ModelReferenceReader(models: configured, keys: keyNames, isStrict: true)),
            defaultEmbeddingModel: fields["default_embedding_model"].flatMap { field in
                guard let name = field.string("the id or alias of a model") else { return nil }
                return configured.id(of: name, { field.refuse($0()) }) == nil ? nil : name
            },
            providers: providers)
        if let field = fields["fallbacks"] {
            configuration.fallbacks = FallbacksReader(configured, collector: self.collector).read(field)
        }
        // So late that none of the fields above means something else when a provider lists other models.
        if !stateDirectory.isEmpty, let file = self.surroundings.listedModels(stateDirectory) {
            ListedModelsReader(collector: self.collector).add(file, to: &configuration.providers)
        }
        let models = ServedModels(configuration.providers, isComplete: isComplete)
        configuration.policy = PolicyReader(
            fields: policyFields, models: models, configuredModels: configured, keys: keyNames,
            collector: self.collector
        ).read()
        if let field = fields["callers"] {
            configuration.policy.callers = CallersReader(
                surroundings: self.surroundings, models: models,
                purposes: configuration.policy.purposes.map(\.name), collector: self.collector
            ).read(field)
        }
        configuration.policy.keys = keyNames.find(finder)
        configuration.masterKeyFile = secrets.masterKeyFile
        if let field = fields["hooks"] {
            configuration.hooks = HooksReader(isExecutable: self.surroundings.isExecutable).read(field)
        }
        if let timeout = fields["drain_timeout"]?.duration(in: 0...ConfigurationBounds.timeoutMilliseconds) {
            configuration.drainTimeoutMilliseconds = timeout
        }
        configuration.warnings = self.collector.warnings.map(\.description)
        return configuration
    }

    private func keyFinder(_ secrets: SecretsReader, stateDirectory: String) -> KeyFinder {
        let place = SecretStorePlace(stateDirectory: stateDirectory, masterKeyFile: secrets.masterKeyFile)
        return KeyFinder(
            self.surroundings, storedSecret: self.surroundings.secretStore(place), llmKeysPath: secrets.llmKeys
        ) { message in
            if let field = secrets.llmKeysField { field.warn(message) } else { self.collector.warn(message) }
        }
    }

    private func readProviders(_ keys: KeyFinder) -> (providers: [ProviderSettings], isComplete: Bool) {
        let isTesting = self.fields["testing"]?.bool() ?? false
        guard let field = self.fields["providers"] else {
            return (DefaultProviders.make(keys: keys, collector: self.collector), true)
        }
        let reader = ProvidersReader(field, keys: keys, isTesting: isTesting, collector: self.collector)
        return (reader.providers, reader.isComplete)
    }

    /// The one that is named, or that of a service whose operator has named none: of the default providers, or of one alone.
    private func defaultModel(
        _ field: YAMLValue?, _ providers: [ProviderSettings], _ reader: ModelReferenceReader
    ) -> ModelReference? {
        if let field { return reader.read(field) }
        if self.fields["providers"] == nil {
            return providers.contains { $0.name == "openai" } ? "gpt-4o-mini" : "echo"
        }
        guard providers.count == 1 else { return nil }
        return providers[0].models.first { $0.facts.can(.prompts) != false }.map { ModelReference($0.id) }
    }
}
