internal import CLibuv

/// A one-shot timer (`uv_timer_t`).
@safe public final class Timer: Handle {
    private var onFire: (() -> Void)?

    public init(on loop: Loop) throws(UVError) {
        unsafe try super.init(uv_timer_t.self) { (raw) throws(UVError) in
            unsafe try check(uv_timer_init(loop.raw, raw))
        }
    }

    /// Starts the timer, or starts it anew if it was running. The delay counts from now, not from the start of this turn.
    public func start(afterMilliseconds delay: UInt64, _ body: @escaping () -> Void) {
        self.onFire = body
        let raw = unsafe self.withRaw(as: uv_timer_t.self)
        unsafe uv_update_time(uv_handle_get_loop(self.raw))
        let status = unsafe uv_timer_start(
            raw,
            { raw in
                unsafe Timer.from(raw).onFire?()
            }, delay, 0)
        precondition(status == 0)
    }

    override func dropCallbacks() { self.onFire = nil }
}
