import Messages

/// Reads the fields `default_model` and `default_embedding_model`.
enum DefaultModel {
    /// - Parameters:
    ///   - names: The ids and aliases of all models.
    ///   - isComplete: Whether `names` are all there are. Where a provider could not be read, a name that is missing
    ///     may be one of its.
    static func read(
        _ field: YAMLValue, names: Set<String>, providers: [ProviderSettings], isComplete: Bool
    ) -> String? {
        guard let name = field.string("the id or alias of a model") else { return nil }
        if names.contains(name) || providers.contains(where: { $0.serves(name) }) { return name }
        if isComplete { field.refuse(UnservedModel.message(name, names: names)) }
        return nil
    }
}

extension ProviderSettings {
    /// Whether `name` is `provider/model` with this provider's name, which a provider over HTTP answers to whatever the model.
    func serves(_ name: String) -> Bool {
        self.isOverHTTP && name.hasPrefix(self.name + "/") && ModelListing.isUsable(name)
            && name.utf8.count > self.name.utf8.count + 1
    }
}
