internal import CLibuv

/// A libuv event loop.
///
/// A loop and everything made from it belong to one thread. None of these types is `Sendable`: the compiler, not a lock, keeps
/// them there.
@safe public final class Loop {
    let raw: UnsafeMutablePointer<uv_loop_t>
    /// Where every stream of this loop reads into. libuv asks for memory right before it reads and hands it back at once, so
    /// that one buffer serves them all.
    let readBuffer: UnsafeMutableRawBufferPointer

    public init() throws(UVError) {
        unsafe self.raw = .allocate(capacity: 1)
        unsafe self.readBuffer = .allocate(byteCount: 64 << 10, alignment: 16)
        let status = unsafe uv_loop_init(self.raw)
        guard status == 0 else {
            unsafe self.raw.deallocate()
            unsafe self.readBuffer.deallocate()
            throw UVError(rawValue: status)
        }
    }

    deinit {
        let status = unsafe uv_loop_close(self.raw)
        precondition(status == 0, "a loop was released with open handles")
        unsafe self.raw.deallocate()
        unsafe self.readBuffer.deallocate()
    }

    /// Runs until no handle is active and referenced, or ``stop()``.
    public func run() {
        unsafe _ = uv_run(self.raw, UV_RUN_DEFAULT)
    }

    /// Makes ``run()`` return after the callbacks of this turn.
    public func stop() {
        unsafe uv_stop(self.raw)
    }
}

/// The clocks, as libuv and the kernel read them.
public enum Clock {
    /// The monotonic clock, in nanoseconds (`uv_hrtime`).
    public static var monotonicNanoseconds: UInt64 { uv_hrtime() }

    /// Milliseconds since 1970, UTC (`uv_gettimeofday`).
    public static var wallMilliseconds: Int {
        var time = uv_timeval64_t()
        let status = unsafe uv_gettimeofday(&time)
        precondition(status == 0)
        return Int(time.tv_sec) * 1000 + Int(time.tv_usec) / 1000
    }
}
