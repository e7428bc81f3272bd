import Messages

/// Reads the field `fallbacks`: which models answer in place of which.
struct FallbacksReader {
    let models: ServedModels
    let collector: ProblemCollector

    init(_ models: ServedModels, collector: ProblemCollector) {
        self.models = models
        self.collector = collector
    }

    /// - Returns: By the id of a model the ids of its fallbacks; what is wrong has been reported and is left out.
    func read(_ field: YAMLValue) -> [String: [String]] {
        var fallbacks: [String: [String]] = [:]
        var places: [String: Position] = [:]
        for entry in field.namedEntries(expected: "a mapping such as {gpt-4o-mini: [claude-haiku-4-5]}") ?? [] {
            let model = self.models.id(of: entry.name) { message in
                self.collector.refuse("field 'fallbacks': \(message())", at: entry.position)
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

    /// Reads one list, in which each model stands once.
    ///
    /// - Parameters:
    ///   - model: Whose fallbacks they are, which cannot be one of them; `nil` where they are any model's.
    ///   - mayBeEmpty: Whether an empty list says something: that there are none.
    func readList(_ field: YAMLValue, of model: String? = nil, mayBeEmpty: Bool = false) -> [String] {
        guard let values = field.list(of: "models", maximumCount: ConfigurationBounds.fallbacksPerModel) else {
            return []
        }
        if values.isEmpty, !mayBeEmpty { field.refuse("name at least one model") }
        var ids: [String] = []
        for value in values {
            guard let name = value.string("the id or alias of a model"),
                let id = self.models.id(of: name, { value.refuse($0()) })
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
}
