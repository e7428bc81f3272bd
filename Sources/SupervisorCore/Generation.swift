import Messages
import Policy

/// A configuration that was taken, what its names mean, and how much is open that began under it.
///
///     present ──another one is taken──▶ former ──nothing is open──▶ (gone)
///
/// What was admitted under it ends under it: its names go on meaning the providers that they meant then, of which those that are
/// not in the present one are retired and live until their last generation is gone.
struct Generation: Sendable {
    /// From 1, which is that of the start.
    let number: Int
    var configuration: ServiceConfiguration
    /// Where its providers stand in ``SupervisorCore/providers``, in the order of the configuration.
    let entries: [Int]
    /// Ids and aliases of models: which provider serves it, under which id.
    var models: [String: (provider: Int, model: ModelDescription)]
    /// What it says about models, purposes, callers and keys, in tables: made by its owner, who knows what names mean.
    var policy: Policy
    /// Requests, chains, and prompts that wait for their conversations.
    var open = 0

    init(number: Int, configuration: ServiceConfiguration, entries: [Int]) {
        self.number = number
        self.configuration = configuration
        self.entries = entries
        self.models = [:]
        self.policy = Policy(PolicySettings(), administrators: []) { $0 }
        for (index, provider) in zip(entries, configuration.providers) {
            for model in provider.models {
                for name in [model.id] + model.aliases where self.models[name] == nil {
                    self.models[name] = (index, model)
                }
            }
        }
    }

    /// The provider of this name.
    func provider(named name: some StringProtocol) -> (entry: Int, settings: ProviderSettings)? {
        guard let place = self.configuration.providers.firstIndex(where: { $0.name == name }) else { return nil }
        return (self.entries[place], self.configuration.providers[place])
    }

    /// The model that has this name: an id, an alias, or `provider/model`.
    ///
    /// The last needs no model to be known: a provider over HTTP is asked for whatever it is asked for. A model whose own id
    /// is the whole name comes first.
    func findModel(_ name: String) -> (provider: Int, model: ModelDescription)? {
        if let found = self.models[name] { return found }
        guard let slash = name.firstIndex(of: "/"), let (provider, settings) = self.provider(named: name[..<slash]),
            settings.isOverHTTP
        else { return nil }
        let own = String(name[name.index(after: slash)...])
        if let found = self.models[own], found.provider == provider { return found }
        guard ModelListing.isUsable(own), ModelListing.isUsable(name) else { return nil }
        return (provider, ModelDescription(id: name, needsKey: settings.keyName != nil))
    }
}
