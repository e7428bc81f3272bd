import Glibc

/// A thread that nobody joins and that no signal interrupts.
package enum DetachedThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a thread (`pthread_create`) and returns 0, or the error's number.
    package static func start(_ body: @escaping @Sendable () -> Void) -> CInt {
        // The thread inherits the mask, and leaves every signal to the threads of the program.
        var (all, previous) = (sigset_t(), sigset_t())
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &previous)
        defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }

        let argument = Unmanaged.passRetained(Body(body))
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, argument.toOpaque())
        if status == 0 { pthread_detach(thread) } else { argument.release() }
        return status
    }
}
