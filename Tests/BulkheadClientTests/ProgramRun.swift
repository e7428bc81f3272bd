import Foundation
import Synchronization

/// A run of the `bulkhead` program.
final class ProgramRun: Sendable {
    private let process: Mutex<Process>
    private let identifier: pid_t
    private let ended: Task<CInt, Never>
    private let outputText: Task<String, Never>
    private let errorText: Task<String, Never>

    /// The directory of the programs: `$BULKHEAD_BIN`, or where this test itself was built.
    private static var directory: String {
        ProcessInfo.processInfo.environment["BULKHEAD_BIN"]
            ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
    }

    /// Starts the program with nothing in its environment but the socket.
    ///
    /// - Parameter closesOutput: Whether standard output is a pipe that nobody reads.
    init(_ arguments: [String], socket: String, input: String = "", closesOutput: Bool = false) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.directory + "/bulkhead")
        process.arguments = arguments
        process.environment = ["BULKHEAD_SOCKET": socket]
        let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
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
        try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        self.outputText =
            closesOutput ? Task { "" } : Self.readAll(stdout.fileHandleForReading.fileDescriptor, keeping: stdout)
        self.errorText = Self.readAll(stderr.fileHandleForReading.fileDescriptor, keeping: stderr)
    }

    var status: CInt { get async { await self.ended.value } }
    var output: String { get async { await self.outputText.value } }
    var diagnostics: String { get async { await self.errorText.value } }

    func signal(_ number: CInt) { kill(self.identifier, number) }

    private static func readAll(_ descriptor: CInt, keeping pipe: Pipe) -> Task<String, Never> {
        let handle = pipe.fileHandleForReading
        return Task {
            await onThread { String(decoding: (try? handle.readToEnd()) ?? Data(), as: UTF8.self) }
        }
    }
}
