public import Messages

/// Makes a service's configuration out of a file, the environment and the command line.
///
/// It is a function of its arguments: it reads no file and no environment of its own, so that a test runs on values.
/// Everything that is wrong with a file is reported at once, in the order of the file, and no message holds a key.
public struct ConfigurationReader {
    public enum Purpose: Sendable {
        /// To serve with it: what cannot be found is refused.
        case service
        /// To check a file, maybe as another user and elsewhere: a path that only the environment lacks is a warning.
        case check
    }

    private let environment: [String: String]
    private let isRoot: Bool
    private let groupID: (String) -> Int?
    private let listedModels: (String) -> ConfigurationFile?

    /// - Parameters:
    ///   - isRoot: Whether the service runs as root, which has other default paths.
    ///   - groupID: The number of a user group, `nil` where there is none of that name.
    ///   - listedModels: The file in this state directory that says which models providers have listed (``ListedModels``).
    public init(
        environment: [String: String], isRoot: Bool, groupID: @escaping (String) -> Int?,
        listedModels: @escaping (String) -> ConfigurationFile? = { _ in nil }
    ) {
        self.environment = environment
        self.isRoot = isRoot
        self.groupID = groupID
        self.listedModels = listedModels
    }

    /// Where a service's file is when its command line names none: `$CONFIGURATION_DIRECTORY/bulkhead.yaml`, `nil` without
    /// that variable. There need not be such a file.
    public var defaultFile: String? {
        DefaultPaths(environment: self.environment, isRoot: self.isRoot).configuration
    }

    /// - Parameter file: `nil` serves the defaults.
    public func read(
        _ file: ConfigurationFile?, overrides: ConfigurationOverrides = ConfigurationOverrides(),
        for purpose: Purpose = .service
    ) -> ConfigurationReply {
        let collector = ProblemCollector(file: file?.name ?? "environment")
        var fields = YAMLMapping()
        if let file {
            do throws(ConfigurationProblem) {
                if let root = try YAMLDocument.parse(file) {
                    let value = YAMLValue(node: root, name: "", collector: collector)
                    fields = value.mapping(SupportedFields.top) ?? fields
                }
            } catch {
                return .refused([error])
            }
        }
        let configuration = self.read(fields, overrides: overrides, purpose: purpose, collector: collector)
        guard collector.problemCount == 0 else { return .refused(collector.problems) }
        return .configuration(configuration)
    }

    private func read(
        _ fields: YAMLMapping, overrides: ConfigurationOverrides, purpose: Purpose, collector: ProblemCollector
    ) -> ServiceConfiguration {
        let paths = PathResolver(
            defaults: DefaultPaths(environment: self.environment, isRoot: self.isRoot), purpose: purpose,
            collector: collector)
        let socket = SocketReader(fields["socket"], groupID: self.groupID)
        let isTesting = fields["testing"]?.bool() ?? false
        let stateDirectory = paths.stateDirectory(fields["state_directory"], override: overrides.stateDirectory)
        let (providers, defaults, isComplete) = self.readProviders(fields, isTesting: isTesting, collector: collector)
        let log = fields["log"]?.mapping(SupportedFields.log, expected: "a mapping such as {durability: commit}")
        let durability = log?["durability"]?.choice(of: ServiceConfiguration.Durability.allCases.map(\.rawValue))
            .flatMap(ServiceConfiguration.Durability.init)
        let drainTimeout = fields["drain_timeout"]?.duration(in: 0...ConfigurationBounds.timeoutMilliseconds)
        var configuration = ServiceConfiguration(
            socketPath: paths.socket(socket.path, override: overrides.socketPath),
            socketMode: socket.mode,
            socketGroup: socket.group,
            stateDirectory: stateDirectory,
            durability: durability ?? .commit,
            storesPrompts: log?["prompts"]?.bool() ?? true,
            defaultModel: defaults.model.map { ModelReference($0) },
            defaultEmbeddingModel: defaults.embeddingModel,
            providers: providers)
        if let field = fields["fallbacks"] {
            let reader = FallbacksReader(providers, isComplete: isComplete, collector: collector)
            configuration.fallbacks = reader.read(field)
        }
        // Last, so that no field means something else when a provider lists other models.
        if !stateDirectory.isEmpty, let file = self.listedModels(stateDirectory) {
            ListedModelsReader(collector: collector).add(file, to: &configuration.providers)
        }
        configuration.drainTimeoutMilliseconds = drainTimeout ?? configuration.drainTimeoutMilliseconds
        configuration.warnings = collector.warnings.map(\.description)
        return configuration
    }

    /// The models of requests that name none.
    private typealias Defaults = (model: String?, embeddingModel: String?)

    private func readProviders(
        _ fields: YAMLMapping, isTesting: Bool, collector: ProblemCollector
    ) -> (providers: [ProviderSettings], Defaults, isComplete: Bool) {
        let providers: [ProviderSettings]
        var isComplete = true
        let names: Set<String>
        if let field = fields["providers"] {
            let reader = ProvidersReader(
                field, environment: self.environment, isTesting: isTesting, collector: collector)
            (providers, isComplete, names) = (reader.providers, reader.isComplete, reader.names.all)
        } else {
            providers = DefaultProviders.make(environment: self.environment) {
                collector.refuse($0, file: "environment")
            }
            names = Set(providers.flatMap(\.models).flatMap { [$0.id] + $0.aliases })
        }
        func read(_ name: String) -> String? {
            fields[name].flatMap {
                DefaultModel.read($0, names: names, providers: providers, isComplete: isComplete)
            }
        }
        var defaults: Defaults = (read("default_model"), read("default_embedding_model"))
        if fields["default_model"] == nil {
            if fields["providers"] == nil {
                defaults.model = names.contains("gpt-4o-mini") ? "gpt-4o-mini" : "echo"
            } else if providers.count == 1 {
                defaults.model = providers[0].models.first { $0.facts.can(.prompts) != false }?.id
            }
        }
        return (providers, defaults, isComplete)
    }
}
