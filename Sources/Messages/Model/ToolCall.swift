public import JSON

/// A model's wish that a tool be called.
public struct ToolCall: Equatable, Sendable {
    /// The provider's id of the call, or `tc_` and a ULID where it gave none.
    public var id: String
    public var name: String
    /// The arguments: an object as JSON text. Arguments that are no JSON object come as `{"_raw":"…"}`, as llm keeps
    /// them.
    public var arguments: [UInt8]
    /// Whether the provider runs the tool itself: nobody else need.
    public var isServerExecuted: Bool

    public init(id: String, name: String, arguments: [UInt8], isServerExecuted: Bool = false) {
        self.id = id
        self.name = name
        self.arguments = arguments
        self.isServerExecuted = isServerExecuted
    }

    /// Appends `tool_call_id`, `name`, `arguments` and, where it is true, `server_executed`.
    public func append(to object: inout JSONObjectBuilder) {
        object.add("tool_call_id", self.id)
        object.add("name", self.name)
        object.add("arguments", raw: self.arguments)
        if self.isServerExecuted { object.add("server_executed", true) }
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
        self.isServerExecuted = try object.optional("server_executed")?.expectBool("server_executed") ?? false
    }

    /// Reads a message's part. llm may have written a call without an id.
    init(part value: JSONValue) throws(MessageError) {
        guard let name = value["name"]?.string, let arguments = value["arguments"], arguments.members != nil else {
            throw .invalidValue("messages", "a part of type tool_call needs a 'name' and an object 'arguments'")
        }
        self.init(
            id: value["tool_call_id"]?.string ?? "", name: name, arguments: arguments.serialized(),
            isServerExecuted: value["server_executed"]?.bool ?? false)
    }

    /// The members of a message's part, in llm's order.
    var partMembers: [JSONValue.Member] {
        let arguments = (try? JSONValue(parsing: self.arguments, bounds: .lenient)) ?? .object([])
        var members: [JSONValue.Member] = [.init("name", .string(self.name)), .init("arguments", arguments)]
        if !self.id.isEmpty { members.append(.init("tool_call_id", .string(self.id))) }
        if self.isServerExecuted { members.append(.init("server_executed", .bool(true))) }
        return members
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
