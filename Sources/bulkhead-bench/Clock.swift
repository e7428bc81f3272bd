import Glibc

/// Time that never jumps.
enum Clock {
    /// Nanoseconds since some moment in the past (`clock_gettime`, CLOCK_MONOTONIC).
    static var now: UInt64 { Self.read(CLOCK_MONOTONIC) }

    /// What a clock shows, in nanoseconds.
    static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        guard clock_gettime(clock, &time) == 0 else { return 0 }
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    static func sleep(microseconds: Int) {
        var time = timespec(tv_sec: microseconds / 1_000_000, tv_nsec: microseconds % 1_000_000 * 1_000)
        nanosleep(&time, nil)
    }
}
