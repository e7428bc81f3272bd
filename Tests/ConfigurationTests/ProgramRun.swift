import Foundation
import Testing

/// One run of bulkhead-config to its end.
struct ProgramRun {
    let exitCode: Int32
    let output: String
    let errors: String
    /// What it sent on descriptor 3.
    let channel: [UInt8]

    /// - Parameters:
    ///   - withChannel: Whether descriptor 3 is one end of a socket pair, as bulkheadd makes it.
    ///   - launcher: A program and its arguments that starts it; none starts it at once.
    init(
        _ arguments: [String], environment: [String: String] = [:], withChannel: Bool = false,
        through launcher: [String] = []
    ) throws {
        let command = launcher + [Self.path] + arguments
        let directory = try TemporaryDirectory()
        let (outputPath, errorPath) = ("\(directory.path)/output", "\(directory.path)/errors")
        var ends: [CInt] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        defer { close(ends[0]) }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errorPath, O_WRONLY | O_CREAT, 0o600)
        if withChannel {
            posix_spawn_file_actions_adddup2(&actions, ends[1], 3)
        } else {
            posix_spawn_file_actions_addopen(&actions, 3, "/dev/null", O_RDONLY, 0)
        }
        let argumentPointers = command.map { strdup($0) } + [nil]
        let environmentPointers = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { (argumentPointers + environmentPointers).forEach { free($0) } }
        var process = pid_t()
        let code = posix_spawn(&process, command[0], &actions, nil, argumentPointers, environmentPointers)
        close(ends[1])
        try #require(code == 0, "\(command[0]): \(String(cString: strerror(code)))")

        self.channel = Self.readToEnd(ends[0])
        var status: CInt = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        self.exitCode = status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
        self.output = try String(contentsOfFile: outputPath, encoding: .utf8)
        self.errors = try String(contentsOfFile: errorPath, encoding: .utf8)
    }

    /// The payload of what must be exactly one frame.
    func onlyFrame() throws -> [UInt8] {
        try #require(self.channel.count >= 4)
        let length = self.channel[..<4].reduce(0) { $0 << 8 | Int($1) }
        try #require(self.channel.count == 4 + length)
        return Array(self.channel[4...])
    }

    private static func readToEnd(_ descriptor: CInt) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count > 0 {
                bytes += buffer[..<count]
            } else if count == 0 || errno != EINTR {
                return bytes
            }
        }
    }

    /// The program stands beside the executable of the tests.
    private static let path: String = {
        let tests =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("bulkhead-config").path
    }()
}
