import JSON
import Messages

// Which models there are, and what they are called.
extension SupervisorCore {
    /// The model that has this name: an id, an alias, or `provider/model`.
    ///
    /// The last needs no model to be known: a provider over HTTP is asked for whatever it is asked for. A model whose own id
    /// is the whole name comes first.
    func findModel(_ name: String) -> (provider: Int, model: ModelDescription)? {
        if let found = self.models[name] { return found }
        guard let slash = name.firstIndex(of: "/"),
            let provider = self.providers.firstIndex(where: { $0.settings.name == name[..<slash] }),
            self.providers[provider].settings.isOverHTTP
        else { return nil }
        let own = String(name[name.index(after: slash)...])
        if let found = self.models[own], found.provider == provider { return found }
        guard ModelListing.isUsable(own), ModelListing.isUsable(name) else { return nil }
        let needsKey = self.providers[provider].settings.keyName != nil
        return (provider, ModelDescription(id: name, needsKey: needsKey))
    }

    /// What a provider calls a model: its id, or what follows the provider's name in `provider/model`.
    func providersName(of model: String, _ provider: Int) -> String {
        if let found = self.models[model], found.provider == provider { return model }
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
        let before = Set(self.providers[provider].listedModels.map(\.id))
        for id in before { self.models[id] = nil }
        self.providers[provider].listedModels = []
        var room = self.bounds.listedModels - self.providers.reduce(0) { $0 + $1.listedModels.count }
        var added = 0
        let needsKey = self.providers[provider].settings.keyName != nil
        let settings = self.providers.map(\.settings)
        for model in models.prefix(ModelListing.maximumModels)
        where self.models[model.id] == nil && room > 0 && !settings.claim(model.id, against: settings[provider].name) {
            let listed = ModelDescription(id: model.id, needsKey: needsKey, facts: model.facts)
            self.models[model.id] = (provider, listed)
            self.providers[provider].listedModels.append(listed)
            if !before.contains(model.id) { added += 1 }
            room -= 1
        }
        self.compilePolicy()
        return added
    }

    /// What is kept of the lists, for the next start.
    var listedModels: [UInt8] {
        let providers = self.providers.filter { !$0.listedModels.isEmpty }.map { provider in
            ListedModels.Provider(
                name: provider.settings.name, kind: provider.settings.kind, baseURL: provider.settings.baseURL ?? "",
                models: provider.listedModels)
        }
        return ListedModels(providers: providers).encoded
    }
}
