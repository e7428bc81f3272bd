import Glibc

var noSignals = sigset_t()
sigemptyset(&noSignals)
sigprocmask(SIG_SETMASK, &noSignals, nil)

ProcessLimits.apply()
exit(Program().run(CommandLine.arguments.dropFirst()).rawValue)
