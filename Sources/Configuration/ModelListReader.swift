import Messages

/// Reads the field `models` of a provider: ids, mappings of an id and what is said of the model, and `*`.
struct ModelListReader {
    struct Entry {
        var id: String
        /// `nil` where none are named, not even an empty list.
        var aliases: [String]?
        var needsKey: Bool?
        var facts = ModelFacts()
        /// Where its id and its aliases stand.
        var positions: [Position]
    }

    /// The entry that stands for all models of the catalogue that the list does not name.
    static let rest = "*"

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
                Entry(id: $0, positions: [value.position])
            }
        }
        guard let fields = value.mapping(SupportedFields.model) else { return nil }
        let aliases = fields["aliases"].map { Self.readAliases($0) }
        let facts = ModelFactsReader.read(fields)
        guard let idValue = fields["id"] else {
            value.refuse("a model needs an 'id'")
            return nil
        }
        guard let id = Self.readName(idValue, "the id of a model") else { return nil }
        if id == Self.rest {
            idValue.refuse("'*' stands for many models and cannot be described; write it alone")
            return nil
        }
        return Entry(
            id: id, aliases: aliases?.map(\.name), needsKey: fields["needs_key"]?.bool(), facts: facts,
            positions: [idValue.position] + (aliases ?? []).map(\.position))
    }

    private static func readAliases(_ field: YAMLValue) -> [(name: String, position: Position)] {
        let values = field.list(of: "aliases", maximumCount: ConfigurationBounds.aliasesPerModel) ?? []
        return values.compactMap { alias in Self.readName(alias, "an alias").map { ($0, alias.position) } }
    }

    private static func readName(_ value: YAMLValue, _ expected: String) -> String? {
        guard let name = value.string(expected) else { return nil }
        guard (1...ProtocolBounds.nameLength).contains(name.utf8.count) else {
            value.refuse("a model's name has 1 to \(ProtocolBounds.nameLength) bytes")
            return nil
        }
        guard ModelListing.isUsable(name) else {
            value.refuse(
                "a model's name has no spaces, quotes, backslashes, control characters or '..' between slashes")
            return nil
        }
        return name
    }
}
