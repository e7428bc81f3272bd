import ArgumentParser

/// A duration with its unit: `250ms 5s 10m 24h`.
struct DurationArgument {
    /// From 1 to a day's worth, the most that the protocol allows.
    var milliseconds: Int

    private static let day = 86_400_000

    init(argument: String) throws {
        let digits = argument.prefix { $0.isASCII && $0.isNumber }
        let factors = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": Self.day]
        guard let count = Int(digits), let factor = factors[String(argument.dropFirst(digits.count))],
            (1...Self.day / factor).contains(count)
        else {
            throw ValidationError("'\(argument)' is no duration from 1ms to 24h; write for instance 500ms, 30s or 10m")
        }
        self.milliseconds = count * factor
    }
}
