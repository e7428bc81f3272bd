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

    /// Starts the program with nothing in its environment but the socket and a time zone.
    ///
    /// - Parameters:
    ///   - closesOutput: Whether standard output is a pipe that nobody reads.
    ///   - onTerminal: Whether standard output is a terminal.
    init(
        _ arguments: [String], socket: String, input: String = "", closesOutput: Bool = false, onTerminal: Bool = false
    ) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.directory + "/bulkhead")
        process.arguments = arguments
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
        try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        try terminal?.slave.close()
        self.outputText =
            closesOutput ? Task { "" } : Self.readAll(terminal?.master ?? stdout.fileHandleForReading)
        self.errorText = Self.readAll(stderr.fileHandleForReading)
    }

    var status: CInt { get async { await self.ended.value } }
    var output: String { get async { await self.outputText.value } }
    var diagnostics: String { get async { await self.errorText.value } }

    func signal(_ number: CInt) { kill(self.identifier, number) }

    /// A pseudo-terminal (pty(7)).
    private static func makeTerminal() throws -> (master: FileHandle, slave: FileHandle) {
        var (master, slave): (CInt, CInt) = (-1, -1)
        guard openpty(&master, &slave, nil, nil, nil) == 0 else { throw POSIXError(.EIO) }
        _ = fcntl(master, F_SETFD, FD_CLOEXEC)
        return (FileHandle(fileDescriptor: master), FileHandle(fileDescriptor: slave))
    }

    /// Reads to the end, which a terminal that nobody writes to any more reports as an error.
    private static func readAll(_ handle: FileHandle) -> Task<String, Never> {
        Task {
            await onThread {
                var bytes: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 16 << 10)
                while true {
                    let count = read(handle.fileDescriptor, &buffer, buffer.count)
                    guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
                    bytes += buffer[..<count]
                }
            }
        }
    }
}
