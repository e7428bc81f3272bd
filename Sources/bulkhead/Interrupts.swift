import Glibc
import Synchronization

/// Ctrl-C (SIGINT) and SIGTERM, received by the main thread, which does nothing else.
///
/// A signal ends the program, unless somebody says with ``react(_:)`` what else it means.
enum Interrupts {
    /// How long the last frame of a cancelled request may take.
    private static let graceSeconds = 3

    /// What comes of a signal.
    enum Reaction: Sendable {
        /// The program ends now, with this status.
        case end(CInt)
        /// The program ends by itself in a short while, or at the next signal, as by the signal.
        case endSoon
        /// The program goes on.
        case goOn
    }

    private struct State {
        var reaction: (@Sendable (CInt) -> Reaction)?
        var received: CInt?
    }

    private static let state = Mutex(State())

    /// The signal that ends the program.
    static var received: CInt? { self.state.withLock { $0.received } }

    /// What to do at the first signal instead of ending at once: cancels the request that is open, whose last frame has a
    /// short while to come.
    static func onFirst(_ action: @escaping @Sendable () -> Void) {
        self.react { _ in
            action()
            return .endSoon
        }
    }

    /// What to do at each signal.
    static func react(_ reaction: @escaping @Sendable (CInt) -> Reaction) {
        self.state.withLock { $0.reaction = reaction }
    }

    /// Blocks the signals, before any other thread exists: threads inherit the mask.
    static func block() -> sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        // A signal that is ignored on purpose (nohup, a background job of a script) stays ignored.
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] where !self.isIgnored(signal) { sigaddset(&signals, signal) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        return signals
    }

    /// Waits for the signals, and ends the program in the end.
    static func wait(for signals: sigset_t) -> Never {
        var signals = signals
        while true {
            var signal: CInt = 0
            while sigwait(&signals, &signal) != 0 {}
            let reaction = self.state.withLock { state in
                state.received = signal
                return state.reaction
            }
            guard let reaction else { self.leave(128 + signal) }
            switch reaction(signal) {
            case .goOn: self.state.withLock { $0.received = nil }
            case .end(let status): self.leave(status)
            case .endSoon:
                var grace = timespec(tv_sec: self.graceSeconds, tv_nsec: 0)
                _ = sigtimedwait(&signals, nil, &grace)
                self.leave(128 + signal)
            }
        }
    }

    /// Ends the program, and what it has started.
    private static func leave(_ status: CInt) -> Never {
        RunningCommands.end()
        _exit(status)
    }

    private static func isIgnored(_ signal: CInt) -> Bool {
        var action = sigaction()
        guard sigaction(signal, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
