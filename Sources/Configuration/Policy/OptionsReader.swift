import JSON
import Messages
import Yams

/// Reads the `options` that a model is asked with: any values, by name.
enum OptionsReader {
    /// - Parameter model: What is known of the model. An option that it does not have is a warning, since each request
    ///   for it would fail.
    /// - Returns: A JSON object; `nil` where there is no option in it.
    static func read(_ field: YAMLValue, of model: ModelDescription?) -> [UInt8]? {
        guard let entries = field.namedEntries(expected: "a mapping such as {temperature: 0}") else { return nil }
        guard entries.count <= ConfigurationBounds.optionsPerModel else {
            field.refuse("has \(entries.count) options; at most \(ConfigurationBounds.optionsPerModel) are possible")
            return nil
        }
        // Aliases of aliases can make much of little.
        var budget = ConfigurationBounds.optionValues
        var members: [JSONValue.Member] = []
        for entry in entries {
            guard let value = Self.value(entry.value, depth: 0, budget: &budget) else { continue }
            if budget < 0 { break }
            // As with a client's: null is an option that is not set.
            if value.isNull { continue }
            members.append(.init(entry.name, value))
            if let model { Self.check(entry, value, of: model) }
        }
        let bytes = JSONValue.object(members).serialized()
        guard budget >= 0, bytes.count <= ConfigurationBounds.optionsLength else {
            field.refuse(
                "holds too much: at most \(ConfigurationBounds.optionValues) values and "
                    + "\(ConfigurationBounds.optionsLength >> 10) KiB are possible")
            return nil
        }
        return members.isEmpty ? nil : bytes
    }

    private static func check(_ entry: YAMLMapping.Entry, _ value: JSONValue, of model: ModelDescription) {
        guard let known = model.facts.options, model.facts.checksOptions != false else { return }
        guard let option = known.first(where: { $0.name == entry.name }) else {
            let nearest = entry.name.nearest(of: known.map(\.name)).map { "; did you mean '\($0)'?" } ?? ""
            entry.value.warn(
                "the model \(SafeQuotation.quote(model.id)) has no option \(SafeQuotation.quote(entry.name))\(nearest)")
            return
        }
        if let refusal = option.refusal(of: value) {
            entry.value.warn("this option of the model \(SafeQuotation.quote(model.id)) \(refusal)")
        }
    }

    /// The value in JSON; `nil`, with a problem reported, for what JSON does not have.
    private static func value(_ field: YAMLValue, depth: Int, budget: inout Int) -> JSONValue? {
        guard depth < ConfigurationBounds.optionDepth else {
            field.refuse("is nested too deep: \(ConfigurationBounds.optionDepth) levels are possible")
            return nil
        }
        budget -= 1
        guard budget >= 0 else { return .null }
        switch field.kind {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .integer(let value?): return .integer(value)
        case .string(let text): return .string(text)
        case .integer(nil), .number: return Self.number(field)
        case .zeroPaddedInteger:
            field.refuse(
                "digits that begin with 0 are read differently by versions of YAML; quote them, or write a number")
            return nil
        case .tagged:
            field.refuse(expected: "a plain value")
            return nil
        case .list:
            guard let elements = field.list(of: "values", maximumCount: ConfigurationBounds.optionValues) else {
                return nil
            }
            var values: [JSONValue] = []
            for element in elements where budget >= 0 {
                guard let value = Self.value(element, depth: depth + 1, budget: &budget) else { return nil }
                values.append(value)
            }
            return .array(values)
        case .mapping:
            var members: [JSONValue.Member] = []
            for entry in field.namedEntries(expected: "a mapping") ?? [] where budget >= 0 {
                guard let value = Self.value(entry.value, depth: depth + 1, budget: &budget) else { return nil }
                members.append(.init(entry.name, value))
            }
            return .object(members)
        }
    }

    /// The digits as they are written, where JSON would write them so too.
    private static func number(_ field: YAMLValue) -> JSONValue? {
        if case .scalar(let scalar) = field.node {
            let text = scalar.string.hasPrefix("+") ? String(scalar.string.dropFirst()) : scalar.string
            if let value = try? JSONValue(parsing: text), case .number = value { return value }
        }
        return field.number().map { .number("\($0)") }
    }
}
