public import Messages
import Yams

/// Makes a bulkhead.yaml of the settings of datasette-llm in a datasette.yaml.
///
/// They are read as bulkhead.yaml's own fields are. What is refused there is left out here, and said.
public enum DatasetteImport {
    public enum Outcome: Sendable, Equatable {
        /// A file that can be used, and what is to be known of it, in the order of the datasette.yaml.
        case converted(String, notes: [ConfigurationProblem])
        case refused([ConfigurationProblem])
    }

    /// - Parameter file: In YAML, or in JSON, which is YAML too.
    public static func convert(_ file: ConfigurationFile) -> Outcome {
        let collector = ProblemCollector(file: file.name)
        let root: Node?
        do throws(ConfigurationProblem) { root = try YAMLDocument.parse(file) } catch { return .refused([error]) }
        let document = root.map { YAMLValue(node: $0, name: "", collector: collector) }
        let fields = document?.namedEntries(expected: "a datasette.yaml") ?? []
        let plugins = fields.first { $0.name == "plugins" }?.value.namedEntries(expected: "a mapping of plugins") ?? []
        guard let block = plugins.first(where: { $0.name == PolicyFields.plugin })?.value else {
            let nothing = "there are no settings of \(PolicyFields.plugin) under 'plugins' to import"
            collector.refuse(nothing)
            return .refused(collector.problems)
        }
        for entry in fields where entry.name != "plugins" {
            collector.warn("\(SafeQuotation.quote(entry.name)) is Datasette's and stays there", at: entry.position)
        }
        for entry in plugins where entry.name != PolicyFields.plugin {
            collector.warn(Self.note(onPlugin: entry.name), at: entry.position)
        }
        guard let settings = Self.read(Self.withoutEmptyLists(block), collector) else {
            return .refused(collector.problems)
        }
        let notes = (collector.problems + collector.warnings).sorted { ($0.line, $0.column) < ($1.line, $1.column) }
        return .converted(ImportedFile(settings, origin: file.name).description, notes: notes)
    }

    private static func note(onPlugin name: String) -> String {
        let plugin = "the settings of the plugin \(SafeQuotation.quote(name))"
        return switch name {
        case "datasette-llm-accountant", "datasette-llm-limits":
            "\(plugin) are left out: limits on spending are not in this version"
        case "datasette-llm-usage":
            "\(plugin) are left out: the daemon keeps a record of its own ('log' in bulkhead.yaml)"
        case "datasette-secrets":
            "\(plugin) are left out: 'bulkhead secrets import' takes over the secrets themselves"
        default: "\(plugin) stay in Datasette"
        }
    }

    private static func read(_ block: YAMLValue, _ collector: ProblemCollector) -> ImportedSettings? {
        guard let fields = block.mapping(SupportedFields.policy) else { return nil }
        // Once to learn which models are named, and so which providers there must be; then with these.
        let names = Self.read(fields, .unknown, ProblemCollector(file: collector.file)).modelNames
        let providers = NamedProviders.providers(serving: names)
        var settings = Self.read(fields, ServedModels(providers, isComplete: true), collector)
        settings.providers = providers
        return settings
    }

    private static func read(
        _ fields: YAMLMapping, _ models: ServedModels, _ collector: ProblemCollector
    ) -> ImportedSettings {
        let fields = fields.reporting(to: collector)
        let keys = KeyNames()
        let reader = ModelReferenceReader(models: models, keys: keys, isStrict: true)
        let defaultModel = fields["default_model"].flatMap(reader.read)
        let policy = PolicyReader(
            fields: PolicyFields(fields, collector: collector), models: models, configuredModels: models, keys: keys,
            collector: collector
        ).read()
        return ImportedSettings(policy: policy, defaultModel: defaultModel, keys: keys.places.map(\.name))
    }

    // MARK: Empty lists

    /// In Datasette an empty list is no list: here it would allow nothing.
    private static func withoutEmptyLists(_ block: YAMLValue) -> YAMLValue {
        var block = Self.withoutModels(block)
        guard case .mapping(var mapping) = block.node, case .mapping(var purposes)? = mapping["purposes"] else {
            return block
        }
        for (name, node) in purposes {
            let place = "\(block.name).purposes.\(name.string ?? "?")"
            purposes[name] = Self.withoutModels(YAMLValue(node: node, name: place, collector: block.collector)).node
        }
        mapping["purposes"] = .mapping(purposes)
        block.node = .mapping(mapping)
        return block
    }

    private static func withoutModels(_ value: YAMLValue) -> YAMLValue {
        guard case .mapping(var mapping) = value.node, let list = mapping["models"] else { return value }
        let field = YAMLValue(node: list, name: "\(value.name).models", collector: value.collector)
        guard field.isEmptyList else { return value }
        field.warn("an empty list allows all models in Datasette and none here, and is left out")
        mapping["models"] = nil
        var value = value
        value.node = .mapping(mapping)
        return value
    }
}

/// What a datasette.yaml says of models.
struct ImportedSettings {
    var policy: PolicySettings
    var defaultModel: ModelReference?
    /// The names of keys.
    var keys: [String]
    /// Those that serve the models, as far as they are known.
    var providers: [ProviderSettings] = []

    /// Every name of a model, in the order of the file's fields.
    var modelNames: [String] {
        var names: [String] = []
        if let model = self.defaultModel { names.append(model.model) }
        names += (self.policy.models ?? []) + self.policy.blockedModels
        for purpose in self.policy.purposes {
            if let model = purpose.model { names.append(model.model) }
            names += (purpose.models ?? []).map(\.model) + purpose.blockedModels + (purpose.fallbacks ?? [])
        }
        return names
    }
}
