import Foundation
import Testing

/// The program whose tables these are, where it is installed (scripts/llm).
enum LLM {
    /// `BULKHEAD_LLM`, or the one that scripts/llm has put below the package.
    static let executable: String? = {
        if let path = ProcessInfo.processInfo.environment["BULKHEAD_LLM"] { return path }
        var folder = URL(fileURLWithPath: #filePath)
        repeat {
            folder.deleteLastPathComponent()
        } while !Self.exists(folder.path + "/Package.swift")
            && folder.path != "/"
        let directory = folder.path + "/.build/llm"
        return Self.exists(directory + "/packages") ? directory + "/bin/llm" : nil
    }()

    static let isMissing: Comment = "there is no llm: scripts/llm, or name one in BULKHEAD_LLM"

    private static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    /// Runs `llm` to its end, with the directory as its own.
    static func run(_ arguments: String..., in directory: TemporaryDirectory) throws -> ProgramRun.Outcome {
        try ProgramRun(try #require(Self.executable), arguments, in: directory).wait()
    }

    /// Runs a script in the Python that llm is installed in.
    static func python(
        _ script: String, _ arguments: String..., in directory: TemporaryDirectory
    ) throws -> ProgramRun.Outcome {
        try Self.start(script, arguments, in: directory).wait()
    }

    /// Starts a script in the Python that llm is installed in.
    static func start(_ script: String, _ arguments: [String], in directory: TemporaryDirectory) throws -> ProgramRun {
        let python = URL(fileURLWithPath: try #require(Self.executable)).deletingLastPathComponent().path + "/python3"
        return try ProgramRun(python, ["-c", script] + arguments, in: directory)
    }
}

/// A program that runs with nothing in its environment but a directory of its own.
final class ProgramRun {
    struct Outcome {
        let status: Int32
        let output: String
        let errors: String
    }

    private let place: String
    private let process: pid_t

    init(_ executable: String, _ arguments: [String], in directory: TemporaryDirectory) throws {
        self.place = "\(directory.path)/run-\(UUID().uuidString)"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, self.place + ".out", O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, self.place + ".err", O_WRONLY | O_CREAT, 0o600)
        let environment = [
            "LLM_USER_PATH=\(directory.path)", "HOME=\(directory.path)", "PATH=/usr/bin:/bin", "LANG=C.UTF-8",
        ]
        let argumentPointers = ([executable] + arguments).map { strdup($0) } + [nil]
        let environmentPointers = environment.map { strdup($0) } + [nil]
        defer { (argumentPointers + environmentPointers).forEach { free($0) } }
        var process = pid_t()
        let code = posix_spawn(&process, executable, &actions, nil, argumentPointers, environmentPointers)
        try #require(code == 0, "\(executable): \(String(cString: strerror(code)))")
        self.process = process
    }

    /// Waits for its end.
    func wait() throws -> Outcome {
        var status: CInt = 0
        while waitpid(self.process, &status, 0) < 0 && errno == EINTR {}
        return Outcome(
            status: status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F),
            output: try String(contentsOfFile: self.place + ".out", encoding: .utf8),
            errors: try String(contentsOfFile: self.place + ".err", encoding: .utf8))
    }
}
