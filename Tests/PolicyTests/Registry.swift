import JSON
import Policy

@testable import Messages

/// The models of the vectors: m1 to m3 need no key, m4 and m5 one of a provider that is called `prov`.
struct Registry {
    let free = ProviderSettings(name: "plain", kind: .openAICompatible)
    var keyed = ProviderSettings(name: "prov", kind: .openAICompatible, keyName: "PROV_API_KEY")
    let models = (1...5).map {
        ModelDescription(id: "m\($0)", aliases: ["alias-m\($0)"], needsKey: $0 > 3)
    }

    func policy(_ settings: PolicySettings, defaultModel: ModelReference? = nil) -> Policy {
        Policy(settings, defaultModel: defaultModel, administrators: [0]) { name in
            self.models.first { $0.id == name || $0.aliases.contains(name) }?.id ?? name
        }
    }

    /// The ids that are listed for a purpose, in their order.
    func listing(_ policy: Policy, _ purpose: String?) -> [String] {
        let rules = policy.rules(for: purpose)
        let available = self.models.filter { model in
            rules.refusal(of: model.id) == nil
                && (!policy.settings.requiresKeys || self.key(policy, model.id, purpose).isUsable)
        }
        return rules.ordered(available) { $0.id }.map(\.id)
    }

    func key(_ policy: Policy, _ id: String, _ purpose: String?) -> KeyChoice {
        let model = self.models.first { $0.id == id }!
        return policy.key(for: model, under: policy.rules(for: purpose), of: model.needsKey ? self.keyed : self.free)
    }
}

extension PolicySettings {
    /// A block of a `datasette-llm` configuration.
    static func block(_ config: JSONValue) throws -> (settings: PolicySettings, defaultModel: ModelReference?) {
        var settings = PolicySettings(
            models: config["models"]?.array?.compactMap(\.string),
            blockedModels: config["blocked_models"]?.array?.compactMap(\.string) ?? [],
            requiresKeys: config["require_keys"]?.bool ?? true)
        for member in config["purposes"]?.members ?? [] {
            settings.purposes.append(
                PurposeSettings(
                    name: member.name, model: try member.value["model"].map(ModelReference.init(decoding:)),
                    models: try member.value["models"].map(ModelReference.list),
                    blockedModels: member.value["blocked_models"]?.array?.compactMap(\.string) ?? []))
        }
        return (settings, try config["default_model"].map(ModelReference.init(decoding:)))
    }
}
