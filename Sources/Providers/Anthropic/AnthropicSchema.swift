import JSON

/// JSON Schemas as structured outputs take them.
///
/// The API refuses objects that allow members without names, and some keywords. Objects are closed here, `oneOf` becomes
/// `anyOf`, and what cannot be sent as a rule is put into the description, where the model still reads it; the answer is
/// held against the schema as it was asked for.
enum AnthropicSchema {
    /// The keywords that pass as they are.
    private static let passed: Set<String> = [
        "type", "title", "description", "enum", "const", "default", "required", "$ref", "$schema", "$id", "$comment",
    ]
    private static let formats: Set<String> = [
        "date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid",
    ]

    static func accepted(_ schema: JSONValue) -> JSONValue {
        guard let members = schema.members else { return schema }
        var accepted: [JSONValue.Member] = []
        var rest: [JSONValue.Member] = []
        for member in members {
            if let kept = Self.accepted(member) { accepted.append(kept) } else { rest.append(member) }
        }
        if schema["type"]?.string == "object" || schema["properties"] != nil {
            rest.removeAll { $0.name == "additionalProperties" && $0.value == .bool(false) }
            accepted.append(.init("additionalProperties", .bool(false)))
        }
        guard !rest.isEmpty else { return .object(accepted) }
        let note = "{" + rest.map { "\($0.name): \($0.value.text())" }.joined(separator: ", ") + "}"
        if let place = accepted.firstIndex(where: { $0.name == "description" }) {
            accepted[place].value = .string("\(accepted[place].value.string ?? "")\n\n\(note)")
        } else {
            accepted.append(.init("description", .string(note)))
        }
        return .object(accepted)
    }

    /// The member as it may be sent; `nil` where it may not.
    private static func accepted(_ member: JSONValue.Member) -> JSONValue.Member? {
        switch member.name {
        case "properties", "$defs", "definitions":
            guard let members = member.value.members else { return nil }
            return .init(member.name, .object(members.map { .init($0.name, Self.accepted($0.value)) }))
        case "items": return .init(member.name, Self.accepted(member.value))
        case "anyOf", "oneOf", "allOf":
            guard let elements = member.value.array else { return nil }
            let name = member.name == "allOf" ? "allOf" : "anyOf"
            return .init(name, .array(elements.map(Self.accepted)))
        case "format": return Self.formats.contains(member.value.string ?? "") ? member : nil
        case "minItems": return [0, 1].contains(member.value.integer) ? member : nil
        default: return Self.passed.contains(member.name) ? member : nil
        }
    }
}
