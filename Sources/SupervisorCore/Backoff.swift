/// When a process that keeps dying may be started again.
///
/// The delay doubles with each death in a row and is cut by up to a half at random, so that providers that died together do
/// not come back together. Too many deaths within a window park the process for a while.
public struct Backoff: Sendable {
    public struct Bounds: Sendable {
        public var minimum = Duration.milliseconds(100)
        public var maximum = Duration.seconds(30)
        /// A process that lived this long starts the count anew.
        public var healthyAfter = Duration.seconds(60)
        /// This many deaths within ``parkWindow`` park the process.
        public var parkDeaths = 5
        public var parkWindow = Duration.seconds(60)
        public var parkDuration = Duration.seconds(30)
    }

    enum Verdict: Equatable {
        case retry(at: Instant)
        case park(until: Instant)
    }

    private let bounds: Bounds
    private var inARow = 0
    private var recentDeaths: [Instant] = []

    init(bounds: Bounds) { self.bounds = bounds }

    /// Notes a death and says when to start again.
    ///
    /// - Parameter isHopeless: Another try would end the same way; the process is parked at once.
    mutating func processDied(
        startedAt: Instant, isHopeless: Bool = false, at now: Instant, using random: inout some RandomNumberGenerator
    ) -> Verdict {
        if startedAt + self.bounds.healthyAfter <= now { self.inARow = 0 }
        self.inARow += 1
        self.recentDeaths.removeAll { $0 + self.bounds.parkWindow <= now }
        self.recentDeaths.append(now)
        if isHopeless || self.recentDeaths.count >= self.bounds.parkDeaths {
            self.recentDeaths.removeAll()
            self.inARow = 0
            return .park(until: now + self.bounds.parkDuration)
        }
        let full = min(self.bounds.minimum * (1 << min(self.inARow - 1, 16)), self.bounds.maximum)
        let permille = Int.random(in: 500...1000, using: &random)
        return .retry(at: now + full * permille / 1000)
    }
}
