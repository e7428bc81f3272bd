import Libuv
import Messages

/// Has bulkhead-config read the configuration, so that no parser runs in this process.
final class ConfigurationLoader: ChildProcess.Delegate {
    private let loop: Loop
    private var reply: ConfigurationReply?
    private var failure: String?
    private var exit: ExitStatus?

    /// How long it may take; a configuration that makes a parser spin is refused like any other.
    private static let timeoutMilliseconds: UInt64 = 10_000

    private init(loop: Loop) { self.loop = loop }

    /// Runs the program to its end.
    ///
    /// - Throws: ``StartError`` with every problem of the configuration, one a line.
    static func load(
        _ arguments: Arguments, environment: [String], on loop: Loop
    ) throws -> ServiceConfiguration {
        let loader = ConfigurationLoader(loop: loop)
        let child = try ChildProcess(
            try ProgramTable.configuration(arguments, environment: environment), on: loop, delegate: loader)
        let timer = try Timer(on: loop)
        timer.start(afterMilliseconds: Self.timeoutMilliseconds) {
            loader.failure = "bulkhead-config took longer than \(Self.timeoutMilliseconds) ms"
            child.kill()
        }
        while loader.exit == nil { loop.run() }
        timer.close()
        switch loader.reply {
        case .configuration(let configuration):
            return configuration
        case .refused(let problems):
            throw StartError(problems.map(\.description).joined(separator: "\n"), exitCode: 78)
        case nil:
            throw StartError(
                loader.failure ?? "bulkhead-config ended without an answer (\(loader.exit!))", exitCode: 78)
        }
    }

    func child(_ child: ChildProcess, channel: Int, received payload: [UInt8]) {
        do { self.reply = try ConfigurationReply(decoding: payload) } catch {
            self.failure = "the answer of bulkhead-config could not be read: \(error)"
        }
    }

    func child(_ child: ChildProcess, channel: Int, beganFrame length: Int) {}

    func child(_ child: ChildProcess, channel: Int, broke reason: String) {
        self.failure = "bulkhead-config: \(reason)"
        child.kill()
    }

    func child(_ child: ChildProcess, wroteAllOf channel: Int) {}

    func child(_ child: ChildProcess, exited status: ExitStatus) {
        self.exit = status
        self.loop.stop()
    }

    func childFinishedReading(_ child: ChildProcess) {}
}
