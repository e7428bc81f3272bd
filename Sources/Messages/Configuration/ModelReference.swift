import JSON

/// A model where a configuration names one, and with what it is asked then.
///
/// On the wire, as in bulkhead.yaml: a name, or an object of `model`, `key` and `options`.
public struct ModelReference: Sendable, Equatable, ExpressibleByStringLiteral {
    /// An id, an alias, or `provider/model`.
    public var model: String
    /// The name of the key that it is asked with, instead of its provider's; never the key.
    public var key: String?
    /// The options of requests that do not say otherwise, a JSON object.
    public var options: [UInt8]?

    public init(_ model: String, key: String? = nil, options: [UInt8]? = nil) {
        self.model = model
        self.key = key
        self.options = options
    }

    public init(stringLiteral value: String) { self.init(value) }

    var value: JSONValue {
        guard self.key != nil || self.options != nil else { return .string(self.model) }
        var members: [JSONValue.Member] = [.init("model", .string(self.model))]
        if let key = self.key { members.append(.init("key", .string(key))) }
        if let options = self.options, let value = try? JSONValue(parsing: options) {
            members.append(.init("options", value))
        }
        return .object(members)
    }

    init(decoding value: JSONValue) throws(MessageError) {
        if let name = value.string {
            self.init(name)
        } else {
            guard let name = value["model"]?.string else {
                throw .wrongType("model", expected: "a name, or an object {model, key, options}")
            }
            self.init(name, key: value["key"]?.string, options: value["options"]?.serialized())
        }
    }

    static func list(_ value: JSONValue) throws(MessageError) -> [ModelReference] {
        guard let elements = value.array else { throw .wrongType("models", expected: "an array") }
        return try elements.map { element throws(MessageError) in try ModelReference(decoding: element) }
    }
}
