import ArgumentParser
import Glibc

struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check configuration files.", subcommands: [ConfigCheckCommand.self])
}

struct ConfigCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say what is wrong with a bulkhead.yaml, with file, line and column.",
        discussion: """
            Runs bulkhead-config, the program that reads the file for the daemon, and
            exits with its status: 0 if the daemon would accept the file. The daemon
            itself need not run.

            EXAMPLES
              bulkhead config check /etc/bulkhead/bulkhead.yaml
            """)

    @Argument(help: "The file to check.")
    var file: String

    func run() throws {
        let program = "bulkhead-config"
        for path in SiblingProgram.candidates(program) {
            Self.execute(path, [program, "--check", self.file])
        }
        try? StandardStream.error.writeLine(
            "bulkhead: cannot run \(program): \(String(cString: strerror(errno))); "
                + "\(SiblingProgram.places(of: program))")
        throw ExitStatus.unreachable
    }

    /// Becomes the program at `path` (`execv`); returns where that cannot be.
    private static func execute(_ path: String, _ arguments: [String]) {
        // The next program inherits mask and ignored signals, and should find them as they usually are.
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
        signal(SIGPIPE, SIG_DFL)
        var pointers = arguments.map { strdup($0) } + [nil]
        execv(path, &pointers)
        for pointer in pointers { free(pointer) }
    }
}
