import Foundation
import Framing
import Messages
import Testing

/// The real executable, and what the operator and the supervisor see of it.
@Suite struct LoggerProgramTests {
    let directory: TemporaryDirectory

    init() throws { self.directory = try TemporaryDirectory() }

    private func logger(durability: String = "commit") throws -> LoggerProcess {
        try LoggerProcess("--database", self.directory.database, "--durability", durability, in: self.directory)
    }

    @Test(arguments: ["commit", "relaxed"])
    func whatArrivedTogetherIsAcknowledgedWhenItIsInTheFile(durability: String) throws {
        let logger = try self.logger(durability: durability)
        #expect(try logger.begin(Samples.ulid()) == 0)
        let commands = Samples.commands(for: Samples.ulids(300))
        try logger.send(commands)
        #expect(try logger.awaitAcknowledgement(of: 600) == 600)
        // The logger still runs: another program reads what was acknowledged.
        #expect(try LogFile(self.directory.database).states() == ["done": 300])

        logger.closeChannel()
        #expect(try logger.wait() == 0)
        #expect(logger.standardError == "")
        #expect(try LogFile(self.directory.database).isIntact)
    }

    @Test func recordsThatWaitTogetherAreCommittedTogether() throws {
        let logger = try self.logger()
        try logger.begin(Samples.ulid())
        logger.suspend()
        let sent = logger.sendWithoutWaiting(Samples.commands(for: Samples.ulids(50)))
        #expect(sent == 100)
        logger.signal(SIGCONT)
        #expect(try logger.receive() == .acknowledged(sequence: 100))
    }

    @Test func aRecordThatIsInTheFileIsAcknowledgedAgain() throws {
        let logger = try self.logger()
        try logger.begin(Samples.ulid())
        let commands = Samples.commands(for: Samples.ulids(2))
        try logger.send(commands)
        try logger.awaitAcknowledgement(of: 4)
        try logger.send([commands[1]])
        #expect(try logger.receive() == .acknowledged(sequence: 4))
        #expect(try LogFile(self.directory.database).states() == ["done": 2])
    }

    @Test func itMakesWhatIsMissingAndLetsNobodyElseRead() throws {
        let database = self.directory.path + "/state/bulkhead/logs.db"
        let logger = try LoggerProcess("--database", database, in: self.directory)
        try logger.begin(Samples.ulid())
        for (path, mode) in [
            ("state", 0o700), ("state/bulkhead", 0o700), ("state/bulkhead/logs.db", 0o600),
            ("state/bulkhead/logs.db-wal", 0o600), ("state/bulkhead/logs.db-shm", 0o600),
            ("state/bulkhead/logs.db.lock", 0o600),
        ] {
            var status = stat()
            #expect(stat(self.directory.path + "/" + path, &status) == 0)
            #expect(status.st_mode & 0o7777 == mode, "\(path)")
        }
        logger.closeChannel()
        #expect(try logger.wait() == 0)
        let left = try FileManager.default.contentsOfDirectory(atPath: self.directory.path + "/state/bulkhead")
        #expect(left.sorted() == ["logs.db", "logs.db.lock"])
    }

    @Test(arguments: [SIGTERM, SIGINT, SIGHUP])
    func aSignalToTheWholeDaemonDoesNotEndTheLogger(signal: CInt) throws {
        let logger = try self.logger()
        try logger.begin(Samples.ulid())
        logger.signal(signal)
        try logger.send(Samples.commands(for: Samples.ulids(1)))
        #expect(try logger.awaitAcknowledgement(of: 2) == 2)
        logger.closeChannel()
        #expect(try logger.wait() == 0)
    }

    @Test func aSecondLoggerOnTheFileIsRefused() throws {
        let first = try self.logger()
        try first.begin(Samples.ulid())
        let second = try self.logger()
        #expect(try second.wait() == 75)
        #expect(second.standardError.contains("another daemon uses \(self.directory.database)"))
        try first.send(Samples.commands(for: Samples.ulids(1)))
        #expect(try first.awaitAcknowledgement(of: 2) == 2)
    }

