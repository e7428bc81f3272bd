import Foundation
import Testing

/// A run of one program, with what it prints kept in files, so that it never waits for a reader. It ends with the test.
final class ProgramRun {
    private let process = Foundation.Process()
    private let directory: URL

    var pid: Int32 { self.process.processIdentifier }
    var isRunning: Bool { self.process.isRunning }
    var output: String { self.text("output") }
    var errors: String { self.text("errors") }

    /// - Parameters:
    ///   - environment: The whole of it: nothing is inherited.
    ///   - input: What is piped into it, up to what a pipe holds (64 KiB).
    ///   - inputHandle: What it reads instead of a pipe.
    ///   - outputHandle: Where its standard output goes instead of into ``output``.
    init(
        _ program: URL, _ arguments: [String], environment: [String: String] = [:], input: String = "",
        inputHandle: FileHandle? = nil, outputHandle: FileHandle? = nil
    ) throws {
        self.directory = URL(filePath: "/tmp/bh-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: self.directory, withIntermediateDirectories: true)
        self.process.executableURL = program
        self.process.arguments = arguments
        self.process.environment = environment
        let pipe = Pipe()
        self.process.standardInput = inputHandle ?? pipe.fileHandleForReading
        self.process.standardOutput = try outputHandle ?? self.file("output")
        self.process.standardError = try self.file("errors")
        try pipe.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try pipe.fileHandleForWriting.close()
        try self.process.run()
    }

    deinit {
        if self.process.isRunning { kill(self.pid, SIGKILL) }
        self.process.waitUntilExit()
        try? FileManager.default.removeItem(at: self.directory)
    }

    /// Waits until it has ended, and returns its exit status as a shell shows it.
    @discardableResult
    func status(sourceLocation: SourceLocation = #_sourceLocation) throws -> Int32 {
        try wait(
            for: "\(self.process.executableURL?.lastPathComponent ?? "") to end: \(self.errors)",
            sourceLocation: sourceLocation
        ) {
            !self.process.isRunning
        }
        let status = self.process.terminationStatus
        return self.process.terminationReason == .uncaughtSignal ? 128 + status : status
    }

    func signal(_ number: Int32) { kill(self.pid, number) }

    private func file(_ name: String) throws -> FileHandle {
        let file = self.directory.appending(path: name)
        try Data().write(to: file)
        return try FileHandle(forWritingTo: file)
    }

    private func text(_ name: String) -> String {
        String(decoding: (try? Data(contentsOf: self.directory.appending(path: name))) ?? Data(), as: UTF8.self)
    }

    // MARK: Programs that a machine may lack

    /// Runs Python, which is found by PATH.
    static func python(_ arguments: [String], environment: [String: String] = [:], input: String = "") throws
        -> ProgramRun
    {
        let inherited = ProcessInfo.processInfo.environment.filter { ["PATH", "HOME"].contains($0.key) }
        return try ProgramRun(
            URL(filePath: "/usr/bin/env"), ["python3"] + arguments,
            environment: inherited.merging(environment) { $1 }, input: input)
    }

    static let hasPython: Bool = { (try? ProgramRun.python(["--version"]).status()) == 0 }()
}
