import Messages

/// Reads a list of names of models: `models`, `blocked_models`.
enum ModelNameList {
    /// - Returns: The names as they are written; `nil` where the field is no list.
    static func read(_ field: YAMLValue, models: ServedModels) -> [String]? {
        guard let values = field.list(of: "models", maximumCount: ConfigurationBounds.modelsPerList) else { return nil }
        var names: [String] = []
        var seen: Set<String> = []
        for value in values {
            if case .mapping = value.kind {
                value.refuse(
                    "a list of names is expected here: a model with a key or options goes into 'default_model', or into "
                        + "'model' or 'models' of one of the 'purposes'")
                continue
            }
            guard let name = value.string("the id or alias of a model"), Self.check(name, value) else { continue }
            guard seen.insert(name).inserted else {
                value.warn("the model \(SafeQuotation.quote(name)) stands in this list already")
                continue
            }
            _ = models.id(of: name) { value.warn($0()) }
            names.append(name)
        }
        return names
    }

    /// Whether `name` can be the name of a model; if not, that has been reported.
    static func check(_ name: String, _ field: YAMLValue) -> Bool {
        if (1...ProtocolBounds.nameLength).contains(name.utf8.count) { return true }
        field.refuse("a model's name has 1 to \(ProtocolBounds.nameLength) bytes")
        return false
    }
}
