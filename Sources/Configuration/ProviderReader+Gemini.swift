import Messages

extension ProviderReader {
    /// Reads a provider of type `gemini`, whatever its name: Google's address, the variable of its key and its models are
    /// known.
    func readGemini(_ fields: YAMLMapping, names: inout ModelNames) -> ProviderSettings? {
        let key = self.geminiKey(fields)
        guard let baseURL = self.geminiBaseURL(fields["base_url"]) else { return nil }
        if let field = fields["base_url"], baseURL.isReadableOnTheWay, key.name != nil {
            field.warn("the key travels in the clear: use https:// for a provider on another machine")
        }
        var models: [ModelDescription] = []
        if let field = fields["models"] {
            for entry in ModelListReader.read(field) ?? [] {
                for (name, position) in zip([entry.id] + entry.aliases, entry.positions) {
                    names.claim(name, for: self.name, at: position)
                }
                models.append(ModelDescription(id: entry.id, aliases: entry.aliases, needsKey: key.name != nil))
            }
        } else {
            for id in BuiltInModels.gemini { names.claim(id, for: self.name, at: self.position) }
            models = BuiltInModels.gemini.map { ModelDescription(id: $0, needsKey: key.name != nil) }
        }
        guard !models.isEmpty else { return nil }
        return ProviderSettings(
            name: self.name, kind: .gemini, models: models, baseURL: baseURL.text, key: key.value, keyName: key.name)
    }

    private func geminiBaseURL(_ field: YAMLValue?) -> BaseURL? {
        guard let field else { return try? BaseURL(BuiltInModels.geminiBaseURL) }
        guard let text = field.string("an address, such as \(BuiltInModels.geminiBaseURL)") else { return nil }
        do throws(BaseURL.Refusal) {
            return try BaseURL(text)
        } catch {
            field.refuse("the address \(error.message)")
            return nil
        }
    }

    /// The key that is named, or Google's own variable for Google's own address: it is never sent elsewhere unasked.
    private func geminiKey(_ fields: YAMLMapping) -> ProviderKey {
        if let field = fields["key"] { return ProviderKey.read(field, environment: self.environment) ?? .none }
        guard fields["base_url"] == nil else { return .none }
        let key = ProviderKey(variable: BuiltInModels.geminiKeyName, environment: self.environment) { message in
            self.collector.refuse(message, at: self.position)
        }
        if (self.environment[BuiltInModels.geminiKeyName] ?? "").isEmpty {
            self.collector.warn(
                "provider '\(self.name)' takes its key from the environment variable \(BuiltInModels.geminiKeyName), "
                    + "which is not set",
                at: self.position)
        }
        return key
    }
}
