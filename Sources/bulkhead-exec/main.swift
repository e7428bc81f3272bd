// bulkhead-exec: starts programs that are not ours. It is gone when they run.
import Glibc

/// Ends the process with one line for whoever reads the supervisor's log.
func fail(_ message: String, _ exitCode: CInt) -> Never {
    let line = "bulkhead-exec: \(message)\n"
    _ = write(STDERR_FILENO, line, line.utf8.count)
    exit(exitCode)
}

do {
    switch try Arguments.parse(CommandLine.arguments.dropFirst()) {
    case .help: print(Arguments.usage)
    case .run(let path, let arguments, let parent):
        try Launch(path: path, arguments: arguments, parent: parent).run()
    }
} catch let error as Arguments.UsageError {
    fail("\(error.message); see bulkhead-exec --help", 64)
} catch let error as Launch.Failure {
    fail(error.message, error.exitCode)
} catch {
    fail("\(error)", 71)
}
