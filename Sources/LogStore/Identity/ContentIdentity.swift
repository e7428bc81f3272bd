import JSON

/// The names that llm gives to what several messages may share.
enum ContentIdentity {
    /// A schema's id, and its text as llm stores it.
    static func schema(_ schema: JSONValue) -> (id: String, content: String) {
        let content = PythonJSON.bytes(schema, .compact)
        return (Digest.blake2b16(content), String(decoding: content, as: UTF8.self))
    }

    /// A tool's hash, over its name, description and input schema, and its plugin if it has one.
    static func tool(name: String, description: String?, inputSchema: JSONValue, plugin: String? = nil) -> String {
        var members = [
            JSONValue.Member("name", .string(name)),
            JSONValue.Member("description", description.map(JSONValue.string) ?? .null),
            JSONValue.Member("input_schema", inputSchema),
        ]
        if let plugin, !plugin.isEmpty { members.append(JSONValue.Member("plugin", .string(plugin))) }
        return Digest.sha256(PythonJSON.bytes(.object(members), .plain))
    }

    /// A fragment's hash.
    static func fragment(_ content: String) -> String { Digest.sha256(Array(content.utf8)) }

    /// The id of an attachment that came with its bytes.
    static func attachment(content: [UInt8]) -> String { Digest.sha256(content) }

    /// The id of an attachment that came as an address, or as nothing: what lies there may change, its name does not.
    static func attachment(url: String?) -> String {
        let url = url.map(JSONValue.string) ?? .null
        return Digest.sha256(PythonJSON.bytes(.object([JSONValue.Member("url", url)]), .plain))
    }
}
