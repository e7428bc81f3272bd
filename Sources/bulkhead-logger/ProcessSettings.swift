import CLinux
import Glibc

/// What must hold in this process before it does anything else.
enum ProcessSettings {
    /// How much freed memory stays in the heap: about what a batch and its transaction take, in bytes.
    private static let keptHeap: CInt = 8 << 20

    static func apply() {
        var none = sigset_t()
        sigemptyset(&none)
        sigprocmask(SIG_SETMASK, &none, nil)
        // A Ctrl-C, a closed terminal and systemd's SIGTERM reach every process of the daemon. The logger outlives its
        // writer, so only the end of its channel ends it. SIGXFSZ would kill where a refused write can be reported.
        for ignored in [SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGXFSZ] { signal(ignored, SIG_IGN) }
        // SQLite gives its other files the permissions of the first.
        umask(0o077)
        CLinux_keep_heap(Self.keptHeap)
        // A core dump would hold what people are told in confidence. The limit does not count where cores go through a pipe.
        CLinux_set_not_dumpable()
        // Swift's runtime writes what it finds in registers, and in the memory that they point to, to the daemon's log.
        for number in [SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP] { signal(number, SIG_DFL) }
        var noCore = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &noCore)
    }
}
