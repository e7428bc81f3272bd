import Foundation
import Synchronization
import Testing

/// A run of the `bulkhead` program.
final class ProgramRun: Sendable {
    private let process: Mutex<Process>
    private let identifier: pid_t
    private let ended: Task<CInt, Never>
    private let outputText: PrintedText
    private let errorText: PrintedText
    /// Where what is typed goes; `nil` where all input was given at the start.
    private let typing: Mutex<FileHandle?>

    /// The directory of the programs: `$BULKHEAD_BIN`, or where this test itself was built.
    private static var directory: String {
        ProcessInfo.processInfo.environment["BULKHEAD_BIN"]
            ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
    }

    /// script(1), which gives a program a terminal of its own, with Ctrl-C and Ctrl-D, and all it prints as its output.
    static let script = "/usr/bin/script"

    /// Starts the program with nothing in its environment but the socket and a time zone.
    ///
    /// - Parameters:
    ///   - input: What is piped in; `nil` means that it comes by ``type(_:)``.
    ///   - closesOutput: Whether standard output is a pipe that nobody reads.
    ///   - onTerminal: Whether standard output is a terminal.
    ///   - isInteractive: Whether it runs on a terminal as somebody's shell would run it; see ``script``.
    init(
        _ arguments: [String], socket: String, input: String? = "", closesOutput: Bool = false,
        onTerminal: Bool = false, isInteractive: Bool = false
    ) throws {
        let process = Process()
        let program = Self.directory + "/bulkhead"
        process.executableURL = URL(fileURLWithPath: isInteractive ? Self.script : program)
        let line = "exec " + ([program] + arguments).map { "'\($0)'" }.joined(separator: " ")
        process.arguments =
            isInteractive ? ["--quiet", "--flush", "--return", "--command", line, "/dev/null"] : arguments
        process.environment = ["BULKHEAD_SOCKET": socket, "TZ": "UTC"]
        let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
        process.standardInput = stdin
        let terminal = onTerminal ? try Self.makeTerminal() : nil
        process.standardOutput = terminal?.slave ?? stdout
        process.standardError = stderr
        let (stream, continuation) = AsyncStream.makeStream(of: CInt.self)
        process.terminationHandler = { process in
            continuation.yield(process.terminationStatus)
            continuation.finish()
        }
        try process.run()
        self.identifier = process.processIdentifier
        self.process = Mutex(process)
        self.ended = Task { await stream.first { _ in true } ?? -1 }
        if closesOutput { try stdout.fileHandleForReading.close() }
        self.typing = Mutex(input == nil ? stdin.fileHandleForWriting : nil)
        if let input {
            try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
            try stdin.fileHandleForWriting.close()
        }
        try terminal?.slave.close()
        self.outputText = PrintedText(closesOutput ? nil : terminal?.master ?? stdout.fileHandleForReading)
        self.errorText = PrintedText(stderr.fileHandleForReading)
    }

    var status: CInt { get async { await self.ended.value } }
    var output: String { get async { await onThread { self.outputText.whole } } }
    var diagnostics: String { get async { await onThread { self.errorText.whole } } }

    /// Waits until it has printed `text`.
    func waitForOutput(_ text: String) async throws { try await self.outputText.wait(for: text) }

    /// Waits until it has written `text` to standard error.
    func waitForDiagnostics(_ text: String) async throws { try await self.errorText.wait(for: text) }

    /// Types into the program.
    func type(_ text: String) throws {
        try self.typing.withLock { try $0?.write(contentsOf: Data(text.utf8)) }
    }

    /// Ends the program's input.
    func endInput() throws { try self.typing.withLock { try $0?.close() } }

    func signal(_ number: CInt) { kill(self.identifier, number) }

    /// A pseudo-terminal (pty(7)).
    private static func makeTerminal() throws -> (master: FileHandle, slave: FileHandle) {
        var (master, slave): (CInt, CInt) = (-1, -1)
        guard openpty(&master, &slave, nil, nil, nil) == 0 else { throw POSIXError(.EIO) }
        _ = fcntl(master, F_SETFD, FD_CLOEXEC)
        return (FileHandle(fileDescriptor: master), FileHandle(fileDescriptor: slave))
    }
}

/// What a program prints, as it comes.
private final class PrintedText: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var hasEnded = false
    }

    private let state = Mutex(State())
    private let changed = NSCondition()

    /// Reads to the end, which a terminal that nobody writes to any more reports as an error.
    init(_ handle: FileHandle?) {
        guard let handle else {
            self.state.withLock { $0.hasEnded = true }
            return
        }
        Thread.detachNewThread {
            var buffer = [UInt8](repeating: 0, count: 16 << 10)
            var count = 1
            while count > 0 {
                count = read(handle.fileDescriptor, &buffer, buffer.count)
                self.changed.lock()
                self.state.withLock { state in
                    state.bytes += buffer[..<max(count, 0)]
                    state.hasEnded = count <= 0
                }
                self.changed.broadcast()
                self.changed.unlock()
            }
        }
    }

    private var text: String { self.state.withLock { String(decoding: $0.bytes, as: UTF8.self) } }

    /// Waits for the end.
    var whole: String {
        self.wait { self.state.withLock(\.hasEnded) }
        return self.text
    }

    func wait(for part: String) async throws {
        let isThere = await onThread {
            self.wait { self.text.contains(part) || self.state.withLock(\.hasEnded) }
            return self.text.contains(part)
        }
        try #require(isThere, "'\(part)' in '\(self.text)'")
    }

    /// Waits until `condition` holds, but no longer than a test should run.
    private func wait(_ condition: () -> Bool) {
        let deadline = Date(timeIntervalSinceNow: 60)
        self.changed.lock()
        defer { self.changed.unlock() }
        while !condition(), self.changed.wait(until: deadline) {}
    }
}
