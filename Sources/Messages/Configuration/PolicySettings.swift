import JSON

/// Who may use which model for what, and with whose key, as it is configured.
public struct PolicySettings: Sendable, Equatable {
    /// The models that may be asked for any purpose; `nil` where there is no such list, and none at all where it is empty.
    public var models: [String]?
    /// Those that may not, whatever the other lists say.
    public var blockedModels: [String]
    /// Whether a model that needs a key and has none is left out of lists.
    public var requiresKeys: Bool
    public var purposes: [PurposeSettings]
    /// In the order in which their groups count.
    public var callers: [CallerSettings]
    /// The keys that purposes and the default model name.
    public var keys: [NamedKey]

    public init(
        models: [String]? = nil, blockedModels: [String] = [], requiresKeys: Bool = true,
        purposes: [PurposeSettings] = [], callers: [CallerSettings] = [], keys: [NamedKey] = []
    ) {
        self.models = models
        self.blockedModels = blockedModels
        self.requiresKeys = requiresKeys
        self.purposes = purposes
        self.callers = callers
        self.keys = keys
    }

    var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        if let models = self.models { object.add("models", .array(models.map(JSONValue.string))) }
        if !self.blockedModels.isEmpty {
            object.add("blocked_models", .array(self.blockedModels.map(JSONValue.string)))
        }
        if !self.requiresKeys { object.add("require_keys", false) }
        if !self.purposes.isEmpty { object.add("purposes", rawElements: self.purposes.map(\.encoded)) }
        if !self.callers.isEmpty { object.add("callers", rawElements: self.callers.map(\.encoded)) }
        if !self.keys.isEmpty { object.add("keys", rawElements: self.keys.map(\.encoded)) }
        return object.finish()
    }

    init(decoding slice: JSONSlice) throws(MessageError) {
        let value = slice.value
        func list<Element>(
            _ name: String, _ decode: (JSONValue) throws(MessageError) -> Element
        ) throws(MessageError) -> [Element] {
            try (value[name]?.array ?? []).map { element throws(MessageError) in try decode(element) }
        }
        self.init(
            models: value["models"]?.strings, blockedModels: value["blocked_models"]?.strings ?? [],
            requiresKeys: value["require_keys"]?.bool ?? true,
            purposes: try list("purposes") { value throws(MessageError) in try PurposeSettings(decoding: value) },
            callers: try list("callers") { value throws(MessageError) in try CallerSettings(decoding: value) },
            keys: try list("keys") { value throws(MessageError) in try NamedKey(decoding: value) })
    }
}

/// A key that a configuration names, wherever it was found.
public struct NamedKey: Sendable, Equatable {
    public var name: String
    /// The key itself; `nil` where it is nowhere, or cannot be used.
    public var value: String?
    /// Where it was found: `credential`, `environment`, `store`, `llm_keys`.
    public var source: String?
    /// Why one that is there cannot be used. Models that would be asked with it cannot be asked at all.
    public var problem: String?

    public init(name: String, value: String? = nil, source: String? = nil, problem: String? = nil) {
        self.name = name
        self.value = value
        self.source = source
        self.problem = problem
    }

    var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        object.add("name", self.name)
        object.add("value", ifPresent: self.value)
        object.add("source", ifPresent: self.source)
        object.add("problem", ifPresent: self.problem)
        return object.finish()
    }

    init(decoding value: JSONValue) throws(MessageError) {
        guard let name = value["name"]?.string else { throw .missing("name") }
        self.init(
            name: name, value: value["value"]?.string, source: value["source"]?.string,
            problem: value["problem"]?.string)
    }
}
