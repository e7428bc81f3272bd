import ArgumentParser
import BulkheadClient
import Glibc

/// What a script can tell from the exit status. The help of ``BulkheadCommand`` lists all of them.
enum ExitStatus {
    static let failed = ExitCode(1)
    /// `EX_USAGE` of sysexits.h, as ArgumentParser ends for a wrong command line.
    static let wrongInput = ExitCode(64)
    /// `EX_UNAVAILABLE` of sysexits.h.
    static let unreachable = ExitCode(69)
    /// `EX_TEMPFAIL` of sysexits.h.
    static let tryAgain = ExitCode(75)
    /// As a shell reports a program that SIGPIPE has ended.
    static let outputClosed = ExitCode(128 + SIGPIPE)

    static func of(_ error: ClientError) -> ExitCode {
        if let signal = Interrupts.received { return ExitCode(128 + signal) }
        if case .cannotConnect = error { return Self.unreachable }
        return error.isRetryable ? Self.tryAgain : Self.failed
    }
}
