import CLinux
import Glibc

/// What this process may use, so that a file made to keep the parser busy costs a few seconds and no more.
enum ProcessLimits {
    /// Of processor time; a file of the largest size takes a fraction of it.
    static let processorSeconds: rlim_t = 3

    static func apply() {
        // The parser compares the names of a mapping. Where those are mappings themselves, of aliases of aliases, that
        // takes forever. The signal arrives with the soft limit; the hard limit is for a process beyond answering.
        signal(SIGXCPU) { _ in
            let message: StaticString =
                "bulkhead-config: the file takes too long to read; simplify its anchors and nesting\n"
            _ = write(2, message.utf8Start, message.utf8CodeUnitCount)
            _exit(1)
        }
        var processorTime = rlimit(rlim_cur: Self.processorSeconds, rlim_max: Self.processorSeconds + 1)
        setrlimit(__rlimit_resource_t(RLIMIT_CPU.rawValue), &processorTime)
        // Keys are in memory here: none may end up in a file, or in a debugger but root's.
        CLinux_set_not_dumpable()
        // Swift's runtime writes what it finds in registers, and in the memory that they point to, to the daemon's log.
        for number in [SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP] { signal(number, SIG_DFL) }
        var core = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &core)
    }
}
