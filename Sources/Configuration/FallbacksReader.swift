import Messages

/// Reads the field `fallbacks`: which models answer in place of which.
struct FallbacksReader {
    /// The ids of all models, by id and by alias.
    let ids: [String: String]
    private let providers: [ProviderSettings]
    /// Whether `ids` are all there are. Where a provider could not be read, a name that is missing may be one of its.
    let isComplete: Bool
    let collector: ProblemCollector

    init(_ providers: [ProviderSettings], isComplete: Bool, collector: ProblemCollector) {
        var ids: [String: String] = [:]
        for model in providers.flatMap(\.models) {
            for name in [model.id] + model.aliases { ids[name] = model.id }
        }
        self.ids = ids
        self.providers = providers
        self.isComplete = isComplete
        self.collector = collector
    }

    /// - Returns: By the id of a model the ids of its fallbacks; what is wrong has been reported and is left out.
    func read(_ field: YAMLValue) -> [String: [String]] {
        var fallbacks: [String: [String]] = [:]
        var places: [String: Position] = [:]
        for entry in field.namedEntries(expected: "a mapping such as {gpt-4o-mini: [claude-haiku-4-5]}") ?? [] {
            let model = self.id(of: entry.name) {
                self.collector.refuse("field 'fallbacks': \($0)", at: entry.position)
            }
            let others = self.readList(entry.value, of: model)
            guard let model else { continue }
            if let place = places[model] {
                self.collector.refuse(
                    "field 'fallbacks': the model \(SafeQuotation.quote(model)) has fallbacks already "
                        + "(line \(place.line), column \(place.column))", at: entry.position)
            } else {
                places[model] = entry.position
                fallbacks[model] = others
            }
        }
        return fallbacks
    }

    private func readList(_ field: YAMLValue, of model: String?) -> [String] {
        guard let values = field.list(of: "models", maximumCount: ConfigurationBounds.fallbacksPerModel) else {
            return []
        }
        if values.isEmpty { field.refuse("name at least one model") }
        var ids: [String] = []
        for value in values {
            guard let name = value.string("the id or alias of a model"),
                let id = self.id(of: name, { value.refuse($0) })
            else {
                continue
            }
            if id == model {
                value.refuse("a model cannot be its own fallback; name another, or raise 'retries' of its provider")
            } else if ids.contains(id) {
                value.refuse("the model \(SafeQuotation.quote(id)) stands in this list already")
            } else {
                ids.append(id)
            }
        }
        return ids
    }

    /// The id of the model that has this name, or `nil`, with a word to `refuse` unless the name may exist after all.
    private func id(of name: String, _ refuse: (String) -> Void) -> String? {
        if let id = self.ids[name] { return id }
        if let provider = self.providers.first(where: { $0.serves(name) }) {
            let own = self.ids[String(name.dropFirst(provider.name.count + 1))]
            return own.flatMap { id in (provider.models + provider.listedModels).contains { $0.id == id } ? id : nil }
                ?? name
        }
        if self.isComplete { refuse(UnservedModel.message(name, names: self.ids.keys)) }
        return nil
    }
}
