import Glibc
import Synchronization

/// One run of a command, in a process group of its own, without a shell.
///
///     new ──posix_spawn──▶ running ──exits──▶ ended ──its group is killed, it is reaped──▶ gone
///                             │ timeout, cancel: its group is killed ──▲
///
/// What the command has left running in its group when it ends is killed with it.
final class CommandRun: Sendable {
    /// What is kept of the output, in bytes; the rest is read and dropped.
    static let outputBound = 1 << 20
    /// What is kept of the end of standard error, in bytes.
    static let diagnosticsBound = 4 << 10

    private let command: [String]
    private let input: [UInt8]
    private let environment: [String: String]
    private let timeoutMilliseconds: Int
    private let state = Mutex(State())

    private struct State {
        /// The process, from its start until it is reaped: its number may be somebody else's then.
        var process: pid_t?
        var isCancelled = false
    }

    /// - Parameter environment: Added to that of this program.
    init(_ command: [String], input: [UInt8], environment: [String: String], timeoutMilliseconds: Int) {
        self.command = command
        self.input = input
        self.environment = environment
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    /// Ends the command, from any thread.
    func cancel() {
        self.state.withLock { state in
            state.isCancelled = true
            if let process = state.process { kill(-process, SIGKILL) }
        }
    }

    /// Runs the command to its end, and blocks this thread until then.
    func run() -> CommandEnd {
        let pipes: CommandPipes
        do { pipes = try CommandPipes() } catch { return .notStarted(error.errno) }
        defer { pipes.close() }
        let status = self.state.withLock { state -> CInt in
            guard !state.isCancelled else { return ECANCELED }
            var process = pid_t()
            let status = pipes.spawn(self.command, environment: self.environment, &process)
            if status == 0 { state.process = process }
            return status
        }
        guard status == 0, let process = self.state.withLock({ $0.process }) else {
            pipes.closeUnstarted(wasTried: status != ECANCELED)
            return .notStarted(status)
        }
        RunningCommands.add(process)
        var exchange = CommandExchange(pipes, input: self.input)
        let isTimely = exchange.run(until: process, timeoutMilliseconds: self.timeoutMilliseconds)
        return self.state.withLock { state in
            kill(-process, SIGKILL)
            RunningCommands.remove(process)
            var waitStatus: CInt = 0
            while waitpid(process, &waitStatus, 0) < 0, errno == EINTR {}
            state.process = nil
            return CommandEnd(
                cause: self.cause(waitStatus, isCancelled: state.isCancelled, isTimely: isTimely),
                output: exchange.outputText, diagnostics: exchange.diagnosticsText)
        }
    }

    /// - Parameter waitStatus: As `waitpid` gives it (wait(2)).
    private func cause(_ waitStatus: CInt, isCancelled: Bool, isTimely: Bool) -> CommandEnd.Cause {
        if isCancelled { return .cancelled }
        guard isTimely else { return .timedOut }
        let signal = waitStatus & 0x7F
        return signal == 0 ? .exited(waitStatus >> 8 & 0xFF) : .signalled(signal)
    }
}

/// The commands that run, so that none outlives this program.
enum RunningCommands {
    private static let processes = Mutex<Set<pid_t>>([])

    static func add(_ process: pid_t) { _ = self.processes.withLock { $0.insert(process) } }

    static func remove(_ process: pid_t) { _ = self.processes.withLock { $0.remove(process) } }

    /// Has the program kill them when it exits (`atexit`). `_exit` passes that over.
    static func endAtExit() { atexit { Self.end() } }

    /// Kills all of them, with what they have started.
    static func end() {
        self.processes.withLock { processes in
            for process in processes { kill(-process, SIGKILL) }
        }
    }
}
