/// A duration as bulkhead.yaml writes it: an integer and a unit, `250ms 5s 10m 24h 30d`.
enum DurationText {
    /// Longest unit first, since `ms` ends in `s`.
    private static let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)]

    static let example = "an integer and a unit, such as 250ms, 5s, 10m, 24h or 30d"

    /// The duration in milliseconds, or `nil` where `text` is none or does not fit.
    static func milliseconds(_ text: String) -> Int? {
        guard let (unit, factor) = Self.units.first(where: { text.hasSuffix($0.0) }) else { return nil }
        let digits = text.dropLast(unit.count)
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int(digits) else {
            return nil
        }
        let (product, overflow) = count.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }

    /// `milliseconds` in the largest unit that divides it.
    static func text(milliseconds: Int) -> String {
        let (unit, factor) = Self.units.last { milliseconds % $0.1 == 0 } ?? ("ms", 1)
        return milliseconds == 0 ? "0s" : "\(milliseconds / factor)\(unit)"
    }
}
