public import Messages

/// A configuration in a few lines for people. Keys are named, never shown.
public struct ConfigurationSummary: CustomStringConvertible {
    private let configuration: ServiceConfiguration

    public init(_ configuration: ServiceConfiguration) {
        self.configuration = configuration
    }

    public var description: String {
        let configuration = self.configuration
        let mode = String(configuration.socketMode, radix: 8)
        let paddedMode = String(repeating: "0", count: max(0, 4 - mode.count)) + mode
        let group = configuration.socketGroup.map { ", group \($0)" } ?? ""
        var lines: [String] = []
        if !configuration.socketPath.isEmpty {
            lines.append("socket: \(configuration.socketPath) (mode \(paddedMode)\(group))")
        }
        if !configuration.stateDirectory.isEmpty { lines.append("state directory: \(configuration.stateDirectory)") }
        lines.append("durability: \(configuration.durability.rawValue)")
        lines.append("prompts and answers: \(configuration.storesPrompts ? "stored" : "not stored")")
        let defaultModel = configuration.defaultModel.map(PolicySummary.text)
        lines.append("default model: \(defaultModel ?? "none; each request names its own")")
        if let model = configuration.defaultEmbeddingModel { lines.append("default embedding model: \(model)") }
        for provider in configuration.providers {
            let address = provider.baseURL.map { ", \($0)" } ?? ""
            let slots = provider.slots == 1 ? "1 slot" : "\(provider.slots) slots"
            let retries = provider.retries == 1 ? "1 retry" : "\(provider.retries) retries"
            lines.append(
                "provider \(provider.name): \(provider.kind.rawValue)\(address), \(slots), \(retries), \(Self.key(of: provider))"
            )
            if !provider.models.isEmpty {
                lines.append("  models: \(provider.models.map(Self.text).joined(separator: ", "))")
            }
            if !provider.listedModels.isEmpty {
                lines.append("  listed by the provider itself: \(provider.listedModels.count) models")
            }
            if provider.isOverHTTP { lines.append("  any other as \(provider.name)/MODEL") }
        }
        for (model, others) in configuration.fallbacks.sorted(by: { $0.key < $1.key }) {
            lines.append("fallbacks of \(model): \(others.joined(separator: ", "))")
        }
        lines += PolicySummary(configuration).lines
        return lines.joined(separator: "\n")
    }

    private static func key(of provider: ProviderSettings) -> String {
        guard let name = provider.keyName else { return "no key" }
        return PolicySummary.key(
            name, provider.keySource, isSet: provider.key != nil, hasProblem: provider.keyProblem != nil)
    }

    private static func text(_ model: ModelDescription) -> String {
        model.aliases.isEmpty ? model.id : "\(model.id) (\(model.aliases.joined(separator: ", ")))"
    }
}
