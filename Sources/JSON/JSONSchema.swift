/// A JSON Schema (2020-12), as far as models are held to one: types, constants, members, elements, bounds, choices and references
/// within the schema.
///
/// What it says beyond that (`format`, `pattern`, conditions) is not checked, and whatever is in doubt fits.
public struct JSONSchema: Sendable {
    private let root: JSONValue

    public init(_ root: JSONValue) { self.root = root }

    /// The first thing by which `value` does not fit: where, and what; `nil` if it fits.
    public func problem(of value: JSONValue) -> String? {
        var check = SchemaCheck(root: self.root)
        return check.problem(of: value, self.root, at: "$", depth: 0)
    }
}

/// One value, held against a schema.
private struct SchemaCheck {
    let root: JSONValue
    /// How many more keywords are looked at: choices of choices would take for ever. What comes after them fits.
    var steps = 200_000

    /// References that follow each other without an end stop here.
    private static let depthBound = 128
    private static let types: Set<String> = ["null", "boolean", "number", "integer", "string", "array", "object"]

    init(root: JSONValue) { self.root = root }

    mutating func problem(of value: JSONValue, _ schema: JSONValue, at path: String, depth: Int) -> String? {
        guard depth < Self.depthBound else { return nil }
        if schema == .bool(false) { return "\(path) is not allowed" }
        for keyword in schema.members ?? [] {
            self.steps -= 1
            guard self.steps > 0 else { return nil }
            if let problem = self.problem(of: value, keyword, schema, at: path, depth: depth) { return problem }
        }
        return nil
    }

    private mutating func problem(
        of value: JSONValue, _ keyword: JSONValue.Member, _ schema: JSONValue, at path: String, depth: Int
    ) -> String? {
        switch keyword.name {
        case "$ref":
            guard let referred = self.referred(by: keyword.value) else { return nil }
            return self.problem(of: value, referred, at: path, depth: depth + 1)
        case "type":
            let names = (keyword.value.array?.compactMap(\.string) ?? [keyword.value.string].compactMap { $0 })
                .map { $0.lowercased() }
            guard !names.isEmpty, Self.types.isSuperset(of: names), !Self.mayBeNull(value, schema),
                !names.contains(where: { value.isOf(type: $0) })
            else { return nil }
            return "\(path) is not of type \(names.joined(separator: " or "))"
        case "const": return value.means(keyword.value) ? nil : "\(path) is not \(Self.short(keyword.value))"
        case "enum":
            let isOne = keyword.value.array?.contains { value.means($0) } ?? true
            return isOne || Self.mayBeNull(value, schema) ? nil : "\(path) is none of \(Self.short(keyword.value))"
        case "allOf":
            for choice in keyword.value.array ?? [] {
                if let problem = self.problem(of: value, choice, at: path, depth: depth + 1) { return problem }
            }
            return nil
        case "anyOf", "oneOf":
            // Two choices may differ by what is not checked: of several that fit one is meant.
            let choices = keyword.value.array ?? []
            for choice in choices where self.problem(of: value, choice, at: path, depth: depth + 1) == nil {
                return nil
            }
            return choices.isEmpty ? nil : "\(path) fits none of its choices"
        case "properties", "required", "additionalProperties":
            return self.memberProblem(of: value, keyword, schema, at: path, depth: depth)
        case "items", "minItems", "maxItems":
            return self.elementProblem(of: value, keyword, schema, at: path, depth: depth)
        case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength":
            return Self.boundProblem(of: value, keyword, at: path)
        default: return nil
        }
    }

    /// OpenAPI's way to say that null is a value too.
    private static func mayBeNull(_ value: JSONValue, _ schema: JSONValue) -> Bool {
        value == .null && schema["nullable"] == .bool(true)
    }

    private mutating func memberProblem(
        of value: JSONValue, _ keyword: JSONValue.Member, _ schema: JSONValue, at path: String, depth: Int
    ) -> String? {
        guard let members = value.members else { return nil }
        switch keyword.name {
        case "required":
            let missing = keyword.value.array?.compactMap(\.string).first { value[$0] == nil }
            return missing.map { "\(path) has no '\($0)'" }
        case "properties":
            for member in members {
                guard let property = keyword.value[member.name] else { continue }
                let place = "\(path).\(member.name)"
                if let problem = self.problem(of: member.value, property, at: place, depth: depth + 1) {
                    return problem
                }
            }
            return nil
        default:
            // Names by pattern are not read: what they allow must not be refused.
            guard schema["patternProperties"] == nil else { return nil }
            for member in members where schema["properties"]?[member.name] == nil {
                if keyword.value == .bool(false) { return "\(path) has '\(member.name)', which is not allowed" }
                let place = "\(path).\(member.name)"
                if let problem = self.problem(of: member.value, keyword.value, at: place, depth: depth + 1) {
                    return problem
                }
            }
            return nil
        }
    }

    private mutating func elementProblem(
        of value: JSONValue, _ keyword: JSONValue.Member, _ schema: JSONValue, at path: String, depth: Int
    ) -> String? {
        guard let elements = value.array else { return nil }
        if let bound = keyword.value.integer {
            let fits = keyword.name == "minItems" ? elements.count >= bound : elements.count <= bound
            return fits ? nil : "\(path) has \(elements.count) elements, \(keyword.name) is \(bound)"
        }
        let first = schema["prefixItems"]?.array?.count ?? 0
        for (index, element) in elements.enumerated().dropFirst(first) {
            let place = "\(path)[\(index)]"
            if let problem = self.problem(of: element, keyword.value, at: place, depth: depth + 1) { return problem }
        }
        return nil
    }

    private static func boundProblem(of value: JSONValue, _ keyword: JSONValue.Member, at path: String) -> String? {
        guard let bound = keyword.value.double else { return nil }
        let size =
            keyword.name.hasSuffix("Length") ? value.string.map { Double($0.unicodeScalars.count) } : value.double
        guard let size else { return nil }
        let fits =
            switch keyword.name {
            case "minimum", "minLength": size >= bound
            case "maximum", "maxLength": size <= bound
            case "exclusiveMinimum": size > bound
            default: size < bound
            }
        return fits ? nil : "\(path) is beyond its \(keyword.name), \(keyword.value.text())"
    }

    /// The schema that a reference within this one names (`#`, `#/$defs/name`); `nil` for any other.
    private func referred(by reference: JSONValue) -> JSONValue? {
        guard let text = reference.string, text.hasPrefix("#") else { return nil }
        var place: JSONValue? = self.root
        for step in text.dropFirst().split(separator: "/") { place = place?[String(step)] }
        return place
    }

    private static func short(_ value: JSONValue) -> String { String(value.text().prefix(80)) }
}

extension JSONValue {
    fileprivate func isOf(type name: String) -> Bool {
        switch self {
        case .null: name == "null"
        case .bool: name == "boolean"
        case .number: name == "number" || name == "integer" && self.double.map { $0 == $0.rounded() } ?? false
        case .string: name == "string"
        case .array: name == "array"
        case .object: name == "object"
        }
    }

    fileprivate var double: Double? {
        if case .number = self { Double(self.text()) } else { nil }
    }

    /// Whether both say the same, however their numbers are written and their members ordered.
    fileprivate func means(_ other: JSONValue) -> Bool {
        switch (self, other) {
        case (.number, .number): self.double == other.double
        case (.array(let one), .array(let two)): one.count == two.count && zip(one, two).allSatisfy { $0.means($1) }
        case (.object(let one), .object):
            one.count == other.members?.count
                && one.allSatisfy { member in other[member.name].map { member.value.means($0) } ?? false }
        default: self == other
        }
    }
}