    @Test func aSuccessorWaitsForItsPredecessor() throws {
        let session = Samples.ulid()
        let commands = Samples.commands(for: Samples.ulids(20))
        let first = try self.logger()
        try first.begin(session)
        first.suspend()
        #expect(first.sendWithoutWaiting(commands) == 40)
        first.closeChannel()
        let second = try self.logger()
        try second.send([.begin(session: session, atMilliseconds: Samples.now)])
        first.signal(SIGCONT)
        #expect(
            try second.receive()
                == .ready(
                    protocolVersion: ProtocolVersion.current, version: SoftwareVersion.current, acknowledged: 40))
    }

    @Test func anEndWithoutARowIsReportedAndAcknowledged() throws {
        let logger = try self.logger()
        try logger.begin(Samples.ulid())
        let requests = Samples.ulids(2)
        try logger.send([
            .record(sequence: 1, Samples.end(requests[0])), .record(sequence: 2, Samples.open(requests[1])),
        ])
        #expect(try logger.awaitAcknowledgement(of: 2) == 2)
        logger.closeChannel()
        #expect(try logger.wait() == 0)
        #expect(logger.standardError.contains(requests[0].description))
        #expect(try LogFile(self.directory.database).states() == ["open": 1])
    }

    @Test(arguments: [
        FrameEncoder.encode(Array("garbage".utf8)), FrameEncoder.encode(Array(#"{"op":"dance","sequence":3}"#.utf8)),
        [0xFF, 0xFF, 0xFF, 0xFF],
        FrameEncoder.encode(LoggerCommand.record(sequence: 4, Samples.open(Samples.ulid())).encoded),
        FrameEncoder.encode(LoggerCommand.begin(session: Samples.ulid(), atMilliseconds: 0).encoded),
    ])
    func whatIsNotTheProtocolEndsTheLoggerAfterWhatCameBefore(bytes: [UInt8]) throws {
        let logger = try self.logger()
        try logger.begin(Samples.ulid())
        logger.suspend()
        #expect(logger.sendWithoutWaiting(Samples.commands(for: Samples.ulids(1))) == 2)
        try logger.send(bytes: bytes)
        logger.signal(SIGCONT)
        #expect(try logger.wait() == 65)
        #expect(logger.standardError.split(separator: "\n").count == 1)
        #expect(try LogFile(self.directory.database).states() == ["done": 1])
    }

    @Test func aRecordBeforeBeginIsRefused() throws {
        let logger = try self.logger()
        try logger.send(Samples.commands(for: Samples.ulids(1)))
        #expect(try logger.wait() == 65)
        #expect(logger.standardError.contains("before 'begin'"))
    }

    @Test func aChannelThatEndsBeforeBeginIsNoError() throws {
        let logger = try self.logger()
        logger.closeChannel()
        #expect(try logger.wait() == 0)
        #expect(logger.standardError == "")
    }

    @Test func aFileThatIsNoDatabaseEndsItWithOneLine() throws {
        try "no database".write(toFile: self.directory.database, atomically: false, encoding: .utf8)
        let logger = try self.logger()
        #expect(try logger.wait() == 78)
        #expect(logger.standardError.contains("not a database"))
        #expect(logger.standardError.split(separator: "\n").count == 1)
    }

    @Test func aDirectoryThatCannotBeMadeEndsItWithOneLine() throws {
        let logger = try LoggerProcess("--database", "/proc/nowhere/logs.db", in: self.directory)
        #expect(try logger.wait() == 78)
        #expect(logger.standardError.contains("/proc/nowhere"))
        #expect(logger.standardError.split(separator: "\n").count == 1)
    }

    @Test(arguments: [
        [], ["--database"], ["--database", "logs.db", "--durability", "maybe"], ["--database", "logs.db", "more"],
    ])
    func aWrongCommandLineIsRefusedWithTheRightOne(arguments: [String]) throws {
        let logger = try LoggerProcess(arguments, in: self.directory)
        #expect(try logger.wait() == 64)
        #expect(logger.standardError.contains("usage: bulkhead-logger --database PATH"))
    }
}
