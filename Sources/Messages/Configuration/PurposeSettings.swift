import JSON

/// A purpose as it is configured: which models serve it, and how.
public struct PurposeSettings: Sendable, Equatable {
    public var name: String
    /// For people.
    public var description: String?
    /// The model of a request that names none.
    public var model: ModelReference?
    /// The models that may be asked, beside ``model`` and the list of all purposes; `nil` where there is no such list, and
    /// none at all where it is empty.
    public var models: [ModelReference]?
    /// Those that may not, whatever the other lists say.
    public var blockedModels: [String]
    /// The models that answer in place of one that cannot, whichever was asked; `nil`: those of all purposes.
    public var fallbacks: [String]?
    /// Whether an answer is completed though its client went away.
    public var finishes: Bool

    public init(
        name: String, description: String? = nil, model: ModelReference? = nil, models: [ModelReference]? = nil,
        blockedModels: [String] = [], fallbacks: [String]? = nil, finishes: Bool = false
    ) {
        self.name = name
        self.description = description
        self.model = model
        self.models = models
        self.blockedModels = blockedModels
        self.fallbacks = fallbacks
        self.finishes = finishes
    }

    var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        object.add("name", self.name)
        object.add("description", ifPresent: self.description)
        if let model = self.model { object.add("model", model.value) }
        if let models = self.models { object.add("models", .array(models.map(\.value))) }
        if !self.blockedModels.isEmpty {
            object.add("blocked_models", .array(self.blockedModels.map(JSONValue.string)))
        }
        if let fallbacks = self.fallbacks { object.add("fallbacks", .array(fallbacks.map(JSONValue.string))) }
        if self.finishes { object.add("finishes", true) }
        return object.finish()
    }

    init(decoding value: JSONValue) throws(MessageError) {
        guard let name = value["name"]?.string else { throw .missing("name") }
        self.init(
            name: name, description: value["description"]?.string,
            model: try value["model"].map { value throws(MessageError) in try ModelReference(decoding: value) },
            models: try value["models"].map(ModelReference.list),
            blockedModels: value["blocked_models"]?.strings ?? [], fallbacks: value["fallbacks"]?.strings,
            finishes: value["finishes"]?.bool ?? false)
    }
}

extension JSONValue {
    /// The strings of an array; `nil` for anything else.
    var strings: [String]? { self.array?.compactMap(\.string) }
}
