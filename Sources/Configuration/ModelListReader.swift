import Messages

/// Reads the field `models` of a provider: ids, or mappings of an id and its aliases.
struct ModelListReader {
    struct Entry {
        var id: String
        var aliases: [String]
        /// Where each of the names stands, the id first.
        var positions: [Position]
    }

    /// - Returns: The entries that are sound; `nil` where the field is no list, or an empty one.
    static func read(_ field: YAMLValue) -> [Entry]? {
        guard let elements = field.list(of: "models", maximumCount: ConfigurationBounds.modelsPerProvider) else {
            return nil
        }
        guard !elements.isEmpty else {
            field.refuse("name at least one model")
            return nil
        }
        let entries = elements.compactMap(Self.readEntry)
        let nameCount = entries.reduce(0) { $0 + $1.positions.count }
        if nameCount > ConfigurationBounds.modelNamesPerProvider {
            field.refuse(
                "has \(nameCount) ids and aliases; at most \(ConfigurationBounds.modelNamesPerProvider) are possible")
        }
        return entries
    }

    private static func readEntry(_ value: YAMLValue) -> Entry? {
        guard case .mapping = value.kind else {
            return Self.readName(value, "the id of a model, or {id, aliases}").map {
                Entry(id: $0, aliases: [], positions: [value.position])
            }
        }
        guard let fields = value.mapping(SupportedFields.model) else { return nil }
        let aliasValues =
            fields["aliases"]?.list(of: "aliases", maximumCount: ConfigurationBounds.aliasesPerModel) ?? []
        let aliases = aliasValues.compactMap { alias in Self.readName(alias, "an alias").map { ($0, alias.position) } }
        guard let idValue = fields["id"] else {
            value.refuse("a model needs an 'id'")
            return nil
        }
        guard let id = Self.readName(idValue, "the id of a model") else { return nil }
        return Entry(id: id, aliases: aliases.map(\.0), positions: [idValue.position] + aliases.map(\.1))
    }

    private static func readName(_ value: YAMLValue, _ expected: String) -> String? {
        guard let name = value.string(expected) else { return nil }
        guard (1...ProtocolBounds.nameLength).contains(name.utf8.count) else {
            value.refuse("a model's name has 1 to \(ProtocolBounds.nameLength) bytes")
            return nil
        }
        guard !name.unicodeScalars.contains(where: Self.isForbidden) else {
            value.refuse("a model's name has no spaces, quotes, backslashes or control characters")
            return nil
        }
        return name
    }

    private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || scalar.properties.generalCategory == .control
            || "\"\\'`".unicodeScalars.contains(scalar)
    }
}
