/// What the command line asks of bulkhead-exec.
enum Arguments: Equatable {
    /// Become this program: its path, and all of its arguments, the first of which is its name.
    case run(path: String, arguments: [String], parent: Int32?)
    case help

    /// Why a command line cannot be understood.
    struct UsageError: Error, Equatable {
        let message: String
    }

    static let usage = """
        Usage: bulkhead-exec [--parent PID] -- PROGRAM [ARGUMENT...]

        bulkheadd starts programs that are not Bulkhead's through this one. It makes sure that they
        end with it and gain no rights, and becomes PROGRAM, an absolute path, whose standard input
        and output are then the channel that was on descriptor 3.

          --parent PID   end at once if the parent is another process: the one that asked is gone
          --help         show this

        Exit status: that of PROGRAM; 64 wrong usage; 71 the process cannot be made what it must be;
        126 PROGRAM cannot be run; 127 there is no PROGRAM.
        """

    /// - Parameter arguments: Without the name of this program.
    static func parse(_ arguments: some Sequence<String>) throws(UsageError) -> Arguments {
        var parent: Int32?
        var rest = Array(arguments)[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--help", "-h": return .help
            case "--parent":
                guard let text = rest.popFirst(), let pid = Int32(text), pid > 0 else {
                    throw UsageError(message: "--parent needs the id of a process")
                }
                parent = pid
            case "--":
                guard let path = rest.first else { throw UsageError(message: "no program is named") }
                guard path.hasPrefix("/") else {
                    throw UsageError(message: "'\(path)' is not an absolute path")
                }
                return .run(path: path, arguments: Array(rest), parent: parent)
            default:
                throw UsageError(message: "unknown argument '\(argument)'; the program comes after --")
            }
        }
        throw UsageError(message: "no program is named")
    }
}
