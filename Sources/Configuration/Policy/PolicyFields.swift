/// The fields that say which model may be used for what: at the top of the file, or in the settings of datasette-llm as
/// they stand in a datasette.yaml.
///
///     plugins:
///       datasette-llm: {default_model: …, models: […], blocked_models: […], require_keys: …, purposes: {…}}
struct PolicyFields {
    private let top: YAMLMapping
    private let pasted: YAMLMapping

    static let plugin = "datasette-llm"

    /// - Parameter top: The fields of the file.
    init(_ top: YAMLMapping, collector: ProblemCollector) {
        self.top = top
        var pasted = YAMLMapping()
        for entry in top["plugins"]?.namedEntries(expected: "a mapping of plugins of Datasette") ?? [] {
            if entry.name == Self.plugin {
                pasted = entry.value.mapping(SupportedFields.policy) ?? pasted
            } else {
                collector.warn(
                    "the settings of the plugin \(SafeQuotation.quote(entry.name)) are not Bulkhead's: only those of "
                        + "'\(Self.plugin)' count", at: entry.position)
            }
        }
        self.pasted = pasted
        for entry in pasted.entries {
            guard let other = top.entries.first(where: { $0.name == entry.name }) else { continue }
            collector.refuse(
                "field '\(entry.name)' stands at the top already (line \(other.position.line), column "
                    + "\(other.position.column)): say all of it in one of the two places", at: entry.position)
        }
    }

    /// The field, from where it is written; `nil` where it is absent or has no value.
    subscript(name: String) -> YAMLValue? { self.top[name] ?? self.pasted[name] }
}
