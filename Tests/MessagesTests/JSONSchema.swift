import JSON

/// As much of JSON Schema (2020-12) as the schemas of proto/ use. A keyword that is not known is a problem, not a pass.
struct JSONSchema {
    let root: JSONValue

    /// What is wrong with `value` under the definition `name`; empty when nothing is.
    func problems(of value: JSONValue, as name: String) -> [String] {
        var problems: [String] = []
        self.check(value, .object([.init("$ref", .string("#/$defs/\(name)"))]), at: name, &problems)
        return problems
    }

    /// The schema that `$ref` names, or the schema itself.
    func resolve(_ schema: JSONValue) -> JSONValue {
        guard let reference = schema["$ref"]?.string else { return schema }
        return self.root["$defs"]?[String(reference.dropFirst("#/$defs/".count))] ?? .null
    }

    private func check(_ value: JSONValue, _ schema: JSONValue, at path: String, _ problems: inout [String]) {
        guard case .object(let keywords) = schema else { return problems.append("\(path): no schema") }
        for keyword in keywords {
            switch keyword.name {
            case "description", "required", "additionalProperties": break
            case "$ref": self.check(value, self.resolve(schema), at: path, &problems)
            case "type":
                let names = keyword.value.array?.compactMap(\.string) ?? [keyword.value.string].compactMap { $0 }
                if !names.contains(where: { value.isOfType($0) }) { problems.append("\(path): is not \(names)") }
            case "const":
                if value != keyword.value { problems.append("\(path): is not \(keyword.value.text())") }
            case "enum":
                if keyword.value.array?.contains(value) != true {
                    problems.append("\(path): is none of \(keyword.value.text())")
                }
            case "anyOf":
                let isValid = keyword.value.array!.contains { choice in
                    var inner: [String] = []
                    self.check(value, choice, at: path, &inner)
                    return inner.isEmpty
                }
                if !isValid { problems.append("\(path): fits no choice") }
            case "properties": self.checkMembers(value, schema, at: path, &problems)
            case "items":
                for (index, element) in (value.array ?? []).enumerated() {
                    self.check(element, keyword.value, at: "\(path)[\(index)]", &problems)
                }
            case "minimum", "maximum":
                guard let number = value.integer, let bound = keyword.value.integer else { break }
                let isValid = keyword.name == "minimum" ? number >= bound : number <= bound
                if !isValid { problems.append("\(path): \(number) is beyond \(bound)") }
            case "minItems", "maxItems":
                guard let count = value.array?.count, let bound = keyword.value.integer else { break }
                let isValid = keyword.name == "minItems" ? count >= bound : count <= bound
                if !isValid { problems.append("\(path): \(count) elements are beyond \(bound)") }
            case "minLength", "maxLength":
                guard let count = value.string?.unicodeScalars.count, let bound = keyword.value.integer else { break }
                let isValid = keyword.name == "minLength" ? count >= bound : count <= bound
                if !isValid { problems.append("\(path): \(count) characters are beyond \(bound)") }
            default: problems.append("\(path): the keyword \(keyword.name) is not known")
            }
        }
    }

    private func checkMembers(_ value: JSONValue, _ schema: JSONValue, at path: String, _ problems: inout [String]) {
        guard let members = value.members, let properties = schema["properties"]?.members else { return }
        for name in schema["required"]?.array?.compactMap(\.string) ?? [] where value[name] == nil {
            problems.append("\(path): \(name) is missing")
        }
        for member in members {
            if let property = properties.first(where: { $0.name == member.name }) {
                self.check(member.value, property.value, at: "\(path).\(member.name)", &problems)
            } else if schema["additionalProperties"]?.bool == false {
                problems.append("\(path): \(member.name) is not allowed")
            }
        }
    }
}

extension JSONValue {
    /// Whether the value is of a type as JSON Schema names them.
    fileprivate func isOfType(_ name: String) -> Bool {
        switch self {
        case .null: name == "null"
        case .bool: name == "boolean"
        case .number: name == "number" || name == "integer" && self.integer != nil
        case .string: name == "string"
        case .array: name == "array"
        case .object: name == "object"
        }
    }

    /// The value with the members of each object in the order of their names: two texts of one meaning are equal then.
    var sorted: JSONValue {
        switch self {
        case .array(let elements): .array(elements.map(\.sorted))
        case .object(let members):
            .object(members.map { Member($0.name, $0.value.sorted) }.sorted { $0.name < $1.name })
        case .null, .bool, .number, .string: self
        }
    }
}
