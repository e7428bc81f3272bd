public import JSON

/// An option of a model: its name, and what it may be.
public struct ModelOption: Sendable, Equatable {
    /// What the value of an option is in JSON.
    public enum Kind: String, Sendable, CaseIterable {
        case string, integer, number, boolean, array, object
        /// A string out of a list.
        case `enum`
    }

    public var name: String
    /// One of these.
    public var kinds: [Kind]
    /// The least and the greatest value of an integer or a number.
    public var minimum: Double?
    public var maximum: Double?
    /// What an ``Kind/enum`` may be.
    public var values: [String]

    public init(
        _ name: String, _ kinds: [Kind], minimum: Double? = nil, maximum: Double? = nil, values: [String] = []
    ) {
        self.name = name
        self.kinds = kinds
        self.minimum = minimum
        self.maximum = maximum
        self.values = values
    }

    /// Why `value` cannot be this option's; `nil` where it can. Null is an option that is not set.
    ///
    /// A clause that follows the option's name: "must be a number from 0 to 2".
    public func refusal(of value: JSONValue) -> String? {
        if value.isNull || self.kinds.contains(where: { self.accepts(value, as: $0) }) { return nil }
        return "must be \(self.form)"
    }

    private func accepts(_ value: JSONValue, as kind: Kind) -> Bool {
        switch kind {
        case .string: return value.string != nil
        case .enum: return value.string.map(self.values.contains) ?? false
        case .boolean: return value.bool != nil
        case .array: return value.array != nil
        case .object: return value.members != nil
        case .integer: return value.integer.map { self.isInRange(Double($0)) } ?? false
        case .number:
            guard case .number(let text) = value, let number = Double(text), number.isFinite else { return false }
            return self.isInRange(number)
        }
    }

    private func isInRange(_ number: Double) -> Bool {
        self.minimum.map { $0 <= number } ?? true && self.maximum.map { number <= $0 } ?? true
    }

    /// What it may be, for people: "a number from 0 to 2", "one of low, high".
    public var form: String { self.kinds.map(self.form).joined(separator: " or ") }

    private func form(_ kind: Kind) -> String {
        switch kind {
        case .string: "a string"
        case .integer: "an integer\(self.range)"
        case .number: "a number\(self.range)"
        case .boolean: "true or false"
        case .array: "an array"
        case .object: "an object"
        case .enum: "one of \(self.values.joined(separator: ", "))"
        }
    }

    private var range: String {
        switch (self.minimum, self.maximum) {
        case (let least?, let most?): " from \(Self.text(least)) to \(Self.text(most))"
        case (let least?, nil): " from \(Self.text(least)) on"
        case (nil, let most?): " up to \(Self.text(most))"
        case (nil, nil): ""
        }
    }

    private static func text(_ number: Double) -> String { Int(exactly: number).map(String.init) ?? "\(number)" }

    // MARK: JSON

    /// `{"type":"number","minimum":0,"maximum":2}`: the member of that name.
    public var value: JSONValue {
        let kinds = self.kinds.map { JSONValue.string($0.rawValue) }
        var members = [JSONValue.Member("type", kinds.count == 1 ? kinds[0] : .array(kinds))]
        if let minimum = self.minimum { members.append(.init("minimum", .number(Self.text(minimum)))) }
        if let maximum = self.maximum { members.append(.init("maximum", .number(Self.text(maximum)))) }
        if !self.values.isEmpty { members.append(.init("values", .array(self.values.map(JSONValue.string)))) }
        return .object(members)
    }

    init(decoding member: JSONValue.Member) throws(MessageError) {
        let type = member.value["type"]
        let names = type?.array?.compactMap(\.string) ?? [type?.string].compactMap { $0 }
        let kinds = names.compactMap(Kind.init)
        guard !kinds.isEmpty, kinds.count == names.count else {
            throw .invalidValue("options", "'\(member.name)' has no type that is known")
        }
        self.init(
            member.name, kinds, minimum: Self.bound("minimum", of: member.value),
            maximum: Self.bound("maximum", of: member.value),
            values: member.value["values"]?.array?.compactMap(\.string) ?? [])
    }

    private static func bound(_ name: String, of value: JSONValue) -> Double? {
        guard case .number(let text)? = value[name] else { return nil }
        return Double(text)
    }
}
