import Libuv
import Messages

/// Has bulkhead-config read the configuration, so that no parser runs in this process.
final class ConfigurationLoader: ChildProcess.Delegate {
    /// What came of it, when the program has ended.
    enum Outcome {
        case reply(ConfigurationReply)
        /// Why there is no answer.
        case failed(String)
    }

    /// How long it may take at the start, where nobody else watches; a configuration that makes a parser spin is refused like any
    /// other.
    private static let startTimeoutMilliseconds: UInt64 = 10_000

    private var child: ChildProcess!
    private var outcome: Outcome?
    private let onEnd: (Outcome) -> Void

    /// Starts the program.
    ///
    /// - Parameter onEnd: Called once, when it has ended.
    init(_ program: ChildProcess.Program, on loop: Loop, onEnd: @escaping (Outcome) -> Void) throws {
        self.onEnd = onEnd
        self.child = try ChildProcess(program, on: loop, delegate: self)
    }

    func kill() { self.child.kill() }

    /// Runs the program to its end.
    ///
    /// - Throws: ``StartError`` with every problem of the configuration, one a line.
    static func load(_ program: ChildProcess.Program, on loop: Loop) throws -> ServiceConfiguration {
        var outcome: Outcome?
        let loader = try ConfigurationLoader(program, on: loop) {
            outcome = $0
            loop.stop()
        }
        let timer = try Timer(on: loop)
        timer.start(afterMilliseconds: Self.startTimeoutMilliseconds) {
            loader.outcome = .failed("bulkhead-config took longer than \(Self.startTimeoutMilliseconds) ms")
            loader.kill()
        }
        while outcome == nil { loop.run() }
        timer.close()
        switch outcome! {
        case .reply(.configuration(let configuration)):
            return configuration
        case .reply(.refused(let problems)):
            throw StartError(problems.map(\.description).joined(separator: "\n"), exitCode: 78)
        case .failed(let reason):
            throw StartError(reason, exitCode: 78)
        }
    }

    func child(_ child: ChildProcess, channel: Int, received payload: [UInt8]) {
        do { self.outcome = .reply(try ConfigurationReply(decoding: payload)) } catch {
            self.outcome = .failed("the answer of bulkhead-config could not be read: \(error)")
        }
    }

    func child(_ child: ChildProcess, channel: Int, beganFrame length: Int) {}

    func child(_ child: ChildProcess, channel: Int, broke reason: String) {
        self.outcome = .failed("bulkhead-config: \(reason)")
        child.kill()
    }

    func child(_ child: ChildProcess, wroteAllOf channel: Int) {}

    func child(_ child: ChildProcess, exited status: ExitStatus) {
        self.onEnd(self.outcome ?? .failed("bulkhead-config ended without an answer (\(status))"))
    }

    func childFinishedReading(_ child: ChildProcess) {}
}
