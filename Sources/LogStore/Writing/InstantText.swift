/// Writes instants as Python's `datetime` does, in UTC.
enum InstantText {
    /// `datetime.isoformat()`, with which llm dates a turn: `2026-03-01T12:00:00.125000+00:00`, without a fraction that
    /// is nought.
    static func turn(milliseconds: Int) -> String { Self.text(milliseconds, separator: "T") }

    /// `str(datetime)`, with which it dates a thread: a space in the place of the T.
    static func thread(milliseconds: Int) -> String { Self.text(milliseconds, separator: " ") }

    private static func text(_ milliseconds: Int, separator: Unicode.Scalar) -> String {
        let (days, rest) = Self.floorDivide(milliseconds, 86_400_000)
        let (year, month, day) = Self.date(daysSince1970: days)
        let (seconds, fraction) = (rest / 1_000, rest % 1_000)
        var text: [UInt8] = []
        text.reserveCapacity(32)
        Self.append(year, digits: 4, "-", to: &text)
        Self.append(month, digits: 2, "-", to: &text)
        Self.append(day, digits: 2, separator, to: &text)
        Self.append(seconds / 3_600, digits: 2, ":", to: &text)
        Self.append(seconds / 60 % 60, digits: 2, ":", to: &text)
        Self.append(seconds % 60, digits: 2, fraction == 0 ? "+" : ".", to: &text)
        if fraction != 0 { Self.append(fraction * 1_000, digits: 6, "+", to: &text) }
        text.append(contentsOf: "00:00".utf8)
        return String(decoding: text, as: UTF8.self)
    }

    private static func append(_ number: Int, digits: Int, _ separator: Unicode.Scalar, to text: inout [UInt8]) {
        var power = 1
        for _ in 1..<digits { power *= 10 }
        while power > 0 {
            text.append(UInt8(ascii: "0") + UInt8(number / power % 10))
            power /= 10
        }
        text.append(UInt8(ascii: separator))
    }

    /// The Gregorian date: years begin in March here, so that the leap day is a year's last (Howard Hinnant,
    /// "chrono-Compatible Low-Level Date Algorithms", civil_from_days).
    private static func date(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
        let (era, dayOfEra) = Self.floorDivide(days + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    private static func floorDivide(_ value: Int, _ divisor: Int) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
