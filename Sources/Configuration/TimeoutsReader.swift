import Messages

/// Reads the field `timeouts` of a provider.
struct TimeoutsReader {
    /// In milliseconds.
    var connect = 10_000
    var timeouts = ProviderSettings.Timeouts()

    static func read(_ field: YAMLValue) -> TimeoutsReader {
        var result = TimeoutsReader()
        guard let fields = field.mapping(SupportedFields.timeouts, expected: "a mapping such as {total: 600s}") else {
            return result
        }
        func read(_ name: String, into value: inout Int) {
            value = fields[name]?.duration(in: 1...ConfigurationBounds.timeoutMilliseconds) ?? value
        }
        read("connect", into: &result.connect)
        read("first_output", into: &result.timeouts.firstOutput)
        read("idle", into: &result.timeouts.idle)
        read("total", into: &result.timeouts.total)
        read("cancel", into: &result.timeouts.cancel)
        return result
    }
}
