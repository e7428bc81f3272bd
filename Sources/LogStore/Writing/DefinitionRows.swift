internal import GRDB
import JSON
import Messages

/// The rows of `schemas`, `tools` and `turn_tools`: what an answer had to look like, and what its model could ask for.
struct DefinitionRows {
    private let schemaInsertion: PreparedStatement
    private let toolInsertion: PreparedStatement
    private let toolLookup: PreparedStatement
    private let linking: PreparedStatement

    init(_ db: Database) throws {
        self.schemaInsertion = try PreparedStatement(
            "INSERT INTO schemas (id, content) VALUES (?, ?) ON CONFLICT (id) DO NOTHING", in: db)
        self.toolInsertion = try PreparedStatement(
            """
            INSERT INTO tools (hash, name, description, input_schema) VALUES (?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING
            """, in: db)
        self.toolLookup = try PreparedStatement("SELECT id FROM tools WHERE hash = ?", in: db)
        self.linking = try PreparedStatement(
            """
            INSERT INTO turn_tools (turn_id, tool_id) SELECT ?, value FROM json_each(?) WHERE true
            ON CONFLICT (turn_id, tool_id) DO NOTHING
            """, in: db)
    }

    /// Stores the schema unless it is there, and returns its id.
    func insert(schema: JSONValue) throws -> String {
        let identity = ContentIdentity.schema(PythonObject.readable(schema))
        try self.schemaInsertion.bind(identity.id, at: 1)
        try self.schemaInsertion.bind(identity.content, at: 2)
        try self.schemaInsertion.run()
        return identity.id
    }

    /// Stores the tools that are not there, and returns the ids of all, as a JSON array.
    func insert(_ tools: [ToolDefinition]) throws -> String {
        let ids = try tools.map { tool in
            let schema = PythonObject.readable(tool.inputSchema)
            let hash = ContentIdentity.tool(name: tool.name, description: tool.description, inputSchema: schema)
            try self.toolInsertion.bind(hash, at: 1)
            try self.toolInsertion.bind(tool.name, at: 2)
            try self.toolInsertion.bind(tool.description, at: 3)
            try self.toolInsertion.bind(PythonJSON.text(schema, .plain), at: 4)
            try self.toolInsertion.run()
            try self.toolLookup.bind(hash, at: 1)
            defer { self.toolLookup.reset() }
            _ = try self.toolLookup.step()
            return JSONValue.integer(self.toolLookup.integer(0))
        }
        return JSONValue.array(ids).text()
    }

    /// Notes that the turn had the tools.
    ///
    /// - Parameter tools: What ``insert(_:)`` has returned.
    func link(turn: String, tools: String) throws {
        try self.linking.bind(turn, at: 1)
        try self.linking.bind(tools, at: 2)
        try self.linking.run()
    }
}
