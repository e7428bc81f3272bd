import Messages
import SupervisorCore

/// The reader process as the world sees it.
struct SimulatedReader {
    struct Question {
        let query: ReaderQuery
        /// Who asked; they may be gone.
        let key: SimulatedPrompt.Key
        let askedAt: Instant
    }

    var isAlive = false
    var isReady = false
    var isClosed = false
    var isKilled = false
    /// It does nothing any more.
    var isStopped = false
    var question: Question?
    /// What it answered last, while that is handled.
    var said: Question?
    var startedAt = Instant(nanoseconds: 0)
    var closedAt = Instant(nanoseconds: 0)
    /// When it became ready, or answered.
    var activeAt = Instant(nanoseconds: 0)
    /// Since when it has been idle and nobody has a question.
    var uselessSince: Instant?
    /// Starts since one was ready.
    var failedStarts = 0

    /// Whether the core takes what it says.
    var isHeard: Bool { self.isAlive && !self.isClosed && !self.isKilled }
}

extension Simulation {
    // MARK: What is done to the reader

    mutating func readerIsStarted() {
        if self.reader.isAlive { self.fail("a second reader was started") }
        if !self.logger.hasBeenReady { self.fail("a reader was started before the logger had opened the file") }
        if self.lookups.isEmpty, self.lines.isEmpty { self.fail("a reader was started, and nobody asks") }
        self.reader = SimulatedReader(isAlive: true, startedAt: self.now, failedStarts: self.reader.failedStarts + 1)
        self.lastPID += 1
        if self.chance(3) {
            self.mark("reader failed to start")
            self.reader.isAlive = false
            self.followUps.append(.readerFailedToStart(reason: "no memory"))
        } else {
            self.followUps.append(.readerStarted(pid: self.lastPID))
        }
    }

    mutating func readerReceives(_ payload: [UInt8]) {
        guard self.reader.isHeard, self.reader.isReady else {
            return self.fail("a question was sent to a reader that is not there")
        }
        if self.reader.question != nil { self.fail("the reader was asked two things at once") }
        guard let query = try? ReaderQuery(decoding: payload) else {
            return self.fail("the reader cannot read its question")
        }
        let key =
            switch query.question {
            case .history(let conversation): self.historyIsAskedFor(conversation, uid: query.uid)
            case .logs(let logs): self.pageIsAskedFor(logs.before, uid: query.uid)
            case .requests(let requests): self.pageIsAskedFor(requests.before, uid: query.uid)
            }
        guard let key else { return }
        if self.readerFaults[key, default: 0] > 0 { self.mark("question asked again") }
        self.reader.question = .init(query: query, key: key, askedAt: self.now)
    }

    mutating func readerIsClosed() {
        if !self.reader.isHeard { self.fail("a reader was closed that is gone") }
        if !self.isDraining {
            if self.reader.activeAt + self.bounds.readerIdleTimeout > self.now || self.reader.question != nil {
                self.fail("a reader was ended that is not idle")
            }
            self.mark("idle reader ended")
        }
        self.reader.isClosed = true
        self.reader.closedAt = self.now
    }

    mutating func readerIsKilled() {
        if !self.reader.isAlive || self.reader.isKilled { self.fail("a reader was killed that is gone") }
        if let question = self.reader.question, question.askedAt + self.bounds.readerAnswerTimeout <= self.now {
            self.mark("reader hung")
            self.readerFaults[question.key] = 2
        }
        self.reader.isKilled = true
        self.mark("reader killed")
    }

    // MARK: What the reader does

    mutating func readerActs() {
        guard self.reader.isAlive else { return }
        if self.reader.isKilled { return self.readerExits(.signalled(9)) }
        if self.reader.isStopped { return }
        switch Int.random(in: 0..<100, using: &self.random) {
        case 0..<6: if self.reader.question != nil || self.chance(20) { self.readerExits(.signalled(11)) }
        case 6..<7: self.reader.isStopped = true
        case 7..<10: self.readerLies()
        case 10..<11: self.readerRefuses(.logUnavailable)
        case 11..<12: self.readerRefuses(.invalidRequest)
        case 12..<20: break
        default: self.readerWorks()
        }
    }

    mutating func readerBehaves() {
        guard self.reader.isAlive else { return }
        if self.reader.isKilled { return self.readerExits(.signalled(9)) }
        self.reader.isStopped = false
        // It may be the last to end.
        if self.reader.isClosed, self.chance(80) { return }
        self.readerWorks()
    }

