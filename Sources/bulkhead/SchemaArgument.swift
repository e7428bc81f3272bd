import BulkheadClient

/// `--schema` and `--schema-multi`: what the answer must look like, as JSON, in llm's short form, or in a file.
enum SchemaArgument {
    /// The JSON Schema that `argument` means.
    static func schema(_ argument: String) throws(InputError) -> JSONValue {
        let file = InputFile(path: argument)
        if argument.first(where: { !$0.isWhitespace }) != "{" {
            if file.isStandardInput || file.exists {
                return try Self.parse(try file.readText(bound: BulkheadClient.requestBound), of: file.name)
            }
            guard argument.contains(where: { $0.isWhitespace || $0 == "," }) else {
                throw InputError(
                    "'\(argument)' is no schema: give a JSON Schema, fields such as 'name, age int: in years', or a file"
                )
            }
        }
        return try Self.parse(argument, of: "--schema")
    }

    /// The schema of an object that lists any number of what `schema` describes, as llm makes it.
    static func multiple(_ schema: JSONValue) -> JSONValue {
        let items = JSONValue.object([.init("type", .string("array")), .init("items", schema)])
        return .object([
            .init("type", .string("object")), .init("properties", .object([.init("items", items)])),
            .init("required", .array([.string("items")])),
        ])
    }

    private static func parse(_ text: String, of source: String) throws(InputError) -> JSONValue {
        let schema: JSONValue
        do { schema = try SchemaText.schema(text) } catch { throw InputError("\(source): \(error)") }
        if let properties = schema["properties"]?.members, properties.isEmpty, !text.contains("{") {
            throw InputError("\(source): there are no fields in it")
        }
        return schema
    }
}
