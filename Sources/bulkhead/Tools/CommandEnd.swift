import Glibc

/// How a command ended, and what it has printed.
struct CommandEnd: Sendable {
    enum Cause: Sendable, Equatable {
        case exited(CInt)
        case signalled(CInt)
        case timedOut
        case cancelled
        /// It could not be started; an `errno`.
        case notStarted(CInt)
    }

    var cause: Cause
    var output = ""
    /// The end of what it wrote to standard error.
    var diagnostics = ""

    static func notStarted(_ errno: CInt) -> CommandEnd { CommandEnd(cause: .notStarted(errno)) }

    /// What went wrong, for the model to read; `nil` where all is well.
    func failure(timeout: DurationArgument) -> String? {
        let reason: String
        switch self.cause {
        case .exited(0): return nil
        case .exited(let status): reason = "exit status \(status)"
        case .signalled(let signal): reason = "ended by signal \(signal)"
        case .timedOut: reason = "timed out after \(Text.duration(milliseconds: timeout.milliseconds))"
        case .cancelled: reason = "cancelled"
        case .notStarted(let errno): return "cannot run the command: \(String(cString: strerror(errno)))"
        }
        let words = self.diagnostics.split(omittingEmptySubsequences: false) { $0.isNewline }.map(String.init)
        let text = words.drop { $0.isEmpty }.reversed().drop { $0.isEmpty }.reversed().joined(separator: "\n")
        return text.isEmpty ? reason : "\(reason): \(text)"
    }
}
