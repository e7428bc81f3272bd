import Messages

/// The fields of bulkhead.yaml (docs/configuration.md), and those that are planned.
enum SupportedFields {
    static let top = FieldNames(
        supported: [
            "socket", "state_directory", "log", "default_model", "default_embedding_model", "fallbacks",
            "drain_timeout",
            "providers", "testing",
        ],
        later: ["purposes", "limits", "callers", "models", "blocked_models", "require_keys"])
    static let socket = FieldNames(supported: ["path", "mode", "group"])
    static let log = FieldNames(supported: ["durability", "prompts"], later: ["retention"])
    static let provider = FieldNames(
        supported: ["type", "key", "base_url", "models", "slots", "retries", "timeouts"],
        later: ["processes", "plugin", "python", "hooks", "command", "environment"])
    static let timeouts = FieldNames(supported: ["connect", "first_output", "idle", "total", "cancel"])
    static let model = FieldNames(
        supported: ["id", "aliases", "needs_key"] + ModelFacts.Ability.allCases.map(\.rawValue)
            + ["attachments", "context", "max_output", "options", "checks_options"])
    static let option = FieldNames(supported: ["type", "minimum", "maximum", "values"])

    /// The types of provider that there are, for a message that lists them: without the one for tests.
    static let types = ProviderSettings.Kind.allCases.filter { $0 != .echoFault }.map(\.rawValue)
    /// The types of provider that are planned.
    static let laterTypes = ["llm-plugin", "command"]
}

/// How much of everything a configuration may ask for (docs/configuration.md, "Bounds").
enum ConfigurationBounds {
    static let providers = 64
    /// All providers together.
    static let slots = 1024
    static let modelsPerProvider = 512
    static let aliasesPerModel = 16
    static let fallbacksPerModel = 4
    static let attachmentsPerModel = 128
    static let optionsPerModel = 128
    static let valuesPerOption = 64
    /// Ids and aliases of one provider, so that its description fits a frame of the control channel.
    static let modelNamesPerProvider = 2048
    /// `sun_path` of a Unix socket's address holds 108 bytes, the last of which is a zero.
    static let socketPathLength = 107
    /// Leaves room for file names below it under PATH_MAX.
    static let stateDirectoryLength = 3840
    static let baseURLLength = 2048
    /// A key travels in a frame beside a request of the largest size.
    static let keyLength = 8192
    static let timeoutMilliseconds = 24 * 3_600_000
}
