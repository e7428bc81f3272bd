import Glibc
import Messages

/// The programs that the supervisor starts, and what each is given.
struct ProgramTable {
    private let workerPath: String
    private let loggerPath: String
    private let configurationPath: String
    private let stateDirectory: String
    private let environment: [String]

    /// - Parameter environment: What this process was started with.
    init(stateDirectory: String, environment: [String]) throws(StartError) {
        self.workerPath = try ProgramLocator.find("bulkhead-worker")
        self.loggerPath = try ProgramLocator.find("bulkhead-logger")
        self.configurationPath = try ProgramLocator.find("bulkhead-config")
        self.stateDirectory = stateDirectory
        self.environment = environment
    }

    /// A worker has no environment, its control channel on descriptor 3 and its slots from 4 on. It is told what it is on the control
    /// channel.
    func worker(provider: String, slots: Int) -> ChildProcess.Program {
        ChildProcess.Program(
            path: self.workerPath, arguments: ["bulkhead-worker", provider], environment: [],
            channels: [ProtocolBounds.controlFrame] + Array(repeating: ProtocolBounds.lastFrame, count: slots))
    }

    func logger(_ durability: ServiceConfiguration.Durability) -> ChildProcess.Program {
        ChildProcess.Program(
            path: self.loggerPath,
            arguments: [
                "bulkhead-logger", "--database", self.database, "--durability", durability.rawValue,
            ],
            environment: [], channels: [ProtocolBounds.logFrame])
    }

    /// The logger's program, which opens the file for reading only.
    var reader: ChildProcess.Program {
        ChildProcess.Program(
            path: self.loggerPath, arguments: ["bulkhead-logger", "--read", "--database", self.database],
            environment: [], channels: [ProtocolBounds.readerFrame])
    }

    /// Works on the store of secrets. Of the environment it needs nothing but where the master key may be.
    func secrets(masterKeyFile: String?) -> ChildProcess.Program {
        var arguments = ["bulkhead-config", "--secrets", "--state-directory", self.stateDirectory]
        if let masterKeyFile { arguments += ["--master-key-file", masterKeyFile] }
        return ChildProcess.Program(
            path: self.configurationPath, arguments: arguments,
            environment: self.environment.filter { $0.hasPrefix("CREDENTIALS_DIRECTORY=") },
            channels: [ProtocolBounds.configurationFrame])
    }

    /// A program that is not ours: bulkhead-exec becomes it, and its channel its standard input and output. Of the environment it
    /// has what every program expects, and the name under which it is configured.
    func hook(name: String, command: [String]) throws(StartError) -> ChildProcess.Program {
        let path = self.environment.first { $0.hasPrefix("PATH=") } ?? Self.defaultPath
        return ChildProcess.Program(
            path: try ProgramLocator.find("bulkhead-exec"),
            arguments: ["bulkhead-exec", "--parent", "\(getpid())", "--"] + command,
            environment: [path, "LANG=C.UTF-8", "BULKHEAD_HOOK=\(name)"],
            channels: [ProtocolBounds.hookFrame], leadsGroup: true)
    }

    private static let defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    private var database: String { "\(self.stateDirectory)/logs.db" }

    /// bulkhead-config looks keys up in the environment, so it is given all that this process was started with: each time that
    /// it is started the same, so that the same file means the same.
    static func configuration(
        _ arguments: Arguments, environment: [String]
    ) throws(StartError) -> ChildProcess.Program {
        var list = ["bulkhead-config"]
        for (option, value) in [
            ("--config", arguments.configuration), ("--socket", arguments.socket),
            ("--state-directory", arguments.stateDirectory),
        ] {
            if let value { list += [option, value] }
        }
        return ChildProcess.Program(
            path: try ProgramLocator.find("bulkhead-config"), arguments: list, environment: environment,
            channels: [ProtocolBounds.configurationFrame])
    }
}
