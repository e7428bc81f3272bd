internal import GRDB
internal import GRDBSQLite
public import Messages

/// Answers questions about the record (proto/reader.md), from a connection that cannot write.
///
/// The writer may have the file open. A question sees what was committed when it began, and ends in a bounded time and
/// memory, with an answer of a bounded size.
public final class LogReader {
    public let path: String
    private let queue: DatabaseQueue
    private let clock: QuestionClock
    private var connection: ReadConnection?
    private let report: (LogStoreError) -> Void
    private var reported: LogStoreError?

    /// How long to wait where another program has the file for itself.
    private static let busyTimeoutSeconds = 2.0

    /// Opens the file, which must be there, with tables that are up to date.
    ///
    /// - Parameters:
    ///   - patience: How long a question may take before it is ended with an error.
    ///   - slice: How long a question may look through rows before it answers with those that it has found.
    ///   - report: Gets what is wrong with the file when a question cannot be answered because of it.
    public init(
        path: String, patience: Duration = .seconds(5), slice: Duration = .seconds(1),
        report: @escaping (LogStoreError) -> Void = { _ in }
    ) throws(LogStoreError) {
        self.path = path
        self.report = report
        let clock = QuestionClock(patience: patience, slice: slice)
        self.clock = clock
        do {
            var configuration = GRDB.Configuration()
            configuration.label = "log-reader"
            configuration.readonly = true
            configuration.busyMode = .timeout(Self.busyTimeoutSeconds)
            self.queue = try DatabaseQueue(path: path, configuration: configuration)
            clock.begin()
            self.connection = try self.queue.read { db in
                try LogSchema.check(db)
                return try ReadConnection(db, clock: clock)
            }
        } catch {
            throw LogStoreError(opening: path, error)
        }
    }

    /// Answers one question. What cannot be answered is an answer too, with the reason.
    public func answer(_ query: ReaderQuery) -> ReaderReply {
        do {
            let reply = try self.reply(to: query)
            try Self.checkFits(reply, query)
            return reply
        } catch let failure as Failure {
            return .error(query: query.number, failure)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_INTERRUPT {
            return .error(query: query.number, Self.exhaustion(query.question, "took too long"))
        } catch let error as DatabaseError where error.resultCode == .SQLITE_NOMEM {
            return .error(query: query.number, Self.exhaustion(query.question, "needs too much memory"))
        } catch {
            self.reportOnce(LogStoreError(reading: self.path, error))
            return .error(
                query: query.number,
                Failure(.logUnavailable, "the record cannot be read now; the log of the daemon says why"))
        }
    }

    /// Tells the operator of an error, unless it was the last one too: anybody may ask again and again.
    private func reportOnce(_ error: LogStoreError) {
        guard error != self.reported else { return }
        self.reported = error
        self.report(error)
    }

    private func reply(to query: ReaderQuery) throws -> ReaderReply {
        guard let connection = self.connection else { preconditionFailure("the log is closed") }
        // Before the transaction begins: the clock is looked at then too.
        self.clock.begin()
        return try self.queue.read { _ in
            switch query.question {
            case .history(let conversation):
                let question = HistoryQuestion(connection, conversation: conversation, uid: query.uid)
                return .history(query: query.number, try question.answer())
            case .logs(let request):
                let page = try LogsQuestion(connection, request, uid: query.uid).answer()
                return .page(query: query.number, rows: page.encodedRows, next: page.next)
            case .requests(let request):
                let page = try RequestsQuestion(connection, request, uid: query.uid).answer()
                return .page(query: query.number, rows: page.encodedRows, next: page.next)
            }
        }
    }

    /// A reply that the other end could not take would be taken for a fault of this process.
    private static func checkFits(_ reply: ReaderReply, _ query: ReaderQuery) throws(Failure) {
        guard case .history(_, let history) = reply else { return }
        let encoded = reply.encoded
        guard history.messages.count <= ProtocolBounds.history, encoded.count <= ProtocolBounds.readerFrame,
            (try? ReaderReply(decoding: encoded)) != nil
        else { throw HistoryQuestion.tooLong }
    }

    private static func exhaustion(_ question: ReaderQuery.Question, _ reason: String) -> Failure {
        if case .logs(let request) = question, request.search != nil {
            return Failure(.invalidRequest, "the search \(reason) and was ended; search for rarer or whole words")
        }
        return Failure(.logUnavailable, "the question about the record \(reason)")
    }

    /// Bounds what SQLite may take in this process, for all connections, in bytes: without it a search for the beginning
    /// of a word takes as much as all the words that begin so.
    public static func limitMemory(to bytes: Int) { sqlite3_hard_heap_limit64(Int64(bytes)) }

    /// Closes the file.
    public func close() {
        self.connection = nil
        try? self.queue.close()
    }
}
