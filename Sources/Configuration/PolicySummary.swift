import Messages

/// The rules of a configuration, and its hooks, in a few lines for people.
struct PolicySummary {
    private let configuration: ServiceConfiguration

    init(_ configuration: ServiceConfiguration) {
        self.configuration = configuration
    }

    var lines: [String] {
        self.listLines + self.configuration.policy.purposes.flatMap(Self.lines) + self.keyLines + self.callerLines
            + self.configuration.hooks.map(Self.line)
    }

    // MARK: Models and purposes

    private var listLines: [String] {
        let policy = self.configuration.policy
        var lines: [String] = []
        if let models = policy.models { lines.append("models: \(Self.list(models))") }
        if !policy.blockedModels.isEmpty { lines.append("blocked models: \(Self.list(policy.blockedModels))") }
        if !policy.requiresKeys { lines.append("models without their key: listed") }
        return lines
    }

    private static func lines(_ purpose: PurposeSettings) -> [String] {
        var lines = ["purpose \(purpose.name)\(purpose.description.map { ": \(SafeQuotation.quote($0))" } ?? "")"]
        if let model = purpose.model { lines.append("  default model: \(Self.text(model))") }
        if let models = purpose.models { lines.append("  models: \(Self.list(models.map(Self.text)))") }
        if !purpose.blockedModels.isEmpty { lines.append("  blocked models: \(Self.list(purpose.blockedModels))") }
        if let fallbacks = purpose.fallbacks { lines.append("  fallbacks: \(Self.list(fallbacks))") }
        if purpose.finishes { lines.append("  an answer is completed though its client is gone") }
        return lines
    }

    /// `gpt-4o (key SQL_KEY, options {"temperature":0})`.
    static func text(_ reference: ModelReference) -> String {
        let key = reference.key.map { "key \($0)" }
        let options = reference.options.map { "options \(String(decoding: $0, as: UTF8.self))" }
        let more = [key, options].compactMap { $0 }
        return more.isEmpty ? reference.model : "\(reference.model) (\(more.joined(separator: ", ")))"
    }

    private static func list(_ names: [String]) -> String { names.isEmpty ? "none" : names.joined(separator: ", ") }

    // MARK: Keys

    private var keyLines: [String] {
        self.configuration.policy.keys.map { key in
            Self.key(key.name, key.source, isSet: key.value != nil, hasProblem: key.problem != nil)
        }
    }

    /// `key from OPENAI_API_KEY (environment)`.
    static func key(_ name: String, _ source: String?, isSet: Bool, hasProblem: Bool) -> String {
        let place = source.flatMap(KeySource.init)?.text ?? "unknown place"
        if hasProblem { return "key \(name) (cannot be used: \(place))" }
        return isSet ? "key from \(name) (\(place))" : "key \(name) (not set)"
    }

    // MARK: Callers and hooks

    private var callerLines: [String] {
        let callers = self.configuration.policy.callers
        if callers.isEmpty { return ["callers: everybody who can open the socket may do all"] }
        let other = callers.first(where: \.isDefault).map { "are the caller \($0.name)" } ?? "are refused"
        return callers.map(Self.line) + ["all other users \(other); root and the daemon's own user may do all"]
    }

    private static func line(_ caller: CallerSettings) -> String {
        var who: [String] = []
        if !caller.users.isEmpty { who.append(Self.count("user", caller.users)) }
        if !caller.groups.isEmpty { who.append(Self.count("group", caller.groups)) }
        if caller.isDefault { who.append("everybody else") }
        var rights: [String] = []
        if caller.isAdministrator { rights.append("administrator") }
        if caller.mayNameActor { rights.append("may name an actor") }
        if let purposes = caller.purposes { rights.append("purposes \(Self.list(purposes))") }
        if let models = caller.models { rights.append("models \(Self.list(models))") }
        if let count = caller.maximumConnections { rights.append("at most \(count) connections") }
        if let count = caller.maximumRequests { rights.append("at most \(count) open requests") }
        return "caller \(caller.name): \((who + rights).joined(separator: "; "))"
    }

    /// `user 1000`, `users 1000, 1001`.
    private static func count(_ what: String, _ numbers: [Int]) -> String {
        "\(what)\(numbers.count == 1 ? "" : "s") \(numbers.map(String.init).joined(separator: ", "))"
    }

    private static func line(_ hook: HookSettings) -> String {
        let events = hook.events.map(\.rawValue).joined(separator: ", ")
        let failure = hook.isClosed ? "refuses requests while it fails" : "is passed over while it fails"
        return "hook \(hook.name): \(hook.command[0]); \(events); "
            + "\(DurationText.text(milliseconds: hook.timeoutMilliseconds)); \(failure)"
    }
}
