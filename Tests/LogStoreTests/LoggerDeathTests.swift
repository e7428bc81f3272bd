import Foundation
import Messages
import Testing

/// The logger, its supervisor or its disk dies: what was acknowledged stays, and nothing is there twice.
@Suite struct LoggerDeathTests {
    let directory: TemporaryDirectory

    init() throws { self.directory = try TemporaryDirectory() }

    private func logger(fileSizeLimit: Int? = nil) throws -> LoggerProcess {
        try LoggerProcess("--database", self.directory.database, in: self.directory, fileSizeLimit: fileSizeLimit)
    }

    /// What every test here must find at the end: each request once, done, in a sound file.
    private func expectEachOnce(_ requests: [ULID]) throws {
        let file = try LogFile(self.directory.database)
        #expect(
            try file.texts("SELECT id FROM requests WHERE state = 'done' ORDER BY id") == requests.map(\.description))
        #expect(try file.integer("SELECT count(*) FROM requests") == requests.count)
        #expect(
            try file.integer(
                """
                SELECT count(*) FROM requests JOIN turns ON turns.id = turn JOIN turn_search ON turn_id = turn
                WHERE prompt = 'ask ' || requests.id AND response = 'answer ' || requests.id
                """) == requests.count)
        #expect(try file.integer("SELECT count(*) FROM messages") == 2 * requests.count)
        #expect(try file.isIntact)
    }

    @Test(arguments: [1, 250, 999])
    func aKilledLoggerGoesOnWhereItWas(recordsBeforeDeath: Int) throws {
        let session = Samples.ulid()
        let requests = Samples.ulids(500)
        let commands = Samples.commands(for: requests)
        let first = try self.logger()
        try first.begin(session)
        try first.send(Array(commands[..<recordsBeforeDeath]))
        try first.awaitInput()
        first.signal(SIGKILL)
        #expect(try first.wait() == -SIGKILL)
        let acknowledged = try first.awaitAcknowledgement(of: recordsBeforeDeath)
        #expect(acknowledged > 0)

        let second = try self.logger()
        let known = try second.begin(session)
        #expect((acknowledged...recordsBeforeDeath).contains(known))
        try second.send(commands)
        #expect(try second.awaitAcknowledgement(of: 1000) == 1000)
        second.closeChannel()
        #expect(try second.wait() == 0)
        try self.expectEachOnce(requests)
    }

    @Test(arguments: [false, true])
    func whatADeadSupervisorSentIsCommitted(repliesWereRead: Bool) throws {
        let requests = Samples.ulids(50)
        let commands = Samples.commands(for: requests)
        let logger = try self.logger()
        try logger.begin(Samples.ulid())
        try logger.send([commands[0]])
        // A socket that closes over unread bytes resets the connection instead of ending it.
        if repliesWereRead { try logger.awaitAcknowledgement(of: 1) } else { try logger.awaitInput() }
        logger.suspend()
        #expect(logger.sendWithoutWaiting(Array(commands[1...])) == 99)
        logger.closeChannel()
        logger.signal(SIGCONT)
        #expect(try logger.wait() == 0)
        #expect(logger.standardError == "")
        try self.expectEachOnce(requests)
    }

    @Test func aSupervisorThatDiesInTheMiddleOfAFrameIsNoError() throws {
        let requests = Samples.ulids(1)
        let logger = try self.logger()
        try logger.begin(Samples.ulid())
        try logger.send(Samples.commands(for: requests))
        try logger.send(bytes: [0, 0, 1])
        logger.closeChannel()
        #expect(try logger.wait() == 0)
        #expect(logger.standardError == "")
        try self.expectEachOnce(requests)
    }

    @Test func whatARunOfTheSupervisorLeftOpenIsLostInTheNext() throws {
        let requests = Samples.ulids(2)
        let first = try self.logger()
        try first.begin(Samples.ulid())
        try first.send([
            .record(sequence: 1, Samples.open(requests[0])), .record(sequence: 2, Samples.open(requests[1])),
            .record(sequence: 3, Samples.end(requests[1])),
        ])
        first.closeChannel()
        #expect(try first.wait() == 0)

        let second = try self.logger()
        #expect(try second.begin(Samples.ulid()) == 0)
        #expect(try LogFile(self.directory.database).states() == ["lost": 1, "done": 1])
    }

    @Test func aDiskThatFillsUpLosesNothingThatWasAcknowledged() throws {
        let session = Samples.ulid()
        let requests = Samples.ulids(5000)
        let commands = Samples.commands(for: requests)
        let first = try self.logger(fileSizeLimit: 8192)
        try first.begin(session)
        try first.send(commands)
        let acknowledged = try first.awaitAcknowledgement(of: commands.count)
        #expect(try first.wait() == 74)
        #expect(first.standardError.contains(self.directory.database))
        #expect(first.standardError.split(separator: "\n").count == 1)
        #expect(acknowledged > 0)
        #expect(acknowledged < commands.count)

        let file = try LogFile(self.directory.database)
        #expect(try file.isIntact)
        let sequence = try file.integer("SELECT sequence FROM bulkhead_session")
        #expect(sequence == acknowledged)
        let states = try file.states()
        #expect(states["open", default: 0] + 2 * states["done", default: 0] == acknowledged)

        let second = try self.logger()
        #expect(try second.begin(session) == acknowledged)
        try second.send(Array(commands[acknowledged...]))
        #expect(try second.awaitAcknowledgement(of: commands.count) == commands.count)
        try self.expectEachOnce(requests)
    }
}
