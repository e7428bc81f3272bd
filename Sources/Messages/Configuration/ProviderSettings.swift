import JSON

/// A provider as it is configured: what its worker is told, and what the supervisor keeps to itself.
public struct ProviderSettings: Sendable, Equatable {
    /// The types of provider that a worker of this version can be.
    public enum Kind: String, Sendable, CaseIterable {
        case echo
        /// OpenAI itself, through the Responses API.
        case openAI = "openai"
        case anthropic
        case gemini
        /// Anything that speaks chat completions; those below are known by name (``ProviderPreset``).
        case openAICompatible = "openai-compatible"
        case ollama
        case llamaCpp = "llama-cpp"
        case vLLM = "vllm"
        case lmStudio = "lm-studio"
        case groq
        case mistral
        case openRouter = "openrouter"
        case deepSeek = "deepseek"
        case cerebras
        case xAI = "xai"
        /// Fails on demand; only under `testing: true`.
        case echoFault = "echo-fault"
    }

    public static let maximumSlots = 256
    /// How often a request may be sent once more after a failure that a retry can help.
    public static let retriesRange = 0...5
    public static let defaultRetries = 2

    public var name: String
    public var kind: Kind
    /// How many requests its process runs at once.
    public var slots: Int
    public var models: [ModelDescription]
    /// What the provider itself listed when it was asked last, and ``models`` does not name.
    public var listedModels: [ModelDescription]
    /// Where an API begins, without a slash at its end; for providers over HTTP.
    public var baseURL: String?
    /// How long a connection may take to be made.
    public var connectTimeoutMilliseconds: Int
    public var timeouts: Timeouts
    /// How often a request is sent to it once more, in ``retriesRange``. The supervisor's to keep.
    public var retries: Int
    /// The provider's key. It goes to the worker in the frame of each request that needs it, and nowhere else.
    public var key: String?
    /// What the key is called, for the error that says that it is missing.
    public var keyName: String?
    /// Where the key was found: `credential`, `environment`, `store`, `llm_keys`.
    public var keySource: String?
    /// Why a key that is there cannot be used.
    public var keyProblem: String?

    /// How long a request may take, in milliseconds.
    public struct Timeouts: Sendable, Equatable {
        /// From dispatch to the first event.
        public var firstOutput: Int
        /// Between two events.
        public var idle: Int
        /// From admission to the end.
        public var total: Int
        /// From a cancel to the slot's last frame, after which the slot is taken for hung.
        public var cancel: Int

        public init(firstOutput: Int = 120_000, idle: Int = 60_000, total: Int = 600_000, cancel: Int = 5_000) {
            self.firstOutput = firstOutput
            self.idle = idle
            self.total = total
            self.cancel = cancel
        }
    }

    public init(
        name: String, kind: Kind, slots: Int = 16, models: [ModelDescription] = [],
        listedModels: [ModelDescription] = [], baseURL: String? = nil,
        connectTimeoutMilliseconds: Int = 10_000, timeouts: Timeouts = Timeouts(),
        retries: Int = Self.defaultRetries, key: String? = nil, keyName: String? = nil, keySource: String? = nil,
        keyProblem: String? = nil
    ) {
        self.name = name
        self.kind = kind
        self.slots = slots
        self.models = models
        self.listedModels = listedModels
        self.baseURL = baseURL
        self.connectTimeoutMilliseconds = connectTimeoutMilliseconds
        self.timeouts = timeouts
        self.retries = retries
        self.key = key
        self.keyName = keyName
        self.keySource = keySource
        self.keyProblem = keyProblem
    }

    /// Whether it is asked over HTTP: it may have models that nobody here knows, and can be asked for a list of them.
    public var isOverHTTP: Bool { self.kind != .echo && self.kind != .echoFault }

    /// Whether what its worker is told fits a frame of the control channel.
    public var fitsControlFrame: Bool { self.encodedForWorker.count + 1024 <= ProtocolBounds.controlFrame }

    /// What the worker is told: no key, and no timeouts that are the supervisor's to keep.
    var encodedForWorker: [UInt8] {
        var object = JSONObjectBuilder()
        // Of the models that were listed only those help of which something is known, as many as a frame has room for.
        let known = self.listedModels.filter { $0.facts != ModelFacts() }
        var length = 0
        var models: [[UInt8]] = []
        for var model in self.models + known {
            model.facts = model.facts.withoutOptions
            let encoded = model.encoded
            length += encoded.count
            if models.count >= self.models.count, length > ProtocolBounds.controlFrame / 4 * 3 { break }
            models.append(encoded)
        }
        self.appendShared(to: &object, models: models)
        return object.finish()
    }

    /// Everything, for the frame of bulkhead-config.
    var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        self.appendShared(to: &object, models: self.models.map(\.encoded))
        if !self.listedModels.isEmpty {
            object.add("listed_models", rawElements: self.listedModels.map(\.encoded))
        }
        object.add("first_output_timeout_ms", self.timeouts.firstOutput)
        object.add("idle_timeout_ms", self.timeouts.idle)
        object.add("total_timeout_ms", self.timeouts.total)
        object.add("cancel_timeout_ms", self.timeouts.cancel)
        object.add("retries", self.retries)
        object.add("key", ifPresent: self.key)
        object.add("key_name", ifPresent: self.keyName)
        object.add("key_source", ifPresent: self.keySource)
        object.add("key_problem", ifPresent: self.keyProblem)
        return object.finish()
    }

    private func appendShared(to object: inout JSONObjectBuilder, models: [[UInt8]]) {
        object.add("name", self.name)
        object.add("type", self.kind.rawValue)
        object.add("slots", self.slots)
        object.add("models", rawElements: models)
        object.add("base_url", ifPresent: self.baseURL)
        object.add("connect_timeout_ms", self.connectTimeoutMilliseconds)
    }

    init(decoding slice: JSONSlice) throws(MessageError) {
        try self.init(decoding: try slice.expectObject("provider"))
    }

    init(decoding object: JSONObject) throws(MessageError) {
        let kind = try object.require("type").expectString("type")
        guard let kind = Kind(rawValue: kind) else { throw .invalidValue("type", "'\(kind)' is not known") }
        let defaults = Timeouts()
        func timeout(_ name: String, default fallback: Int) throws(MessageError) -> Int {
            try object.optional(name)?.expectInteger(name, in: 1...ProtocolBounds.timeoutMilliseconds) ?? fallback
        }
        self.init(
            name: try object.require("name").expectString("name"),
            kind: kind,
            slots: try object.require("slots").expectInteger("slots", in: 1...Self.maximumSlots),
            models: try ModelDescription.list(decoding: try object.require("models")),
            listedModels: try object.optional("listed_models").map(ModelDescription.list) ?? [],
            baseURL: try object.optional("base_url")?.expectString("base_url"),
            connectTimeoutMilliseconds: try timeout("connect_timeout_ms", default: 10_000),
            timeouts: Timeouts(
                firstOutput: try timeout("first_output_timeout_ms", default: defaults.firstOutput),
                idle: try timeout("idle_timeout_ms", default: defaults.idle),
                total: try timeout("total_timeout_ms", default: defaults.total),
                cancel: try timeout("cancel_timeout_ms", default: defaults.cancel)),
            retries: try object.optional("retries")?.expectInteger("retries", in: Self.retriesRange)
                ?? Self.defaultRetries,
            key: try object.optional("key")?.expectString("key"),
            keyName: try object.optional("key_name")?.expectString("key_name"),
            keySource: try object.optional("key_source")?.expectString("key_source"),
            keyProblem: try object.optional("key_problem")?.expectString("key_problem"))
    }
}
