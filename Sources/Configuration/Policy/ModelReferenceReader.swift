import JSON
import Messages

/// Reads a model where a configuration names one with what it is asked with: a name, or `{model, key, options}`.
struct ModelReferenceReader {
    let models: ServedModels
    let keys: KeyNames
    /// Whether a model that no provider serves is refused; otherwise it is a warning.
    var isStrict = false

    func read(_ field: YAMLValue) -> ModelReference? {
        guard case .mapping = field.kind else {
            guard let name = field.string("the id or alias of a model, or {model, key, options}") else { return nil }
            return self.check(name, field) ? ModelReference(name) : nil
        }
        guard let fields = field.mapping(SupportedFields.modelReference) else { return nil }
        let key = fields["key"].flatMap { value in
            KeyName.read(value).map { name in
                self.keys.add(name, at: value)
                return name
            }
        }
        guard let value = fields["model"] else {
            field.refuse("a model needs its name in 'model'")
            return nil
        }
        guard let name = value.string("the id or alias of a model"), self.check(name, value) else { return nil }
        let options = fields["options"].flatMap { OptionsReader.read($0, of: self.models.model(named: name)) }
        return ModelReference(name, key: key, options: options)
    }

    private func check(_ name: String, _ field: YAMLValue) -> Bool {
        guard ModelNameList.check(name, field) else { return false }
        var isServed = true
        _ = self.models.id(of: name) { message in
            isServed = false
            if self.isStrict { field.refuse(message()) } else { field.warn(message()) }
        }
        return isServed || !self.isStrict
    }
}

/// The names of keys that models are asked with, and where each is written first.
final class KeyNames {
    private(set) var places: [(name: String, field: YAMLValue)] = []
    private var names: Set<String> = []

    func add(_ name: String, at field: YAMLValue) {
        if self.names.insert(name).inserted { self.places.append((name, field)) }
    }

    /// Looks them all up, in the order of the file.
    ///
    /// - Returns: No more than are possible; one that is missing or cannot be used has been reported where it is named.
    func find(_ finder: KeyFinder) -> [NamedKey] {
        if self.places.count > ConfigurationBounds.namedKeys {
            self.places[ConfigurationBounds.namedKeys].field.refuse(
                "this is one key too many: at most \(ConfigurationBounds.namedKeys) different ones are possible")
        }
        return self.places.prefix(ConfigurationBounds.namedKeys).map { name, field in
            let key = ProviderKey(
                name, finder.find(name), refuse: { field.refuse($0) }, warn: { field.warn($0) })
            if key.source == nil {
                field.warn("\(ProviderKey.missing(name)); until then the key of the model's provider is used")
            }
            return NamedKey(name: name, value: key.value, source: key.source?.rawValue, problem: key.problem)
        }
    }
}
