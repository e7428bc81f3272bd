import CLinux
import Glibc
import Messages

// A parent may leave signals blocked, and SIGTERM would never arrive.
var noSignals = sigset_t()
sigemptyset(&noSignals)
sigprocmask(SIG_SETMASK, &noSignals, nil)
signal(SIGPIPE, SIG_IGN)
// A Ctrl-C in a terminal goes to every process of the group; the supervisor decides what it means, and this one ends with it.
signal(SIGINT, SIG_IGN)
signal(SIGHUP, SIG_IGN)
// Requests hold keys: no core dump may.
CLinux_set_not_dumpable()
// Swift's runtime writes what it finds in registers, and in the memory that they point to, to the daemon's log.
for number in [SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP] { signal(number, SIG_DFL) }
// A long request or answer takes a few large blocks: they go back to the system when it is over, and do not stay with each of up
// to 256 threads. Left to itself the allocator would learn to keep blocks of up to 32 MiB.
CLinux_keep_heap(256 << 10)

/// Ends the process with one line for whoever reads the supervisor's log. 78 is `EX_CONFIG` of sysexits(3).
func fail(_ message: String, as name: String) -> Never {
    let line = "bulkhead-worker \(name): \(message)\n"
    write(STDERR_FILENO, line, line.utf8.count)
    exit(78)
}

guard CommandLine.arguments.count == 2 else {
    fail("usage: bulkhead-worker PROVIDER-NAME; bulkheadd starts it", as: "?")
}
let name = CommandLine.arguments[1]
var worker = Worker(name: name)
do throws(StartError) { try worker.run() } catch { fail("\(error)", as: name) }
