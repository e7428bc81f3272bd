import Messages

/// Reads which models may be used for what: `models`, `blocked_models`, `require_keys`, `purposes`.
struct PolicyReader {
    let fields: PolicyFields
    let models: ServedModels
    /// The same without what providers listed, which may be gone tomorrow: for fields that name models for good.
    let configuredModels: ServedModels
    let keys: KeyNames
    let collector: ProblemCollector

    func read() -> PolicySettings {
        var policy = PolicySettings()
        policy.models = self.fields["models"].flatMap { field in
            let names = ModelNameList.read(field, models: self.models)
            if names == [], field.isEmptyList {
                field.warn(
                    "the list is empty, so that no model is allowed but those of a purpose's own 'models'; remove the "
                        + "field to allow all")
            }
            return names
        }
        policy.blockedModels =
            self.fields["blocked_models"].flatMap { ModelNameList.read($0, models: self.models) } ?? []
        policy.requiresKeys = self.fields["require_keys"]?.bool() ?? true
        policy.purposes = self.fields["purposes"].map(self.readPurposes) ?? []
        return policy
    }

    private func readPurposes(_ field: YAMLValue) -> [PurposeSettings] {
        let entries = field.namedEntries(
            expected: "a mapping of names and purposes, such as {chat: {model: gpt-4o-mini}}")
        guard let entries else { return [] }
        guard entries.count <= ConfigurationBounds.purposes else {
            field.refuse("has \(entries.count) purposes; at most \(ConfigurationBounds.purposes) are possible")
            return []
        }
        return entries.compactMap { entry in
            SettingName.check(entry.name, of: "a purpose", at: entry.position, self.collector)
                ? self.readPurpose(entry) : nil
        }
    }

    private func readPurpose(_ entry: YAMLMapping.Entry) -> PurposeSettings? {
        guard let fields = entry.value.mapping(SupportedFields.purpose) else { return nil }
        let references = ModelReferenceReader(models: self.models, keys: self.keys)
        var purpose = PurposeSettings(name: entry.name)
        purpose.description = fields["description"].flatMap(Self.readDescription)
        purpose.model = fields["model"].flatMap(references.read)
        purpose.models = fields["models"].flatMap { self.readModels($0, references) }
        purpose.blockedModels =
            fields["blocked_models"].flatMap { ModelNameList.read($0, models: self.models) } ?? []
        purpose.fallbacks = fields["fallbacks"].map { field in
            FallbacksReader(self.configuredModels, collector: self.collector).readList(field, mayBeEmpty: true)
        }
        purpose.finishes = fields["on_disconnect"]?.choice(of: ["cancel", "finish"]) == "finish"
        return purpose
    }

    private func readModels(_ field: YAMLValue, _ references: ModelReferenceReader) -> [ModelReference]? {
        guard let values = field.list(of: "models", maximumCount: ConfigurationBounds.modelsPerList) else { return nil }
        if values.isEmpty {
            field.warn("the list is empty, so that no model is allowed for this purpose; remove the field to allow all")
        }
        var list: [ModelReference] = []
        var seen: Set<String> = []
        for value in values {
            guard let reference = references.read(value) else { continue }
            if !seen.insert(reference.model).inserted {
                value.warn("the model \(SafeQuotation.quote(reference.model)) stands in this list already")
            }
            list.append(reference)
        }
        return list
    }

    private static func readDescription(_ field: YAMLValue) -> String? {
        guard let text = field.string() else { return nil }
        guard text.utf8.count <= ConfigurationBounds.descriptionLength else {
            field.refuse("a description has at most \(ConfigurationBounds.descriptionLength) bytes")
            return nil
        }
        return text
    }
}
