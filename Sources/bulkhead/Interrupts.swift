import Glibc
import Synchronization

/// Ctrl-C (SIGINT) and SIGTERM, received by the main thread, which does nothing else.
///
/// The first one ends the program, or, where a request is open, cancels it and gives its last frame a short while to come.
/// The second one ends the program at once.
enum Interrupts {
    /// How long the last frame of a cancelled request may take.
    private static let graceSeconds = 3

    private struct State {
        var action: (@Sendable () -> Void)?
        var received: CInt?
    }

    private static let state = Mutex(State())

    /// The signal that came.
    static var received: CInt? { self.state.withLock { $0.received } }

    /// What to do at the first signal instead of ending at once.
    static func onFirst(_ action: @escaping @Sendable () -> Void) {
        self.state.withLock { $0.action = action }
    }

    /// Blocks the signals, before any other thread exists: threads inherit the mask.
    static func block() -> sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        // A signal that is ignored on purpose (nohup, a background job of a script) stays ignored.
        for signal in [SIGINT, SIGTERM] where !self.isIgnored(signal) { sigaddset(&signals, signal) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        return signals
    }

    /// Waits for one of the signals, and ends the program in the end.
    static func wait(for signals: sigset_t) -> Never {
        var signals = signals
        var signal: CInt = 0
        while sigwait(&signals, &signal) != 0 {}
        let action = self.state.withLock { state in
            state.received = signal
            return state.action
        }
        if let action {
            action()
            var grace = timespec(tv_sec: self.graceSeconds, tv_nsec: 0)
            _ = sigtimedwait(&signals, nil, &grace)
        }
        _exit(128 + signal)
    }

    private static func isIgnored(_ signal: CInt) -> Bool {
        var action = sigaction()
        guard sigaction(signal, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
