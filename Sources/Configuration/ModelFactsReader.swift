import Messages

/// Reads what a file says of a model: what it can do, how much it takes, its options.
enum ModelFactsReader {
    static func read(_ fields: YAMLMapping) -> ModelFacts {
        var facts = ModelFacts()
        for ability in ModelFacts.Ability.allCases {
            if let value = fields[ability.rawValue]?.bool() { facts.abilities[ability] = value }
        }
        facts.attachments = fields["attachments"].flatMap(Self.readTypes)
        facts.context = fields["context"]?.integer(in: 1...Int(Int32.max))
        facts.maximumOutput = fields["max_output"]?.integer(in: 1...Int(Int32.max))
        facts.options = fields["options"].flatMap(Self.readOptions)
        facts.checksOptions = fields["checks_options"]?.bool()
        return facts
    }

    private static func readTypes(_ field: YAMLValue) -> [String]? {
        field.list(of: "media types", maximumCount: ConfigurationBounds.attachmentsPerModel)?.compactMap { value in
            guard let type = value.string("a media type, such as image/png") else { return nil }
            let parts = type.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }), type.utf8.count <= 128,
                type.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: "\"") })
            else {
                value.refuse("\(SafeQuotation.quote(type)) is no media type: write one such as image/png")
                return nil
            }
            return type.lowercased()
        }
    }

    private static func readOptions(_ field: YAMLValue) -> [ModelOption]? {
        guard let entries = field.namedEntries(expected: "a mapping such as {temperature: number}") else { return nil }
        guard entries.count <= ConfigurationBounds.optionsPerModel else {
            field.refuse("has \(entries.count) options; at most \(ConfigurationBounds.optionsPerModel) are possible")
            return nil
        }
        return entries.compactMap { entry in
            guard (1...64).contains(entry.name.utf8.count), entry.name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
            else {
                entry.value.refuse("an option's name has 1 to 64 bytes and no spaces")
                return nil
            }
            return Self.readOption(entry)
        }
    }

    private static let needsValues = "an option of type enum needs its 'values'"
    private static let kinds = ModelOption.Kind.allCases.map(\.rawValue)

    /// `temperature: number`, or `temperature: {type: number, minimum: 0, maximum: 2}`.
    private static func readOption(_ entry: YAMLMapping.Entry) -> ModelOption? {
        guard case .mapping = entry.value.kind else {
            guard let kind = Self.readKind(entry.value) else { return nil }
            if kind == .enum { entry.value.refuse(Self.needsValues) }
            return ModelOption(entry.name, [kind])
        }
        guard let fields = entry.value.mapping(SupportedFields.option) else { return nil }
        let values = fields["values"]?.list(of: "strings", maximumCount: ConfigurationBounds.valuesPerOption)?
            .compactMap { $0.string() }
        let minimum = fields["minimum"].flatMap { $0.number() }
        let maximum = fields["maximum"].flatMap { $0.number() }
        guard let type = fields["type"] ?? (values == nil ? nil : entry.value) else {
            entry.value.refuse("an option needs a 'type': one of \(Self.kinds.joined(separator: ", "))")
            return nil
        }
        let kind = fields["type"] == nil ? .enum : Self.readKind(type)
        guard let kind else { return nil }
        if kind == .enum, values?.isEmpty ?? true {
            entry.value.refuse(Self.needsValues)
            return nil
        }
        if let minimum, let maximum, minimum > maximum {
            entry.value.refuse("the minimum is greater than the maximum")
            return nil
        }
        return ModelOption(entry.name, [kind], minimum: minimum, maximum: maximum, values: values ?? [])
    }

    private static func readKind(_ value: YAMLValue) -> ModelOption.Kind? {
        value.choice(of: Self.kinds).flatMap(ModelOption.Kind.init)
    }
}
