import Foundation
import Framing
import Messages
import Testing

/// The real `bulkhead-logger --read`, and what the supervisor sees of it.
@Suite struct ReaderProgramTests {
    let file: RecordedFile

    init() throws { self.file = try RecordedFile() }

    private func reader() throws -> LoggerProcess {
        try LoggerProcess("--read", "--database", self.file.directory.database, in: self.file.directory)
    }

    private func ready(_ reader: LoggerProcess) throws {
        #expect(
            try reader.receiveAnswer()
                == .ready(protocolVersion: ProtocolVersion.current, version: SoftwareVersion.current))
    }

    private func query(_ number: Int, _ question: ReaderQuery.Question, uid: Int? = nil) -> ReaderQuery {
        ReaderQuery(number: number, uid: uid, question)
    }

    @Test func questionsAreAnsweredInTheirOrderWhileTheLoggerWrites() throws {
        let reader = try self.reader()
        try self.ready(reader)
        let first = try self.file.exchange("one", "1")
        var bad = LogsRequest()
        bad.search = "\""
        try reader.ask([
            self.query(1, .history(conversation: first.conversation), uid: 1000),
            self.query(2, .history(conversation: first.conversation), uid: 1001),
            self.query(3, .logs(bad)), self.query(4, .logs(LogsRequest())), self.query(5, .requests(RequestsRequest())),
        ])
        guard case .history(1, let history) = try reader.receiveAnswer() else { throw Unexpected() }
        #expect(history.tip == (try self.file.tip(of: first.conversation)))
        guard case .error(2, let missing) = try reader.receiveAnswer() else { throw Unexpected() }
        #expect(missing.code == .notFound)
        guard case .error(3, let unreadable) = try reader.receiveAnswer() else { throw Unexpected() }
        #expect(unreadable.code == .invalidRequest)
        for number in 4...5 {
            guard case .page(number, let rows, nil) = try reader.receiveAnswer() else { throw Unexpected() }
            #expect(String(decoding: rows, as: UTF8.self).hasPrefix(#"[{"id":"\#(first.id)""#))
        }
        // What is committed later is seen by the next question.
        try self.file.exchange("two", "2", in: first.conversation)
        try reader.ask([self.query(6, .history(conversation: first.conversation))])
        guard case .history(6, let longer) = try reader.receiveAnswer() else { throw Unexpected() }
        #expect(longer.tip != history.tip)
        reader.closeChannel()
        #expect(try reader.wait() == 0)
        #expect(reader.standardError == "")
    }

    @Test func itTakesNoLockAndNeedsNone() throws {
        let logger = try LoggerProcess("--database", self.file.directory.database, in: self.file.directory)
        try logger.begin(Samples.ulid())
        let (first, second) = (try self.reader(), try self.reader())
        try self.ready(first)
        try self.ready(second)
        try logger.send(Samples.commands(for: Samples.ulids(1)))
        #expect(try logger.awaitAcknowledgement(of: 2) == 2)
    }

    @Test(arguments: [SIGTERM, SIGINT, SIGHUP])
    func aSignalToTheWholeDaemonDoesNotEndTheReader(signal: CInt) throws {
        let reader = try self.reader()
        try self.ready(reader)
        reader.signal(signal)
        try reader.ask([self.query(1, .requests(RequestsRequest()))])
        #expect(try reader.receiveAnswer() == .page(query: 1, rows: Array("[]".utf8), next: nil))
        reader.closeChannel()
        #expect(try reader.wait() == 0)
    }

    @Test func aSupervisorThatReadsNoAnswersEndsIt() throws {
        let reader = try self.reader()
        try self.file.exchange("one", String(repeating: "x", count: 200_000))
        try reader.ask((1...20).map { self.query($0, .logs(LogsRequest())) })
        reader.closeChannel()
        #expect(try reader.wait() == 0)
    }

    @Test(arguments: [
        FrameEncoder.encode(Array("garbage".utf8)), FrameEncoder.encode(Array(#"{"op":"dance","query":3}"#.utf8)),
        [0xFF, 0xFF, 0xFF, 0xFF],
    ])
    func whatIsNotTheProtocolEndsIt(bytes: [UInt8]) throws {
        let reader = try self.reader()
        try self.ready(reader)
        try reader.send(bytes: bytes)
        #expect(try reader.wait() == 65)
        #expect(reader.standardError.split(separator: "\n").count == 1)
    }

    @Test func aFileThatIsMissingEndsItWithOneLine() throws {
        let path = self.file.directory.path + "/nowhere.db"
        let reader = try LoggerProcess("--read", "--database", path, in: self.file.directory)
        #expect(try reader.wait() == 78)
        #expect(reader.standardError.contains(path))
        #expect(reader.standardError.split(separator: "\n").count == 1)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func aReaderHasNoDurability() throws {
        let reader = try LoggerProcess(
            "--read", "--database", self.file.directory.database, "--durability", "commit", in: self.file.directory)
        #expect(try reader.wait() == 64)
        #expect(reader.standardError.contains("bulkhead-logger --read --database PATH"))
    }
}

/// Another answer than the one that was due.
private struct Unexpected: Error {}

extension LoggerProcess {
    func ask(_ queries: [ReaderQuery]) throws {
        try self.send(bytes: queries.flatMap { FrameEncoder.encode($0.encoded) })
    }

    /// The next answer of a reader, or `nil` if it closed the channel.
    func receiveAnswer() throws -> ReaderReply? {
        try self.receivePayload().map { try ReaderReply(decoding: $0) }
    }
}
