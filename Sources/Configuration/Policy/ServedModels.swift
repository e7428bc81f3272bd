import Messages

/// The models of all providers by their names, for the fields that name models.
struct ServedModels {
    /// By id and by alias.
    private let models: [String: ModelDescription]
    private let providers: [ProviderSettings]
    /// Whether these are all there are. Where a provider could not be read, a name that is missing may be one of its.
    private let isComplete: Bool

    /// - Parameter isComplete: Whether every provider could be read.
    init(_ providers: [ProviderSettings], isComplete: Bool) {
        var models: [String: ModelDescription] = [:]
        for model in providers.flatMap({ $0.models + $0.listedModels }) {
            for name in [model.id] + model.aliases { models[name] = model }
        }
        self.models = models
        self.providers = providers
        self.isComplete = isComplete
    }

    /// Is told what is wrong; looking for the name that was meant takes a while, and is done only where that is heard.
    typealias Report = (@autoclosure () -> String) -> Void

    /// Models of which nothing is known, so that no name is missed.
    static let unknown = ServedModels([], isComplete: false)

    /// What is known of the model of this name, also where it is asked as `provider/model`.
    func model(named name: String) -> ModelDescription? {
        if let model = self.models[name] { return model }
        guard let provider = self.providers.first(where: { $0.serves(name) }) else { return nil }
        let own = String(name.dropFirst(provider.name.count + 1))
        return (provider.models + provider.listedModels).first { $0.id == own || $0.aliases.contains(own) }
    }

    /// The id of the model of this name; that of a model of which nothing is known is `provider/model`. `nil`, with a word to
    /// `report` unless the name may exist after all, where no provider has it.
    func id(of name: String, _ report: Report) -> String? {
        if let model = self.model(named: name) { return model.id }
        if self.providers.contains(where: { $0.serves(name) }) { return name }
        if self.isComplete { report(UnservedModel.message(name, names: self.models.keys)) }
        return nil
    }
}

extension ProviderSettings {
    /// Whether `name` is `provider/model` with this provider's name, which a provider over HTTP answers to whatever the model.
    func serves(_ name: String) -> Bool {
        self.isOverHTTP && name.hasPrefix(self.name + "/") && ModelListing.isUsable(name)
            && name.utf8.count > self.name.utf8.count + 1
    }
}
