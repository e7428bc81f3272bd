import Foundation
import Framing
import Messages
import Testing

/// A real bulkhead-logger, and the supervisor's end of its channel.
final class LoggerProcess {
    let pid: pid_t
    private var channel: CInt
    private var decoder = FrameDecoder(maximumPayloadLength: ProtocolBounds.logFrame)
    private let standardErrorPath: String

    /// For anything that is waited for.
    private static let patienceMilliseconds: CInt = 60_000

    static var executable: String {
        let directory = ProcessInfo.processInfo.environment["BULKHEAD_BIN"]
        let beside = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
        return (directory ?? beside) + "/bulkhead-logger"
    }

    /// - Parameter fileSizeLimit: Beyond how many KiB no file of the process grows, as if the disk were full.
    convenience init(_ arguments: String..., in directory: TemporaryDirectory, fileSizeLimit: Int? = nil) throws {
        try self.init(arguments, in: directory, fileSizeLimit: fileSizeLimit)
    }

    init(_ arguments: [String], in directory: TemporaryDirectory, fileSizeLimit: Int? = nil) throws {
        var ends: [CInt] = [0, 0]
        try #require(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        self.channel = ends[0]
        self.standardErrorPath = directory.path + "/stderr-\(UUID().uuidString)"

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 3)
        posix_spawn_file_actions_addopen(&actions, 2, self.standardErrorPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)

        var command = [Self.executable] + arguments
        if let fileSizeLimit {
            command = ["/bin/sh", "-c", #"ulimit -f "$0"; exec "$@""#, String(fileSizeLimit * 2)] + command
        }
        var argv = command.map { strdup($0) }
        defer { for argument in argv { free(argument) } }
        argv.append(nil)
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        var pid: pid_t = 0
        let status = posix_spawn(&pid, command[0], &actions, nil, argv, &environment)
        close(ends[1])
        try #require(status == 0, "cannot start \(command[0]): \(String(cString: strerror(status)))")
        self.pid = pid
    }

    deinit {
        self.closeChannel()
        if self.exitStatus == nil { Glibc.kill(self.pid, SIGKILL) }
        _ = try? self.wait()
    }

    private var exitStatus: CInt?

    // MARK: Channel

    func send(_ commands: [LoggerCommand]) throws {
        var bytes: [UInt8] = []
        for command in commands { FrameEncoder.append(command.encoded, to: &bytes) }
        try self.send(bytes: bytes)
    }

    /// Sends everything, or as much as a dying logger takes. Reads replies meanwhile, as a supervisor must.
    func send(bytes: [UInt8]) throws {
        var start = 0
        while start < bytes.count {
            let ready = try self.poll(POLLIN | POLLOUT)
            if ready & POLLIN != 0, !(try self.fill()) { return }
            guard ready & POLLOUT != 0 else { continue }
            guard let count = self.trySend(bytes[start...]) else { return }
            start += count
        }
    }

    /// Sends commands until the kernel takes no more, reads nothing, and returns how many went out whole.
    func sendWithoutWaiting(_ commands: [LoggerCommand]) -> Int {
        for (index, command) in commands.enumerated() {
            let frame = FrameEncoder.encode(command.encoded)
            guard self.trySend(frame[...]) == frame.count else { return index }
        }
        return commands.count
    }

    /// The number of bytes taken, or `nil` if nobody is at the other end.
    private func trySend(_ bytes: ArraySlice<UInt8>) -> Int? {
        let count = bytes.withUnsafeBytes {
            Glibc.send(self.channel, $0.baseAddress!, $0.count, CInt(MSG_NOSIGNAL | MSG_DONTWAIT))
        }
        if count >= 0 { return count }
        return errno == EAGAIN ? 0 : nil
    }

    /// The next reply, or `nil` if the logger closed the channel.
    func receive() throws -> LoggerReply? { try self.receivePayload().map { try LoggerReply(decoding: $0) } }

    /// The payload of the next frame, or `nil` if the logger closed the channel.
    func receivePayload() throws -> [UInt8]? {
        while true {
            if let payload = try self.decoder.next() { return Array(payload) }
            _ = try self.poll(POLLIN)
            guard try self.fill() else { return nil }
        }
    }

    /// Begins a session and returns what the logger has of it.
    @discardableResult
    func begin(_ session: ULID) throws -> Int {
        try self.send([.begin(session: session, atMilliseconds: Samples.now)])
        guard case .ready(let version, _, let acknowledged) = try self.receive() else {
            throw Unexpected(description: "no 'ready': \(self.standardError)")
        }
        #expect(version == ProtocolVersion.current)
        return acknowledged
    }

    /// Reads replies until `sequence` is acknowledged or the channel ends, and returns the last number.
    @discardableResult
    func awaitAcknowledgement(of sequence: Int) throws -> Int {
        var last = 0
        while last < sequence, let reply = try self.receive() {
            guard case .acknowledged(let number) = reply else { throw Unexpected(description: "\(reply)") }
            #expect(number >= last)
            last = number
        }
        return last
    }

    /// Waits until a reply has arrived, and leaves it in the kernel.
    func awaitInput() throws { _ = try self.poll(POLLIN) }

    func closeChannel() {
        guard self.channel >= 0 else { return }
        close(self.channel)
        self.channel = -1
    }

    private func poll(_ events: Int32) throws -> Int32 {
        var entry = pollfd(fd: self.channel, events: Int16(events), revents: 0)
        try #require(Glibc.poll(&entry, 1, Self.patienceMilliseconds) > 0, "the logger says nothing")
        return Int32(entry.revents)
    }

    /// Reads once; `false` at the end.
    private func fill() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        let count = read(self.channel, &buffer, buffer.count)
        guard count > 0 else { return false }
        self.decoder.append(buffer[..<count])
        return true
    }

    // MARK: Process

    func signal(_ number: CInt) { Glibc.kill(self.pid, number) }

    /// Stops the process, and returns when it stands still.
    func suspend() {
        self.signal(SIGSTOP)
        var status: CInt = 0
        waitpid(self.pid, &status, WUNTRACED)
    }

    /// Waits for the end; the exit code, or minus the signal that killed it.
    func wait() throws -> CInt {
        if let status = self.exitStatus { return status }
        var status: CInt = 0
        let deadline = ContinuousClock.now + .milliseconds(Int(Self.patienceMilliseconds))
        while waitpid(self.pid, &status, WNOHANG) == 0 {
            if ContinuousClock.now > deadline {
                Issue.record("the logger does not end")
                self.signal(SIGKILL)
            }
            _ = Glibc.poll(nil, 0, 5)
        }
        let result = status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
        self.exitStatus = result
        return result
    }

    /// What it wrote for the operator.
    var standardError: String { (try? String(contentsOfFile: self.standardErrorPath, encoding: .utf8)) ?? "" }

    struct Unexpected: Error { let description: String }
}
