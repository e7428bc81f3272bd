import Messages

/// The fields of bulkhead.yaml (docs/configuration.md), and those that are planned.
enum SupportedFields {
    static let top = FieldNames(
        supported: [
            "socket", "state_directory", "log", "default_model", "default_embedding_model", "models", "blocked_models",
            "require_keys", "fallbacks", "purposes", "plugins", "callers", "hooks", "secrets", "drain_timeout",
            "providers", "testing",
        ],
        later: ["limits"])
    /// Those of datasette-llm's settings.
    static let policy = FieldNames(
        supported: ["default_model", "models", "blocked_models", "require_keys", "purposes"])
    static let purpose = FieldNames(
        supported: ["description", "model", "models", "blocked_models", "fallbacks", "on_disconnect"],
        later: ["limits", "retention"])
    static let modelReference = FieldNames(supported: ["model", "key", "options"])
    static let caller = FieldNames(
        supported: [
            "user", "group", "default", "purposes", "models", "may_name_actor", "administrator", "max_connections",
            "max_requests",
        ],
        later: ["limits"])
    static let hook = FieldNames(supported: ["name", "command", "events", "timeout", "on_failure"])
    static let secrets = FieldNames(supported: ["llm_keys", "master_key_file"])
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

    static let purposes = 256
    static let callers = 256
    /// Users, and user groups, of one caller.
    static let accountsPerCaller = 64
    static let callerConnections = 1...1_048_576
    static let callerRequests = 1...1_048_576
    /// Of `models` and `blocked_models`.
    static let modelsPerList = 512
    /// In bytes of UTF-8.
    static let descriptionLength = 1024
    /// Different keys that models are asked with.
    static let namedKeys = 256
    /// How many values the options of one model may consist of, and their length as JSON.
    static let optionValues = 1024
    static let optionsLength = 16 << 10
    /// How deep one of these values may be nested, so that all of it fits a frame's depth.
    static let optionDepth = 16
    static let hooks = 16
    static let hookWords = 64
    static let hookWordLength = 4096
    static let hookTimeoutMilliseconds = 60_000
}
