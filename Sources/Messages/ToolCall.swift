public import JSON

/// A model's wish that a tool be called.
public struct ToolCall: Equatable, Sendable {
    /// The provider's id of the call, or `tc_` and a ULID where it gave none.
    public var id: String
    public var name: String
    /// The arguments: an object as JSON text. Arguments that are no JSON object come as `{"_raw":"…"}`, as llm keeps
    /// them.
    public var arguments: [UInt8]

    public init(id: String, name: String, arguments: [UInt8]) {
        self.id = id
        self.name = name
        self.arguments = arguments
    }

    /// Appends `tool_call_id`, `name` and `arguments`.
    public func append(to object: inout JSONObjectBuilder) {
        object.add("tool_call_id", self.id)
        object.add("name", self.name)
        object.add("arguments", raw: self.arguments)
    }

    /// `{"tool_call_id":…,"name":…,"arguments":{…}}`
    public var encoded: [UInt8] {
        var object = JSONObjectBuilder()
        self.append(to: &object)
        return object.finish()
    }

    /// Reads the three members; others are ignored.
    public init(decoding object: JSONObject) throws(MessageError) {
        self.id = try object.require("tool_call_id").expectString("tool_call_id")
        self.name = try object.require("name").expectString("name")
        let arguments = try object.require("arguments")
        guard arguments.kind == .object else { throw .wrongType("arguments", expected: "an object") }
        self.arguments = Array(arguments.raw)
    }

    /// Reads an array of calls.
    public static func list(decoding slice: JSONSlice) throws(MessageError) -> [ToolCall] {
        try slice.expectArray("tool_calls").map { value throws(MessageError) in
            guard let object = try? JSONObject(value.serialized(), bounds: .lenient) else {
                throw .wrongType("tool_calls", expected: "an array of objects")
            }
            return try ToolCall(decoding: object)
        }
    }
}
