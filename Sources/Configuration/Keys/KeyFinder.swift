import Messages

/// Where a key was found, as the wire names it.
enum KeySource: String {
    case credential, environment, store
    case llmKeys = "llm_keys"

    /// `key from OPENAI_API_KEY (…)`.
    var text: String {
        switch self {
        case .credential: "systemd credential"
        case .environment: "environment"
        case .store: "encrypted store"
        case .llmKeys: "llm's keys.json"
        }
    }
}

/// What was found under a key's name.
enum FoundKey: Equatable {
    case absent
    case value(String, KeySource)
    /// It is there and cannot be used: why, in a clause that names where it was found and not what it is.
    case unusable(String, KeySource)

    var source: KeySource? {
        switch self {
        case .absent: nil
        case .value(_, let source), .unusable(_, let source): source
        }
    }
}

/// Looks keys up by their names, in the order of docs/configuration.md.
///
/// The first place that has the name decides, also where what it has cannot be used: another key would be somebody else's.
final class KeyFinder {
    private let environment: [String: String]
    private let keyFile: (String) -> KeyFile
    private let storedSecret: (String) -> StoredSecret
    private let llmKeys: LLMKeys

    /// - Parameters:
    ///   - llmKeysPath: Where the operator says that llm's keys.json is; `nil` looks where llm has it.
    ///   - warn: Is told what is wrong with that file.
    init(
        _ surroundings: Surroundings, storedSecret: @escaping (String) -> StoredSecret, llmKeysPath: String?,
        warn: (String) -> Void
    ) {
        self.environment = surroundings.environment
        self.keyFile = surroundings.keyFile
        self.storedSecret = storedSecret
        self.llmKeys = Self.loadLLMKeys(surroundings, llmKeysPath, warn: warn)
    }

    /// The key `name`.
    ///
    /// - Parameters:
    ///   - names: Under which names it is looked up in llm's keys.json besides.
    ///   - isOwnVariable: Whether the name is that of a variable which a provider has by itself, and which nobody named: it
    ///     counts after all the others, as it does in llm.
    func find(_ name: String, llmNames: [String] = [], isOwnVariable: Bool = false) -> FoundKey {
        let found =
            self.credential(name) ?? (isOwnVariable ? nil : self.variable(name))
            ?? self.variable("DATASETTE_SECRETS_\(name)") ?? self.stored(name) ?? self.llmKey([name] + llmNames)
            ?? (isOwnVariable ? self.variable(name) : nil)
        return found ?? .absent
    }

    /// The file of systemd's `LoadCredential=` and its kin. A line break at its end is not part of the key.
    private func credential(_ name: String) -> FoundKey? {
        guard let directory = self.environment["CREDENTIALS_DIRECTORY"], directory.hasPrefix("/") else { return nil }
        switch self.keyFile("\(directory)/\(name)") {
        case .absent: return nil
        case .unreadable(let reason): return .unusable("the credential \(name) cannot be read: \(reason)", .credential)
        case .content(let bytes, _):
            guard let text = String(validating: bytes, as: UTF8.self) else {
                return .unusable("the credential \(name) is not UTF-8 text", .credential)
            }
            let key = text.hasSuffix("\r\n") || text.hasSuffix("\n") ? String(text.dropLast()) : text
            return Self.check(key, "the credential \(name)", .credential)
        }
    }

    private func variable(_ name: String) -> FoundKey? {
        self.environment[name].flatMap { Self.check($0, "the environment variable \(name)", .environment) }
    }

    private func stored(_ name: String) -> FoundKey? {
        switch self.storedSecret(name) {
        case .absent: nil
        case .value(let key): Self.check(key, "the secret \(name) of the store", .store)
        case .unusable(let reason): .unusable("the secret \(name) of the store cannot be used: \(reason)", .store)
        }
    }

    private func llmKey(_ names: [String]) -> FoundKey? {
        for name in names {
            if let key = self.llmKeys[name] { return Self.check(key, "the key '\(name)' of llm's keys.json", .llmKeys) }
        }
        return nil
    }

    /// - Returns: `nil` for an empty key, which counts as none.
    private static func check(_ key: String, _ place: String, _ source: KeySource) -> FoundKey? {
        if key.isEmpty { return nil }
        if key.utf8.count > ConfigurationBounds.keyLength {
            return .unusable("\(place) is longer than \(ConfigurationBounds.keyLength) bytes", source)
        }
        if key.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            return .unusable("\(place) contains a control character; is there a line break at its end?", source)
        }
        return .value(key, source)
    }

    // MARK: llm's keys.json

    private static func loadLLMKeys(_ surroundings: Surroundings, _ path: String?, warn: (String) -> Void) -> LLMKeys {
        guard let place = path ?? Self.defaultPath(surroundings) else { return LLMKeys() }
        switch surroundings.keyFile(place) {
        case .absent:
            if path != nil { warn("llm's keys are not at \(place): there is no such file") }
            return LLMKeys()
        case .unreadable(let reason):
            warn("llm's keys at \(place) cannot be read, and are not used: \(reason)")
            return LLMKeys()
        case .content(let bytes, let isOpenToOthers):
            guard let keys = LLMKeys(bytes) else {
                warn("llm's keys at \(place) are not used: the file is no JSON object of names and keys")
                return LLMKeys()
            }
            if isOpenToOthers { warn("other users can read llm's keys at \(place): chmod 600 \(place)") }
            return keys
        }
    }

    private static func defaultPath(_ surroundings: Surroundings) -> String? {
        func directory(_ name: String) -> String? { surroundings.environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let directory = directory("LLM_USER_PATH") { return "\(directory)/keys.json" }
        return (directory("HOME") ?? surroundings.homeDirectory).map { "\($0)/.config/io.datasette.llm/keys.json" }
    }
}
