import ArgumentParser
import Glibc

struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check configuration files, and make one of a datasette.yaml.",
        subcommands: [ConfigCheckCommand.self, ConfigImportCommand.self])
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

    func run() throws { throw ConfigurationProgram.become(["--check", self.file]) }
}

struct ConfigImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Write the bulkhead.yaml that a datasette.yaml comes to.",
        discussion: """
            Takes over the settings of datasette-llm: purposes, models, the names of keys,
            options. Says on standard error what it leaves out, and why. Nothing is
            changed, and the daemon need not run.

            EXAMPLES
              bulkhead config import datasette.yaml > bulkhead.yaml
              bulkhead config check bulkhead.yaml
            """)

    @Argument(help: "The datasette.yaml, or .json, to read.")
    var file: String

    func run() throws { throw ConfigurationProgram.become(["--import", self.file]) }
}

/// bulkhead-config, which reads configurations.
enum ConfigurationProgram {
    private static let name = "bulkhead-config"

    /// Becomes the program; returns what to end with where that cannot be.
    static func become(_ arguments: [String]) -> ExitCode {
        for path in SiblingProgram.candidates(Self.name) {
            Self.execute(path, [Self.name] + arguments)
        }
        try? StandardStream.error.writeLine(
            "bulkhead: cannot run \(Self.name): \(String(cString: strerror(errno))); "
                + "\(SiblingProgram.places(of: Self.name))")
        return ExitStatus.unreachable
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
