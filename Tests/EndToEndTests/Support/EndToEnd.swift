import Foundation
import Testing

/// The real executables, on real sockets, with real signals. One test at a time: each has daemons of its own, and two
/// cores.
@Suite(.serialized) struct EndToEnd {}

/// Waits until something holds, with a bound that only a failure reaches.
func wait(
    seconds: Double = 60, for what: String, sourceLocation: SourceLocation = #_sourceLocation,
    until condition: () throws -> Bool
) throws {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while try !condition() {
        if Date() > deadline {
            Issue.record("waited \(seconds) s in vain for \(what)", sourceLocation: sourceLocation)
            throw Patience()
        }
        usleep(2_000)
    }
}

/// The same for tests that must leave their thread to the tasks that they wait for.
func eventually(
    _ what: String, sourceLocation: SourceLocation = #_sourceLocation, until condition: () throws -> Bool
) async throws {
    let deadline = Date(timeIntervalSinceNow: 60)
    while try !condition() {
        if Date() > deadline {
            Issue.record("waited 60 s in vain for \(what)", sourceLocation: sourceLocation)
            throw Patience()
        }
        try await Task.sleep(for: .milliseconds(2))
    }
}

struct Patience: Error {}

/// Where the checkout is, and what may stand beside it.
enum Checkout {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent()

    /// A program of ours: the one that scripts/test has built for installation, or the one beside the tests.
    static func program(_ name: String) -> URL {
        if let directory = ProcessInfo.processInfo.environment["BULKHEAD_BIN"] {
            return URL(filePath: directory).appending(path: name)
        }
        return URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appending(
            path: name)
    }
}
