import JSON
import Messages

// Which models there are, and what they are called.
extension SupervisorCore {
    /// The model that has this name: an id, an alias, or `provider/model`.
    ///
    /// - Parameter terms: Those of the request that says it; `nil`: what it means now.
    func findModel(_ name: String, under terms: Terms? = nil) -> (provider: Int, model: ModelDescription)? {
        guard let terms else { return self.generation.findModel(name) }
        return self.generation(terms.generation).findModel(name)
    }

    /// What a provider calls a model: its id, or what follows the provider's name in `provider/model`.
    func providersName(of model: String, _ provider: Int, under terms: Terms? = nil) -> String {
        if let found = self.generation(terms?.generation ?? self.generation.number).models[model],
            found.provider == provider
        {
            return model
        }
        let prefix = self.providers[provider].settings.name + "/"
        return model.hasPrefix(prefix) ? String(model.dropFirst(prefix.count)) : model
    }

    /// What a provider is called where a model of it is spoken of, as llm does: the name of its type, if it has one.
    func title(of provider: Int) -> String {
        let settings = self.providers[provider].settings
        if settings.kind == .echo { return "Echo" }
        return ProviderPreset.of(settings.kind)?.title ?? settings.name
    }

    // MARK: What providers list

    /// Puts what a provider lists in the place of what it listed before. A name that is taken stays with whom it belongs to.
    ///
    /// - Returns: How many models were not known before.
    @discardableResult
    mutating func takeList(_ models: [ModelDescription], of provider: Int) -> Int {
        defer { self.compilePolicy() }
        return self.putList(models, of: provider)
    }

    /// The same, without the tables of the policy, which are to be made anew then.
    @discardableResult
    mutating func putList(_ models: [ModelDescription], of provider: Int) -> Int {
        let before = Set(self.providers[provider].listedModels.map(\.id))
        for id in before { self.generation.models[id] = nil }
        self.providers[provider].listedModels = []
        let entries = self.generation.entries
        var room = self.bounds.listedModels - entries.reduce(0) { $0 + self.providers[$1].listedModels.count }
        var added = 0
        let needsKey = self.providers[provider].settings.keyName != nil
        let (settings, name) = (self.configuration.providers, self.providers[provider].settings.name)
        for model in models.prefix(ModelListing.maximumModels)
        where self.generation.models[model.id] == nil && room > 0 && !settings.claim(model.id, against: name) {
            let listed = ModelDescription(id: model.id, needsKey: needsKey, facts: model.facts)
            self.generation.models[model.id] = (provider, listed)
            self.providers[provider].listedModels.append(listed)
            if !before.contains(model.id) { added += 1 }
            room -= 1
        }
        return added
    }

    /// What is kept of the lists, for the next start.
    var listedModels: [UInt8] {
        let serving = self.generation.entries.map { self.providers[$0] }
        let providers = serving.filter { !$0.listedModels.isEmpty }.map { provider in
            ListedModels.Provider(
                name: provider.settings.name, kind: provider.settings.kind, baseURL: provider.settings.baseURL ?? "",
                models: provider.listedModels)
        }
        return ListedModels(providers: providers).encoded
    }
}
