public import JSON

/// A purpose that is configured, as `op: purposes` describes it.
public struct PurposeDescription: Sendable, Equatable {
    public var name: String
    /// For people.
    public var description: String?
    /// The id of the model of a prompt that names none; `nil` where there is no such model.
    public var model: String?
    /// Whether the caller may use it. Only administrators are shown those that they may not.
    public var isAllowed: Bool

    public init(name: String, description: String? = nil, model: String? = nil, isAllowed: Bool = true) {
        self.name = name
        self.description = description
        self.model = model
        self.isAllowed = isAllowed
    }

    public var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        object.add("name", self.name)
        object.add("description", ifPresent: self.description)
        object.add("model", ifPresent: self.model)
        object.add("allowed", self.isAllowed)
        return object.finish()
    }

    public init(decoding value: JSONValue) throws(MessageError) {
        guard let name = value["name"]?.string, let isAllowed = value["allowed"]?.bool else {
            throw .wrongType("purposes", expected: "an array of {name, description, model, allowed}")
        }
        self.init(
            name: name, description: value["description"]?.string, model: value["model"]?.string, isAllowed: isAllowed)
    }
}
