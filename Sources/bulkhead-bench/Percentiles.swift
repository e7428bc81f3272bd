/// The distribution of recorded samples, exact: the sample of that rank, nothing interpolated.
struct Percentiles: Sendable, Equatable {
    /// In nanoseconds.
    let p50: UInt64
    let p99: UInt64
    let p999: UInt64
    let maximum: UInt64

    /// - Returns: `nil` without samples.
    init?(_ samples: [UInt64]) {
        guard !samples.isEmpty else { return nil }
        let sorted = samples.sorted()
        self.p50 = Self.sample(500, of: sorted)
        self.p99 = Self.sample(990, of: sorted)
        self.p999 = Self.sample(999, of: sorted)
        self.maximum = sorted[sorted.count - 1]
    }

    /// The smallest sample that at least so many thousandths of all do not exceed.
    private static func sample(_ thousandths: Int, of sorted: [UInt64]) -> UInt64 {
        sorted[(sorted.count * thousandths + 999) / 1_000 - 1]
    }
}
