import ArgumentParser
import Glibc

// A closed pipe shows as an error of the write, and is handled there.
signal(SIGPIPE, SIG_IGN)
RunningCommands.endAtExit()

let signals = Interrupts.block()
Task.detached {
    await BulkheadCommand.main(ArgumentPair.join(Array(CommandLine.arguments.dropFirst())))
    exit(0)
}
// An asynchronous main would leave this thread to Dispatch, which unblocks its signals.
Interrupts.wait(for: signals)
