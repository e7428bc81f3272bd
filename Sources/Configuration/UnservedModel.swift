import Messages

/// What is said of a name of a model that no provider has.
enum UnservedModel {
    /// - Parameter names: The ids and aliases of all models.
    static func message(_ name: String, names: some Sequence<String>) -> String {
        let advice =
            if let nearest = name.nearest(of: names.sorted()) {
                "did you mean '\(nearest)'?"
            } else if let preset = ModelCatalogue.shipped.kind(serving: name).flatMap(ProviderPreset.of) {
                "set \(preset.keyName ?? "its key"), and add the provider '\(preset.kind.rawValue)'"
            } else {
                "add it to the 'models' of a provider"
            }
        return "no provider serves the model \(SafeQuotation.quote(name)); \(advice)"
    }
}
