internal import CLibuv

/// A watch on a signal of this process (`uv_signal_t`). It does not keep the loop running.
@safe public final class Signal: Handle {
    private var onSignal: (() -> Void)?

    public init(_ number: CInt, on loop: Loop, _ body: @escaping () -> Void) throws(UVError) {
        self.onSignal = body
        unsafe try super.init(uv_signal_t.self) { (raw) throws(UVError) in
            unsafe try check(uv_signal_init(loop.raw, raw))
        }
        let raw = unsafe self.withRaw(as: uv_signal_t.self)
        let status = unsafe uv_signal_start(
            raw,
            { raw, _ in
                unsafe Signal.from(raw).onSignal?()
            }, number)
        guard status == 0 else {
            self.close()
            throw UVError(rawValue: status)
        }
        unsafe uv_unref(self.raw)
    }

    override func dropCallbacks() { self.onSignal = nil }
}
