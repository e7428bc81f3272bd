import JSON

/// Everything the supervisor needs to know to serve: the answer of bulkhead-config (proto/config.md).
public struct ServiceConfiguration: Sendable, Equatable {
    public enum Durability: String, Sendable, CaseIterable {
        /// A request's row is on disk before it is dispatched, and its end before its last frame leaves.
        case commit
        /// Neither waits for the disk.
        case relaxed
    }

    public var socketPath: String
    /// The permission bits of the socket file.
    public var socketMode: Int
    /// The group of the socket file, as a number; `nil` leaves it to the file system.
    public var socketGroup: Int?
    /// Where logs.db lives.
    public var stateDirectory: String
    public var durability: Durability
    /// Whether prompts and answers are kept, in llm's tables.
    public var storesPrompts: Bool
    /// The model of a request that names none, and whose purpose has none.
    public var defaultModel: ModelReference?
    /// The same for requests for embeddings.
    public var defaultEmbeddingModel: String?
    public var providers: [ProviderSettings]
    /// The models that answer in place of another, in their order, by its id: ids, never aliases.
    public var fallbacks: [String: [String]]
    public var policy: PolicySettings
    public var hooks: [HookSettings]
    /// Where the master key of the store of secrets is, unless it is a credential; `nil` is its place in the state directory.
    public var masterKeyFile: String?
    /// When each key was last used, as far as that was kept.
    public var keyUse: KeyUse
    /// How long a drain waits for open requests.
    public var drainTimeoutMilliseconds: Int
    /// What the operator should know though nothing is refused.
    public var warnings: [String]

    public init(
        socketPath: String, socketMode: Int = 0o660, socketGroup: Int? = nil, stateDirectory: String,
        durability: Durability = .commit, storesPrompts: Bool = true, defaultModel: ModelReference? = nil,
        defaultEmbeddingModel: String? = nil, providers: [ProviderSettings], fallbacks: [String: [String]] = [:],
        policy: PolicySettings = PolicySettings(), hooks: [HookSettings] = [], masterKeyFile: String? = nil,
        keyUse: KeyUse = KeyUse(),
        drainTimeoutMilliseconds: Int = 30_000, warnings: [String] = []
    ) {
        self.socketPath = socketPath
        self.socketMode = socketMode
        self.socketGroup = socketGroup
        self.stateDirectory = stateDirectory
        self.durability = durability
        self.storesPrompts = storesPrompts
        self.defaultModel = defaultModel
        self.defaultEmbeddingModel = defaultEmbeddingModel
        self.providers = providers
        self.fallbacks = fallbacks
        self.policy = policy
        self.hooks = hooks
        self.masterKeyFile = masterKeyFile
        self.keyUse = keyUse
        self.drainTimeoutMilliseconds = drainTimeoutMilliseconds
        self.warnings = warnings
    }

    var encoded: [UInt8] {
        var object = JSONObjectBuilder(minimumCapacity: 1024)
        object.add("socket_path", self.socketPath)
        object.add("socket_mode", self.socketMode)
        object.add("socket_group", ifPresent: self.socketGroup)
        object.add("state_directory", self.stateDirectory)
        object.add("durability", self.durability.rawValue)
        object.add("stores_prompts", self.storesPrompts)
        if let model = self.defaultModel { object.add("default_model", model.value) }
        object.add("default_embedding_model", ifPresent: self.defaultEmbeddingModel)
        object.add("providers", rawElements: self.providers.map(\.encoded))
        if !self.fallbacks.isEmpty { object.add("fallbacks", Self.encode(self.fallbacks)) }
        if self.policy != PolicySettings() { object.add("policy", raw: self.policy.encoded) }
        if !self.hooks.isEmpty { object.add("hooks", rawElements: self.hooks.map(\.encoded)) }
        object.add("master_key_file", ifPresent: self.masterKeyFile)
        if !self.keyUse.lastUse.isEmpty { object.add("key_use", self.keyUse.value) }
        object.add("drain_timeout_ms", self.drainTimeoutMilliseconds)
        object.add("warnings", .array(self.warnings.map(JSONValue.string)))
        return object.finish()
    }

