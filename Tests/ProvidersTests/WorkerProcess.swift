import BlockingChannel
import Foundation
import Messages
import Testing

/// The real program, started as the supervisor starts it.
final class WorkerProcess {
    let identifier: pid_t
    var control: BlockingChannel
    var slots: [CInt]

    /// - Parameter errors: Where its standard error goes.
    init(named name: String, slots count: Int, errors: String = "/dev/null") throws {
        let program = try Programs.path("bulkhead-worker")
        let pairs = (0...count).map { _ in
            var pair: [CInt] = [0, 0]
            precondition(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0, &pair) == 0)
            return pair
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT, 0o600)
        // First to numbers that are nobody's, so that no descriptor is overwritten before it is moved.
        for (index, pair) in pairs.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, pair[1], 500 + CInt(index))
        }
        for index in pairs.indices { posix_spawn_file_actions_adddup2(&actions, 500 + CInt(index), 3 + CInt(index)) }
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(program), strdup(name), nil]
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        defer { for argument in arguments { free(argument) } }
        var identifier: pid_t = 0
        let code = posix_spawn(&identifier, program, &actions, nil, &arguments, &environment)
        for pair in pairs { close(pair[1]) }
        try #require(code == 0, "\(program): \(String(cString: strerror(code)))")
        self.identifier = identifier
        self.control = BlockingChannel(adopting: pairs[0][0], maximumPayloadLength: ProtocolBounds.controlFrame)
        self.slots = pairs.dropFirst().map { $0[0] }
    }

    deinit {
        kill(self.identifier, SIGKILL)
        for slot in self.slots { close(slot) }
    }

    func report() throws -> WorkerReport? { try self.control.read().map { try WorkerReport(decoding: $0) } }

    /// Takes a slot out, to use it.
    func takeSlot() -> BlockingChannel {
        BlockingChannel(adopting: self.slots.removeFirst(), maximumPayloadLength: ProtocolBounds.lastFrame)
    }

    /// The supervisor dies; returns how the worker ended.
    func abandon() -> (code: CInt?, signal: CInt) {
        shutdown(self.control.descriptor, CInt(SHUT_RDWR))
        return self.waitForEnd()
    }

    func waitForEnd() -> (code: CInt?, signal: CInt) {
        var status: CInt = 0
        while waitpid(self.identifier, &status, 0) == -1, errno == EINTR {}
        return status & 0x7F == 0 ? (status >> 8 & 0xFF, 0) : (nil, status & 0x7F)
    }
}

/// The programs that were built with these tests.
enum Programs {
    static func path(_ name: String) throws -> String {
        let folders =
            Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }
            + [URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()]
        let paths = folders.map { $0.appendingPathComponent(name).path }
        return try #require(paths.first { FileManager.default.isExecutableFile(atPath: $0) }, "\(name) is not built")
    }
}
