import CLinux
import Foundation
import Glibc

var noSignals = sigset_t()
sigemptyset(&noSignals)
sigprocmask(SIG_SETMASK, &noSignals, nil)

ProcessLimits.apply()
// Keys may be in it, and /proc shows it as long as this process lives.
let environment = ProcessInfo.processInfo.environment
CLinux_erase_environment()
exit(Program(environment: environment).run(CommandLine.arguments.dropFirst()).rawValue)
