/// The command line of bulkheadd.
struct Arguments {
    var configuration: String?
    var socket: String?
    var stateDirectory: String?

    enum Outcome {
        case run(Arguments)
        case print(String)
        case refuse(String)
    }

    static let help = """
        bulkheadd - the daemon through which the services of this host talk to language models

        USAGE
            bulkheadd [--config FILE] [--socket PATH] [--state-directory DIR]

        OPTIONS
            --config FILE           What to serve (docs/configuration.md). Default: $CONFIGURATION_DIRECTORY/bulkhead.yaml,
                                    if it exists. Without a file: the echo provider, and OpenAI if there is a key
                                    OPENAI_API_KEY. Check a file with `bulkhead config check FILE`.
            --socket PATH           Where clients connect. Default: $XDG_RUNTIME_DIR/bulkhead.sock; as root /run/bulkhead.sock.
                                    A socket that is passed by LISTEN_FDS (systemd) is used instead.
            --state-directory DIR   Where logs.db lives. Default: $STATE_DIRECTORY, $XDG_STATE_HOME/bulkhead,
                                    ~/.local/state/bulkhead; as root without these /var/lib/bulkhead.
            --version, --help

        SIGNALS
            SIGHUP                  Read the configuration anew, and take it, or refuse it whole and serve on.
            SIGTERM, SIGINT         Finish open requests (drain_timeout, 30 s), commit the record, end. Twice: cut them short.

        EXIT STATUS
            0 stopped as asked; 1 could not serve, the reason is on stderr; 64 wrong usage; 78 the configuration was refused.

        The other programs (bulkhead-worker, bulkhead-logger, bulkhead-config, bulkhead-exec) are found beside this
        one, or in ../libexec/bulkhead.
        """

    static func parse(_ arguments: [String], version: String) -> Outcome {
        var parsed = Arguments()
        var rest = arguments.dropFirst()
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            func value() -> String? { parts.count == 2 ? parts[1] : rest.popFirst() }
            switch parts[0] {
            case "--help", "-h": return .print(self.help)
            case "--version": return .print("bulkheadd \(version)")
            case "--config": parsed.configuration = value()
            case "--socket": parsed.socket = value()
            case "--state-directory": parsed.stateDirectory = value()
            default: return .refuse("unknown argument '\(argument)'")
            }
            let known = [
                "--config": parsed.configuration, "--socket": parsed.socket, "--state-directory": parsed.stateDirectory,
            ]
            guard let set = known[parts[0]].flatMap({ $0 }), !set.isEmpty else {
                return .refuse("\(parts[0]) needs a value")
            }
        }
        return .run(parsed)
    }
}
