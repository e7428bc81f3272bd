public import JSON

/// A tool that a model may ask to be called.
public struct ToolDefinition: Sendable, Equatable {
    public var name: String
    public var description: String?
    /// What arguments it takes: a JSON Schema.
    public var inputSchema: JSONValue

    public init(name: String, description: String? = nil, inputSchema: JSONValue = .object([])) {
        self.name = name
        self.description = description
        self.inputSchema = inputSchema
    }

    public init(_ value: JSONValue) throws(MessageError) {
        guard let name = value["name"]?.string, !name.isEmpty, name.utf8.count <= ProtocolBounds.nameLength else {
            throw .invalidValue("tools", "a tool needs a 'name' of 1 to \(ProtocolBounds.nameLength) bytes")
        }
        let schema = value["input_schema"] ?? .object([])
        guard schema.members != nil else {
            throw .invalidValue("tools", "the 'input_schema' of tool '\(name)' must be an object")
        }
        self.init(name: name, description: value["description"]?.string, inputSchema: schema)
    }

    /// Reads a JSON array of tools, no two of one name.
    public static func list(_ value: JSONValue) throws(MessageError) -> [ToolDefinition] {
        guard let elements = value.array else { throw .wrongType("tools", expected: "an array of objects") }
        let tools = try elements.map { element throws(MessageError) in try ToolDefinition(element) }
        var names: Set<String> = []
        for tool in tools where !names.insert(tool.name).inserted {
            throw .invalidValue("tools", "two tools are called '\(tool.name)'")
        }
        return tools
    }

    public var value: JSONValue {
        var members: [JSONValue.Member] = [.init("name", .string(self.name))]
        if let description = self.description { members.append(.init("description", .string(description))) }
        members.append(.init("input_schema", self.inputSchema))
        return .object(members)
    }
}
