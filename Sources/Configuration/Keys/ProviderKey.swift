import Messages

/// Where a provider's key comes from, and the key itself if it is there.
struct ProviderKey {
    /// What it is looked up by; `nil` where the provider has no key.
    var name: String?
    var value: String?
    var source: KeySource?
    /// Why a key that is there cannot be used.
    var problem: String?

    static let none = ProviderKey()

    init() {}

    /// - Parameters:
    ///   - found: What was found under `name`.
    ///   - refuse: Is told of a key that the service was started with and that cannot be used.
    ///   - warn: Is told of one that another program keeps.
    init(_ name: String, _ found: FoundKey, refuse: (String) -> Void, warn: (String) -> Void) {
        self.name = name
        self.source = found.source
        switch found {
        case .absent: break
        case .value(let value, _): self.value = value
        case .unusable(let reason, .credential), .unusable(let reason, .environment): refuse(reason)
        case .unusable(let reason, .store), .unusable(let reason, .llmKeys):
            self.problem = reason
            warn("\(reason); models that need it cannot be asked")
        }
    }

    /// What is said of a key that is nowhere.
    static func missing(_ name: String) -> String {
        "there is no key \(name): set it with 'bulkhead secrets set \(name)', or the environment variable of that name"
    }
}

extension ProviderSettings {
    /// Takes over where its key is, and the key.
    mutating func take(_ key: ProviderKey) {
        self.key = key.value
        self.keyName = key.name
        self.keySource = key.source?.rawValue
        self.keyProblem = key.problem
    }
}
