/// A point on the monotonic clock. The core never reads a clock: time arrives with each event.
public struct Instant: Comparable, Hashable, Sendable {
    public var nanoseconds: UInt64

    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    public static func < (lhs: Self, rhs: Self) -> Bool { lhs.nanoseconds < rhs.nanoseconds }

    public static func + (lhs: Self, rhs: Duration) -> Self {
        let (seconds, attoseconds) = rhs.components
        return Self(
            nanoseconds: lhs.nanoseconds + UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds) / 1_000_000_000)
    }

    /// The time from this instant to `later`; zero where it has passed.
    func duration(to later: Instant) -> Duration {
        self < later ? .nanoseconds(Int64(later.nanoseconds - self.nanoseconds)) : .zero
    }

    /// Whole milliseconds from `earlier` to this instant; 0 where `earlier` is the later one.
    public func milliseconds(since earlier: Instant) -> Int {
        self <= earlier ? 0 : Int((self.nanoseconds - earlier.nanoseconds) / 1_000_000)
    }
}

/// When an event happened, on both clocks.
public struct Now: Sendable, Equatable {
    /// For deadlines.
    public var instant: Instant
    /// For records and ids: milliseconds since 1970, UTC. It may step.
    public var wallMilliseconds: Int

    public init(instant: Instant, wallMilliseconds: Int) {
        self.instant = instant
        self.wallMilliseconds = wallMilliseconds
    }
}
