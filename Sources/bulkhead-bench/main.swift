// bulkhead-bench: how fast the daemon is, and what that costs. See BenchCommand.swift.
import ArgumentParser
import Glibc

// A closed connection shows as an error of the write, and is counted there.
signal(SIGPIPE, SIG_IGN)
Interruption.arm()
BenchCommand.main()