    init(decoding object: JSONObject) throws(MessageError) {
        let durability = try object.require("durability").expectString("durability")
        guard let durability = Durability(rawValue: durability) else { throw .invalidValue("durability", durability) }
        var providers: [ProviderSettings] = []
        for value in try object.require("providers").expectArray("providers") {
            guard let provider = try? JSONObject(value.serialized()) else {
                throw .wrongType("providers", expected: "objects")
            }
            providers.append(try ProviderSettings(decoding: provider))
        }
        self.init(
            socketPath: try object.require("socket_path").expectString("socket_path"),
            socketMode: try object.require("socket_mode").expectInteger("socket_mode", in: 0...0o777),
            socketGroup: try object.optional("socket_group")?.expectInteger("socket_group", in: 0...Int(UInt32.max)),
            stateDirectory: try object.require("state_directory").expectString("state_directory"),
            durability: durability,
            storesPrompts: try object.require("stores_prompts").expectBool("stores_prompts"),
            defaultModel: try object.optional("default_model").map { slice throws(MessageError) in
                try ModelReference(decoding: slice.value)
            },
            defaultEmbeddingModel: try object.optional("default_embedding_model")?
                .expectString("default_embedding_model"),
            providers: providers,
            fallbacks: try object.optional("fallbacks").map(Self.decodeFallbacks) ?? [:],
            policy: try object.optional("policy").map { slice throws(MessageError) in
                try PolicySettings(decoding: slice)
            } ?? PolicySettings(),
            hooks: try object.optional("hooks")?.expectArray("hooks").map { value throws(MessageError) in
                try HookSettings(decoding: value)
            } ?? [],
            masterKeyFile: try object.optional("master_key_file")?.expectString("master_key_file"),
            keyUse: try object.optional("key_use").map { slice throws(MessageError) in
                try KeyUse(decoding: slice.value)
            } ?? KeyUse(),
            drainTimeoutMilliseconds: try object.require("drain_timeout_ms").expectInteger(
                "drain_timeout_ms", in: 0...Int(Int32.max)),
            warnings: try object.require("warnings").expectArray("warnings").compactMap(\.string))
    }

    private static func encode(_ fallbacks: [String: [String]]) -> JSONValue {
        .object(
            fallbacks.sorted { $0.key < $1.key }.map { .init($0.key, .array($0.value.map(JSONValue.string))) })
    }

    private static func decodeFallbacks(_ slice: JSONSlice) throws(MessageError) -> [String: [String]] {
        guard let members = slice.value.members else { throw .wrongType("fallbacks", expected: "an object") }
        var fallbacks: [String: [String]] = [:]
        for member in members {
            guard let models = member.value.array else { throw .wrongType("fallbacks", expected: "arrays of ids") }
            fallbacks[member.name] = models.compactMap(\.string)
        }
        return fallbacks
    }
}

/// The one frame of bulkhead-config.
public enum ConfigurationReply: Sendable, Equatable {
    case configuration(ServiceConfiguration)
    case refused([ConfigurationProblem])

    public init(decoding bytes: [UInt8]) throws(MessageError) {
        let object = try JSONObject.internalMessage(bytes)
        if let configuration = object.optional("configuration") {
            self = .configuration(try ServiceConfiguration(decoding: try configuration.expectObject("configuration")))
        } else {
            self = .refused(
                try object.require("problems").expectArray("problems").map { value throws(MessageError) in
                    try ConfigurationProblem(decoding: value)
                })
        }
    }

    public var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        switch self {
        case .configuration(let configuration): object.add("configuration", raw: configuration.encoded)
        case .refused(let problems): object.add("problems", rawElements: problems.map(\.encoded))
        }
        return object.finish()
    }
}

/// Something in a configuration file that is wrong.
public struct ConfigurationProblem: Error, Sendable, Equatable, CustomStringConvertible {
    public var file: String
    /// From 1; 0 where the whole file is meant.
    public var line: Int
    /// From 1; 0 where the whole line is meant.
    public var column: Int
    public var message: String

    public init(file: String, line: Int, column: Int, message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
    }

    /// `bulkhead.yaml:3:5: unknown field 'sokcet'; did you mean 'socket'?`
    public var description: String {
        self.line == 0 ? "\(self.file): \(self.message)" : "\(self.file):\(self.line):\(self.column): \(self.message)"
    }

    var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        object.add("file", self.file)
        object.add("line", self.line)
        object.add("column", self.column)
        object.add("message", self.message)
        return object.finish()
    }

    init(decoding value: JSONValue) throws(MessageError) {
        guard let file = value["file"]?.string, let line = value["line"]?.integer,
            let column = value["column"]?.integer,
            let message = value["message"]?.string
        else { throw .wrongType("problems", expected: "an array of {file, line, column, message}") }
        self.init(file: file, line: line, column: column, message: message)
    }
}
