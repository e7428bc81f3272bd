import Foundation
import GRDB
import JSON
import Testing

/// A bulkheadd of a test's own, with its own socket, state directory and configuration. It ends with the test.
final class Daemon {
    let directory: URL
    private(set) var process = Foundation.Process()
    private let configuration: String?
    private let environment: [String: String]
    private let launcher: [String]
    private let program: URL

    var socket: String { self.directory.appending(path: "s").path }
    var stateDirectory: URL { self.directory.appending(path: "state") }
    var pid: Int32 { self.process.processIdentifier }

    /// - Parameters:
    ///   - configuration: YAML; `nil` starts without a file.
    ///   - program: A bulkheadd with the other programs beside it.
    ///   - launcher: A program and arguments that change what a process inherits, and become the program that follows them.
    init(
        _ configuration: String? = nil, environment: [String: String] = [:], launcher: [String] = [],
        program: URL = Checkout.program("bulkheadd"), start: Bool = true
    ) throws {
        // Short, for a socket's path may have 107 bytes.
        self.directory = URL(filePath: "/tmp/bh-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: self.directory, withIntermediateDirectories: true)
        self.configuration = configuration
        self.environment = environment
        self.launcher = launcher
        self.program = program
        if start { try self.start() }
    }

    deinit {
        if self.process.isRunning { kill(self.pid, SIGKILL) }
        self.process.waitUntilExit()
        try? FileManager.default.removeItem(at: self.directory)
    }

    /// Starts it, and waits until it answers and its record is open.
    func start() throws {
        try self.launch()
        try wait(for: "the daemon to answer: \(self.log)") {
            guard self.process.isRunning else { throw DaemonEnded(log: self.log) }
            guard let wire = try? Wire(self.socket), let status = try? wire.status() else { return false }
            let ready = status["providers"]?.array?.allSatisfy { $0["state"]?.string == "ready" } ?? false
            return ready && status["logger"]?["state"]?.string == "ready"
        }
    }

    /// Starts it, and waits for nothing.
    func launch() throws {
        var arguments = ["--socket", self.socket, "--state-directory", self.stateDirectory.path]
        if let configuration = self.configuration {
            let file = self.directory.appending(path: "bulkhead.yaml")
            try configuration.write(to: file, atomically: true, encoding: .utf8)
            arguments += ["--config", file.path]
        }
        self.process = Foundation.Process()
        let words = self.launcher + [self.program.path] + arguments
        self.process.executableURL = URL(filePath: words[0])
        self.process.arguments = Array(words.dropFirst())
        self.process.environment = self.environment
        let log = self.directory.appending(path: "log")
        if !FileManager.default.fileExists(atPath: log.path) { try Data().write(to: log) }
        let handle = try FileHandle(forWritingTo: log)
        handle.seekToEndOfFile()
        self.process.standardError = handle
        try self.process.run()
    }

    /// Asks it to stop, and waits until it has.
    func stop() throws {
        kill(self.pid, SIGTERM)
        try wait(for: "the daemon to stop: \(self.log)") { !self.process.isRunning }
    }

    var log: String { (try? String(contentsOf: self.directory.appending(path: "log"), encoding: .utf8)) ?? "" }

    // MARK: What it is made of

    func status() throws -> JSONValue { try Wire(self.socket).status() }

    /// The process that now serves a provider.
    func worker(_ provider: String) throws -> Int32 {
        let found = try self.status()["providers"]?.array?.first { $0["name"]?.string == provider }
        return Int32(try #require(found?["pid"]?.integer))
    }

    func provider(_ name: String) throws -> JSONValue {
        try #require(try self.status()["providers"]?.array?.first { $0["name"]?.string == name })
    }

    var loggerProcess: Int32 {
        get throws { Int32(try #require(try self.status()["logger"]?["pid"]?.integer)) }
    }

    /// Waits until no request is open and every process is there.
    func waitUntilIdle() throws {
        try wait(for: "the daemon to be idle") {
            let status = try self.status()
            return status["requests"]?["open"]?.integer == 0 && status["logger"]?["backlog_records"]?.integer == 0
                && status["providers"]?.array?.allSatisfy {
                    $0["state"]?.string == "ready" && $0["busy"]?.integer == 0 && $0["processes"]?.integer == 1
                } ?? false
        }
    }

    /// The rows of the table `requests`.
    func rows(_ sql: String = "SELECT * FROM requests ORDER BY id") throws -> [Row] {
        try DatabaseQueue(path: self.stateDirectory.appending(path: "logs.db").path).read {
            try Row.fetchAll($0, sql: sql)
        }
    }

    func rowStates() throws -> [String: Int] {
        var states: [String: Int] = [:]
        for row in try self.rows() { states[row["state"], default: 0] += 1 }
        return states
    }
}

struct DaemonEnded: Error, CustomStringConvertible {
    let log: String
    var description: String { "the daemon ended: \(self.log)" }
}

/// What the kernel says of a process.
enum ProcFS {
    /// How many descriptors a process has open; 0 where the kernel shows them to root alone, as for a process that leaves no
    /// core.
    static func descriptorCount(_ pid: Int32) throws -> Int {
        do { return try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count } catch CocoaError
            .fileReadNoPermission
        {
            return 0
        }
    }

    static func threadCount(_ pid: Int32) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task").count
    }

    /// A line of /proc/PID/status, in kB: `VmRSS`, or `VmHWM`, its peak.
    static func kilobytes(_ name: String, of pid: Int32) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("\(name):") })
        return try #require(Int(line.split(separator: " ", omittingEmptySubsequences: true)[1].filter(\.isNumber)))
    }

    /// User and system time so far, in clock ticks (proc(5)).
    static func processorTicks(_ pid: Int32) throws -> Int {
        let fields = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8).split(separator: ")").last!.split(
            separator: " ")
        return Int(fields[11])! + Int(fields[12])!
    }

    /// The content of a file of /proc/PID, whose parts are divided by zeros: `cmdline`, `environ`. Empty where the kernel
    /// shows it to root alone, as it does for a process that leaves no core.
    static func bytes(_ name: String, of pid: Int32) throws -> String {
        let file = URL(filePath: "/proc/\(pid)/\(name)")
        guard access(file.path, R_OK) == 0 else { return "" }
        do { return String(decoding: try Data(contentsOf: file), as: UTF8.self) } catch CocoaError.fileReadNoPermission
        {
            return ""
        }
    }

    /// The program that a process runs; `nil` where the kernel shows it to root alone.
    static func program(of pid: Int32) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe")
    }

    /// The processes whose command line holds `text`.
    static func processes(mentioning text: String) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter { pid in
            (try? Self.bytes("cmdline", of: pid).contains(text)) ?? false
        }
    }

    /// The living children of a process.
    static func children(of parent: Int32) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter { pid in
            let status = (try? Self.bytes("status", of: pid)) ?? ""
            return status.contains("\nPPid:\t\(parent)\n") && !status.contains("State:\tZ")
        }
    }

    static func exists(_ pid: Int32) -> Bool {
        guard let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8) else { return false }
        return !status.contains("State:\tZ")
    }
}
