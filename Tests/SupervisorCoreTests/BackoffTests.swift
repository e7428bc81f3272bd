import Testing

@testable import SupervisorCore

@Suite struct BackoffTests {
    private static func bounds(parkDeaths: Int = 100) -> Backoff.Bounds {
        var bounds = Backoff.Bounds()
        bounds.parkDeaths = parkDeaths
        return bounds
    }

    /// The delay after each of `deaths`, which follow one another at once.
    private static func delays(_ backoff: inout Backoff, deaths: Int, from start: Instant) -> [Duration] {
        var random = SeededGenerator(seed: 3)
        var now = start
        return (0..<deaths).map { _ in
            guard case .retry(let at) = backoff.processDied(startedAt: now, at: now, using: &random) else {
                return .zero
            }
            defer { now = at }
            return now.duration(to: at)
        }
    }

    @Test func theDelayDoublesUpToItsBoundAndIsCutByAtMostHalf() {
        var backoff = Backoff(bounds: Self.bounds())
        let delays = Self.delays(&backoff, deaths: 30, from: Instant(nanoseconds: 0))
        for (index, delay) in delays.enumerated() {
            let full = min(Duration.milliseconds(100) * (1 << min(index, 16)), .seconds(30))
            #expect(delay >= full / 2 && delay <= full, "death \(index + 1): \(delay)")
        }
    }

    @Test func aProcessThatLivedLongStartsTheCountAnew() {
        var backoff = Backoff(bounds: Self.bounds())
        _ = Self.delays(&backoff, deaths: 10, from: Instant(nanoseconds: 0))
        var random = SeededGenerator(seed: 3)
        let start = Instant(nanoseconds: 0) + .seconds(500)
        let now = start + .seconds(60)
        guard case .retry(let at) = backoff.processDied(startedAt: start, at: now, using: &random) else {
            Issue.record("parked")
            return
        }
        #expect(now.duration(to: at) <= .milliseconds(100))
    }

    @Test func tooManyDeathsInAWindowParkAndThenTheCountStartsAnew() {
        var backoff = Backoff(bounds: Self.bounds(parkDeaths: 3))
        var random = SeededGenerator(seed: 3)
        let now = Instant(nanoseconds: 0) + .seconds(100)
        for _ in 0..<2 {
            guard case .retry = backoff.processDied(startedAt: now, at: now, using: &random) else {
                Issue.record("parked early")
                return
            }
        }
        #expect(backoff.processDied(startedAt: now, at: now, using: &random) == .park(until: now + .seconds(30)))
        let later = now + .seconds(30)
        guard case .retry(let at) = backoff.processDied(startedAt: later, at: later, using: &random) else {
            Issue.record("parked again at once")
            return
        }
        #expect(later.duration(to: at) <= .milliseconds(100))
    }

    @Test func deathsThatLieFarApartDoNotPark() {
        var backoff = Backoff(bounds: Self.bounds(parkDeaths: 3))
        var random = SeededGenerator(seed: 3)
        for minute in 1...20 {
            let now = Instant(nanoseconds: 0) + .seconds(31 * minute)
            guard case .retry = backoff.processDied(startedAt: now, at: now, using: &random) else {
                Issue.record("parked at \(now)")
                return
            }
        }
    }

    @Test func whatIsHopelessIsParkedAtOnce() {
        var backoff = Backoff(bounds: Self.bounds())
        var random = SeededGenerator(seed: 3)
        let now = Instant(nanoseconds: 0)
        let verdict = backoff.processDied(startedAt: now, isHopeless: true, at: now, using: &random)
        #expect(verdict == .park(until: now + .seconds(30)))
    }
}
