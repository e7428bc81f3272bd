import Messages

/// Reads the field `providers`.
struct ProvidersReader {
    private(set) var providers: [ProviderSettings] = []
    private(set) var names: ModelNames
    /// Whether every provider of the file could be read, so that a name that none has is a mistake elsewhere.
    private(set) var isComplete = true

    init(_ field: YAMLValue, keys: KeyFinder, isTesting: Bool, collector: ProblemCollector) {
        self.names = ModelNames(collector: collector)
        guard let entries = field.namedEntries(expected: "a mapping of names and providers") else {
            self.isComplete = false
            return
        }
        if entries.isEmpty { field.refuse("name at least one provider, or remove the field for the default ones") }
        if entries.count > ConfigurationBounds.providers {
            field.refuse("has \(entries.count) providers; at most \(ConfigurationBounds.providers) are possible")
        }
        for entry in entries.prefix(ConfigurationBounds.providers) {
            guard Self.isProviderName(entry.name) else {
                collector.refuse(
                    "\(SafeQuotation.quote(entry.name)) is no name for a provider: use 1 to 64 of a-z, 0-9, '_' and "
                        + "'-', beginning with a letter or digit", at: entry.position)
                self.isComplete = false
                continue
            }
            let reader = ProviderReader(
                name: entry.name, position: entry.position, keys: keys, isTesting: isTesting, collector: collector)
            if let provider = reader.read(entry.value, names: &self.names) {
                if !provider.fitsControlFrame {
                    collector.refuse(
                        "provider '\(entry.name)' says more of its models than a worker can be told; say less of them",
                        at: entry.position)
                }
                self.providers.append(provider)
            } else {
                self.isComplete = false
            }
        }
        let slots = self.providers.reduce(0) { $0 + $1.slots }
        if slots > ConfigurationBounds.slots {
            field.refuse(
                "all providers together have \(slots) slots; at most \(ConfigurationBounds.slots) are possible")
        }
    }

    private static func isProviderName(_ name: String) -> Bool {
        func isLetterOrDigit(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) }
        guard (1...64).contains(name.utf8.count), !SafeQuotation.looksLikeSecret(name), let first = name.utf8.first,
            isLetterOrDigit(first)
        else {
            return false
        }
        return name.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
    }
}

/// The providers of a service whose operator has named none: echo, and OpenAI where its key is at hand.
enum DefaultProviders {
    static func make(keys: KeyFinder, collector: ProblemCollector) -> [ProviderSettings] {
        func key(_ name: String, of provider: ProviderSettings) -> ProviderKey {
            ProviderKey(
                name, keys.find(name, llmNames: [provider.name], isOwnVariable: true),
                refuse: { collector.refuse($0, file: "environment") },
                warn: { collector.warn("provider '\(provider.name)': \($0)") })
        }
        var echo = ProviderSettings(name: "echo", kind: .echo, models: BuiltInModels.echo)
        echo.take(key(BuiltInModels.echoKeyName, of: echo))
        let preset = ProviderPreset.openAI
        guard let name = preset.keyName else { return [echo] }
        let models = BuiltInModels.models(of: .openAI, preset).map { model in
            var model = model
            model.needsKey = true
            return model
        }
        var openAI = ProviderSettings(name: "openai", kind: .openAI, models: models, baseURL: preset.baseURL)
        openAI.take(key(name, of: openAI))
        return openAI.keySource == nil ? [echo] : [echo, openAI]
    }
}