    private mutating func readerWorks() {
        if self.reader.isClosed { return self.readerExits(.exited(code: 0)) }
        guard self.reader.isReady else {
            self.reader.isReady = true
            self.reader.failedStarts = 0
            self.reader.activeAt = self.now
            let ready = ReaderReply.ready(protocolVersion: ProtocolVersion.current, version: "x")
            return self.post(.readerReply(ready.encoded))
        }
        guard let question = self.reader.question else { return }
        let uid = question.query.uid
        switch question.query.question {
        case .history(let conversation):
            guard let history = self.disk.history(of: conversation, uid: uid) else {
                return self.readerRefuses(.notFound)
            }
            guard history.reply.messages.count <= self.bounds.history else {
                return self.readerRefuses(.invalidRequest)
            }
            self.prompts[question.key]?.history = history
            self.comesToTheDoor(question.key)
            self.readerSays(.history(query: question.query.number, history.reply))
        case .logs(let logs):
            self.readerAnswers(question, self.disk.page(uid: uid, limit: logs.limit))
        case .requests(let requests):
            self.readerAnswers(question, self.disk.page(uid: uid, limit: requests.limit))
        }
    }

    private mutating func readerAnswers(_ question: SimulatedReader.Question, _ rows: [UInt8]) {
        self.lookups[question.key]?.rows = rows
        self.readerSays(.page(query: question.query.number, rows: rows, next: nil))
    }

    private mutating func readerRefuses(_ code: ErrorCode) {
        guard self.reader.isHeard, let question = self.reader.question else { return }
        if code == .logUnavailable { self.readerFaults[question.key] = 2 }
        self.readerSays(.error(query: question.query.number, Failure(code, "the reader said no")))
    }

    private mutating func readerSays(_ reply: ReaderReply) {
        self.reader.said = self.reader.question
        self.reader.question = nil
        self.reader.activeAt = self.now
        let isWanted = self.reader.said.map { self.prompts[$0.key] != nil || self.lookups[$0.key] != nil } ?? true
        if !isWanted { self.mark("answer that nobody needs any more") }
        self.post(.readerReply(reply.encoded))
        self.reader.said = nil
    }

    /// It breaks its protocol, and must be killed for it.
    private mutating func readerLies() {
        guard self.reader.isHeard else { return }
        let number = self.reader.question?.query.number ?? 1
        let isHistory = if case .history? = self.reader.question?.query.question { true } else { false }
        let page = ReaderReply.page(query: number, rows: Array("[]".utf8), next: nil)
        let event: Event =
            switch Int.random(in: 0..<5, using: &self.random) {
            case 0: .readerReply(ReaderReply.page(query: number + 1000, rows: Array("[]".utf8), next: nil).encoded)
            // The right number, and the answer to another question.
            case 1: .readerReply((isHistory ? page : .history(query: number, SimulatedHistory().reply)).encoded)
            case 2: .readerReply(Array("not json".utf8))
            case 3:
                .readerReply(ReaderReply.ready(protocolVersion: self.reader.isReady ? 1 : 9, version: "x").encoded)
            default: .readerBrokeProtocol(reason: "a frame of 99 GiB")
            }
        self.mark("reader lied")
        self.post(event)
        if !self.reader.isKilled { self.fail("a reader lied and was not killed") }
    }

    private mutating func readerExits(_ status: TerminationStatus) {
        if let question = self.reader.question {
            self.mark("reader died over a question")
            self.readerFaults[question.key, default: 0] += 1
        }
        self.reader.isAlive = false
        self.reader.question = nil
        self.post(.readerExited(status))
    }

    // MARK: What must be true

    /// Whether the core could ask it something, and has not.
    var isReaderIdle: Bool {
        self.reader.isHeard && self.reader.isReady && self.reader.question == nil && self.core.footprint.memory == 0
    }

    mutating func checkReader() {
        if self.reader.isHeard, self.reader.isReady, self.reader.question == nil {
            for key in self.lookups.keys {
                if self.clients[key.connection]?.isBlocked ?? true {
                    self.mark("question waits until its client takes output")
                } else if self.isReaderIdle {
                    self.fail("question \(key.text) waits beside an idle reader")
                }
            }
        }
        let isUseless =
            self.reader.isHeard && self.reader.isReady && self.reader.question == nil
            && self.core.footprint.questions == 0
        self.reader.uselessSince = isUseless ? self.reader.uselessSince ?? self.now : nil
    }

    /// What the core should have done about it by `instant`.
    func latenessOfReader(at instant: Instant) -> String? {
        guard self.reader.isAlive, !self.reader.isKilled else { return nil }
        if self.reader.isClosed {
            return self.reader.closedAt + self.bounds.readerStopTimeout < instant
                ? "a reader that is to end lives" : nil
        }
        if !self.reader.isReady {
            return self.reader.startedAt + self.bounds.readerStartTimeout < instant ? "a reader is never ready" : nil
        }
        if let question = self.reader.question, question.askedAt + self.bounds.readerAnswerTimeout < instant {
            return "a reader does not answer"
        }
        if let since = self.reader.uselessSince, since + self.bounds.readerIdleTimeout < instant {
            return "a reader is kept that nobody asks"
        }
        return nil
    }
}
