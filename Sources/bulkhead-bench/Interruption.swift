import Glibc

/// SIGINT and SIGTERM. They end a measurement early, so that the daemon that was started for it is stopped and its
/// files are removed.
enum Interruption {
    /// Written by the signal handler alone; a store of this size is whole.
    private nonisolated(unsafe) static var flag: sig_atomic_t = 0

    /// A second signal finds the default again, and ends the program at once.
    static func arm() {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in Interruption.flag = 1 }
        action.sa_flags = CInt(bitPattern: UInt32(SA_RESETHAND))
        sigaction(SIGINT, &action, nil)
        sigaction(SIGTERM, &action, nil)
    }

    static func check() throws(BenchError) {
        guard self.flag == 0 else { throw BenchError("interrupted") }
    }
}
