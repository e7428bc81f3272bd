public import JSON

/// llm's short form of a JSON Schema: `name, age int: in years`, or a field a line.
///
/// A field has a name, perhaps a type (`str`, `int`, `float`, `bool`; without one it is a text) and after a colon perhaps a
/// description. All fields are required (llm's utils.py, `schema_dsl`).
public enum SchemaText {
    public struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
        public let description: String
    }

    private static let types = ["int": "integer", "float": "number", "bool": "boolean", "str": "string"]

    /// The JSON Schema that `text` means: the text itself where it is a JSON object.
    ///
    /// - Throws: llm's own words for what is wrong.
    public static func schema(_ text: String) throws(Fault) -> JSONValue {
        if text.first(where: { !$0.isWhitespace }) == "{" {
            guard let value = try? JSONValue(parsing: text), value.members != nil else {
                throw Fault(description: "the schema begins like a JSON object and is none")
            }
            return value
        }
        var properties: [JSONValue.Member] = []
        let fields = text.split(whereSeparator: { text.contains("\n") ? $0 == "\n" : $0 == "," })
        for field in fields.map({ String($0).trimmed }) where !field.isEmpty {
            properties.append(try Self.property(field, after: properties))
        }
        return .object([
            .init("type", .string("object")),
            .init("properties", .object(properties)),
            .init("required", .array(properties.map { .string($0.name) })),
        ])
    }

    private static func property(_ field: String, after others: [JSONValue.Member]) throws(Fault) -> JSONValue.Member {
        let colon = field.firstIndex(of: ":")
        let words = field[..<(colon ?? field.endIndex)].split(whereSeparator: \.isWhitespace)
        guard let name = words.first.map(String.init) else {
            throw Fault(description: "Invalid schema DSL: field '\(field)' is missing a name before ':'")
        }
        var type = "string"
        if words.count > 1 {
            guard let known = Self.types[String(words[1])] else {
                throw Fault(description: "Invalid schema DSL: unknown type '\(words[1])' for field '\(name)'")
            }
            type = known
        }
        guard !others.contains(where: { $0.name == name }) else {
            throw Fault(description: "Invalid schema DSL: duplicate field name '\(name)'")
        }
        var members: [JSONValue.Member] = [.init("type", .string(type))]
        let description = colon.map { String(field[field.index(after: $0)...]).trimmed } ?? ""
        if !description.isEmpty { members.append(.init("description", .string(description))) }
        return JSONValue.Member(name, .object(members))
    }
}

extension String {
    fileprivate var trimmed: String {
        let end = self.lastIndex { !$0.isWhitespace }.map { self.index(after: $0) } ?? self.startIndex
        return String(self[(self.firstIndex { !$0.isWhitespace } ?? end)..<end])
    }
}
