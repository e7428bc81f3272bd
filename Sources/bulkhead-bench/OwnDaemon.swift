import Glibc
import Messages

/// A bulkheadd that runs for one measurement, with a socket and a configuration of its own.
struct OwnDaemon: ~Copyable {
    private static let startPatience: UInt64 = 30_000_000_000
    private static let stopPatienceSeconds: UInt64 = 60

    let socket: String
    private var process: ChildProcess
    private let directory: PrivateDirectory
    /// From just before the process was started until `ping` was answered, in nanoseconds.
    let timeToPing: UInt64

    /// Starts it and waits until it answers.
    ///
    /// - Parameter stateDirectory: Where its record goes; `nil` for a directory that is removed with it.
    init(_ configuration: DaemonConfiguration, stateDirectory: String?) throws(BenchError) {
        let program = try ProgramLocator.find("bulkheadd")
        let directory = try PrivateDirectory()
        let socket = "\(directory.path)/s"
        let file = "\(directory.path)/bulkhead.yaml", log = "\(directory.path)/log"
        try SmallFile.write(configuration.yaml, to: file)
        let input = open("/dev/null", O_RDWR | O_CLOEXEC)
        let errors = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer {
            close(input)
            close(errors)
        }
        let arguments = [
            "--config", file, "--socket", socket, "--state-directory", stateDirectory ?? "\(directory.path)/state",
        ]
        let start = Clock.now
        var process = try ChildProcess(program, arguments, input: input, output: input, errors: errors)
        while true {
            try Interruption.check()
            if let descriptor = try? LocalSocket.connect(to: socket) {
                close(descriptor)
                var connection = try ControlConnection(to: socket)
                try connection.ask(.ping)
                break
            }
            guard !process.hasEnded(), Clock.now - start < Self.startPatience else {
                let complaint = (try? SmallFile.read(log)).map { String(decoding: $0, as: UTF8.self) } ?? ""
                throw BenchError("the daemon does not start: \(complaint)")
            }
            Clock.sleep(microseconds: 200)
        }
        self.timeToPing = Clock.now - start
        self.socket = socket
        self.process = process
        self.directory = directory
    }

    mutating func stop() { self.process.stop(withinSeconds: Self.stopPatienceSeconds) }
}
