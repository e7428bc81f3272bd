import Messages

/// Reads the fields `default_model` and `default_embedding_model`.
enum DefaultModel {
    /// - Parameters:
    ///   - names: The ids and aliases of all models.
    ///   - isComplete: Whether `names` are all there are. Where a provider could not be read, a name that is missing
    ///     may be one of its.
    static func read(_ field: YAMLValue, names: Set<String>, isComplete: Bool) -> String? {
        guard let name = field.string("the id or alias of a model") else { return nil }
        if names.contains(name) { return name }
        guard isComplete else { return nil }
        let advice =
            if let nearest = name.nearest(of: names.sorted()) {
                "did you mean '\(nearest)'?"
            } else if let preset = ProviderPreset.all.first(where: { $0.models.contains { $0.id == name } }) {
                "set \(preset.keyName ?? "its key"), and add the provider '\(preset.kind.rawValue)'"
            } else {
                "add it to the 'models' of a provider"
            }
        field.refuse("no provider serves the model \(SafeQuotation.quote(name)); \(advice)")
        return nil
    }
}
