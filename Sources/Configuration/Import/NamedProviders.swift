import Messages

/// Which providers serve the models that a file names, where the catalogue or the name tells.
enum NamedProviders {
    /// - Returns: Each as it is without any field, in the order of the names.
    static func providers(serving names: [String]) -> [ProviderSettings] {
        var kinds: [ProviderSettings.Kind] = []
        for name in names {
            if let kind = Self.kind(serving: name), !kinds.contains(kind) { kinds.append(kind) }
        }
        return kinds.map { kind in
            let preset = ProviderPreset.of(kind)
            return ProviderSettings(
                name: kind.rawValue, kind: kind, models: BuiltInModels.models(of: kind, preset),
                baseURL: preset?.baseURL, keyName: preset?.keyName)
        }
    }

    /// The type of provider that has the model by id, by alias, or as `provider/model`.
    private static func kind(serving name: String) -> ProviderSettings.Kind? {
        let known = ProviderSettings.Kind.allCases.first { kind in
            kind != .echoFault
                && ModelCatalogue.shipped.models(of: kind).contains { $0.id == name || $0.aliases.contains(name) }
        }
        return known ?? ProviderPreset.all.map(\.kind).first { name.hasPrefix($0.rawValue + "/") }
    }
}
