public import Messages

/// Who may use which model for what, and with whose key.
///
/// A value made of a configuration, once; what a request asks of it are a few look-ups in tables. It knows models by their ids
/// only: who serves them, and what they can do, is for its owner to know. The order of models, the union of lists and the
/// search for keys and options are those of datasette-llm, with the differences that docs/policy.md lists.
public struct Policy: Sendable {
    public let settings: PolicySettings
    private let rules: [String: Rules]
    private let rulesWithoutPurpose: Rules
    /// Rules of purposes that nothing is configured for.
    private let rulesOfOthers: Rules
    private let callersByUser: [Int: Caller]
    private let callersByGroup: [(group: Int, caller: Caller)]
    private let defaultCaller: Caller?
    /// The users that are administrators whatever the configuration says.
    private let administrators: Set<Int>
    private var keys: [String: NamedKey]

    /// - Parameters:
    ///   - defaultModels: The models of prompts and of requests for embeddings that name none.
    ///   - administrators: The users who may see and do everything, unless an entry of theirs says otherwise of models and purposes.
    ///   - id: The id of the model that has a name; a name that no model has stands for itself.
    public init(
        _ settings: PolicySettings, defaultModel: ModelReference? = nil, defaultEmbeddingModel: String? = nil,
        administrators: Set<Int>, id: (String) -> String
    ) {
        self.settings = settings
        self.administrators = administrators
        let lists = Rules.Shared(
            settings, defaultModel: defaultModel, defaultEmbeddingModel: defaultEmbeddingModel, id: id)
        self.rulesWithoutPurpose = Rules(lists, purpose: nil, isWithoutPurpose: true, id: id)
        self.rulesOfOthers = Rules(lists, purpose: nil, isWithoutPurpose: false, id: id)
        self.rules = Dictionary(
            settings.purposes.map { ($0.name, Rules(lists, purpose: $0, isWithoutPurpose: false, id: id)) },
            uniquingKeysWith: { first, _ in first })
        var byUser: [Int: Caller] = [:]
        var byGroup: [(Int, Caller)] = []
        var everybody: Caller?
        for entry in settings.callers {
            let caller = Caller(entry, id: id)
            for user in entry.users where byUser[user] == nil { byUser[user] = caller }
            for group in entry.groups { byGroup.append((group, caller)) }
            if entry.isDefault, everybody == nil { everybody = caller }
        }
        self.callersByUser = byUser
        self.callersByGroup = byGroup
        self.defaultCaller = everybody ?? (settings.callers.isEmpty ? .anybody : nil)
        self.keys = Dictionary(settings.keys.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The rules of a purpose, or of requests without one.
    public func rules(for purpose: String?) -> Rules {
        guard let purpose else { return self.rulesWithoutPurpose }
        return self.rules[purpose] ?? self.rulesOfOthers
    }

    /// Whom the configuration takes a peer for: its user's entry, then that of a group, then that of everybody else.
    ///
    /// - Returns: `nil` for somebody whom no entry knows, where there are entries.
    public func caller(of peer: PeerCredentials) -> Caller? {
        if let caller = self.callersByUser[peer.uid] { return caller }
        if let entry = self.callersByGroup.first(where: { $0.group == peer.gid || peer.groups.contains($0.group) }) {
            return entry.caller
        }
        return self.administrators.contains(peer.uid) ? .anybody : self.defaultCaller
    }

    /// Whether a peer may see and do everything.
    public func isAdministrator(_ peer: PeerCredentials) -> Bool {
        self.administrators.contains(peer.uid) || (self.caller(of: peer)?.isAdministrator ?? false)
    }

    // MARK: Keys

    /// Takes the keys of a later configuration. Those that it does not name stay as they are.
    public mutating func takeKeys(of other: Policy) { self.keys.merge(other.keys) { _, new in new } }

    /// The key that a model is asked with: the one that the rules name, or else its provider's.
    ///
    /// A name that is set nowhere is passed over. One whose key is there and cannot be used is not: another key would be
    /// somebody else's money.
    public func key(for model: ModelDescription, under rules: Rules, of provider: ProviderSettings) -> KeyChoice {
        guard model.needsKey else { return .notNeeded }
        let name = rules.keyName(for: model.id)
        if let name, let key = self.keys[name] {
            if let problem = key.problem { return .unusable(name: name, reason: problem) }
            if let value = key.value { return .key(value, name: name, source: key.source, isOwn: false) }
        }
        if let problem = provider.keyProblem { return .unusable(name: provider.keyName ?? "", reason: problem) }
        if let value = provider.key {
            return .key(value, name: provider.keyName, source: provider.keySource, isOwn: true)
        }
        return .missing(names: [name, provider.keyName].compactMap { $0 })
    }
}

/// What came of the search for a key.
public enum KeyChoice: Sendable, Equatable {
    /// The model is asked without one.
    case notNeeded
    /// - `isOwn`: Whether it is the provider's own, and not one that a purpose names.
    case key(String, name: String?, source: String?, isOwn: Bool)
    /// It is nowhere; under these names it could be.
    case missing(names: [String])
    case unusable(name: String, reason: String)

    /// Whether the model can be asked.
    public var isUsable: Bool {
        switch self {
        case .notNeeded, .key: true
        case .missing, .unusable: false
        }
    }

    public var value: String? {
        if case .key(let value, _, _, _) = self { value } else { nil }
    }

    public var name: String? {
        if case .key(_, let name, _, _) = self { name } else { nil }
    }

    /// Its name, where it is not the provider's own.
    public var nameIfNamed: String? {
        if case .key(_, let name, _, false) = self { name } else { nil }
    }
}
