import Messages
import SupervisorCore

/// The logger process.
struct SimulatedLogger {
    /// The highest number that any process was sent, and the highest that the core was told is on disk.
    var highestReceived = 0
    var told = 0
    /// Whether any process was ever ready.
    var hasBeenReady = false

    // The process.
    var isAlive = false
    var isClosed = false
    var isKilled = false
    var isReady = false
    /// What it was sent and has not committed.
    var received: [LoggerCommand] = []
}

extension Simulation {
    // MARK: What is done to the logger

    mutating func loggerIsStarted() {
        guard !self.logger.isAlive else { return self.fail("a second logger was started") }
        self.logger.isAlive = true
        (self.logger.isClosed, self.logger.isKilled, self.logger.isReady) = (false, false, false)
        self.logger.received = []
        self.lastPID += 1
        self.followUps.append(.loggerStarted(pid: self.lastPID))
    }

    mutating func loggerReceives(_ payload: [UInt8]) {
        guard self.logger.isAlive, !self.logger.isClosed else {
            return self.fail("a record was sent to a logger that is gone")
        }
        guard payload.count <= ProtocolBounds.logFrame else { return self.fail("a record is too long") }
        guard let command = try? LoggerCommand(decoding: payload) else {
            return self.fail("the logger cannot read its record")
        }
        self.logger.received.append(command)
        if case .record(let sequence, _) = command {
            if sequence <= self.logger.highestReceived { self.mark("record sent again") }
            self.logger.highestReceived = max(self.logger.highestReceived, sequence)
        }
        switch command {
        case .begin: break
        case .record(let sequence, .open(let record)): self.recordOpened(record, sequence: sequence)
        case .record(_, .output(let record)): self.recordContinued(record)
        case .record(_, .attempt(let record)): self.recordTried(record)
        case .record(_, .end(let record)): self.recordEnded(record)
        }
    }

    mutating func loggerIsClosed() {
        guard self.logger.isAlive else { return self.fail("a logger that is gone was closed") }
        self.logger.isClosed = true
    }

    mutating func loggerIsKilled() {
        guard self.logger.isAlive else { return self.fail("a logger that is gone was killed") }
        self.logger.isKilled = true
        self.mark("logger killed")
    }

    // MARK: What the logger does

    mutating func loggerActs() {
        guard self.logger.isAlive else { return }
        if self.logger.isKilled { return self.loggerExits(.signalled(9)) }
        switch Int.random(in: 0..<200, using: &self.random) {
        case 0..<3:
            // It dies with what it had not committed, or right after it had.
            if self.chance(50) { self.loggerCommits(acknowledges: false) }
            self.mark("logger died with \(self.logger.received.isEmpty ? "nothing" : "records") in hand")
            self.loggerExits(.signalled(9))
        case 3:
            if self.chance(10) {
                self.post(.loggerReply(Array(#"{"event":"acknowledged","sequence":999999999}"#.utf8)))
            }
        default: self.loggerBehaves()
        }
    }

    mutating func loggerBehaves() {
        guard self.logger.isAlive else { return }
        if self.logger.isKilled { return self.loggerExits(.signalled(9)) }
        self.loggerCommits(acknowledges: true)
        if self.logger.isClosed, self.logger.isAlive { self.loggerExits(.exited(code: 0)) }
    }

    private mutating func loggerCommits(acknowledges: Bool) {
        let batch = self.logger.received
        guard !batch.isEmpty else { return }
        self.logger.received = []
        let before = self.disk.sequence
        for command in batch {
            switch command {
            case .begin(let session, _):
                if let known = self.disk.session, known != session { self.fail("the session changed") }
                self.disk.session = session
                self.logger.isReady = true
                if acknowledges {
                    self.logger.hasBeenReady = true
                    self.openingsAreCommitted(upTo: self.disk.sequence)
                    self.post(
                        .loggerReply(
                            LoggerReply.ready(
                                protocolVersion: ProtocolVersion.current, version: "x",
                                acknowledged: self.disk.sequence
                            ).encoded))
                }
            case .record(let sequence, let record):
                self.commit(sequence, record)
            }
        }
        if acknowledges, self.disk.sequence > before || batch.count > 1 {
            self.openingsAreCommitted(upTo: self.disk.sequence)
            self.post(.loggerReply(LoggerReply.acknowledged(sequence: self.disk.sequence).encoded))
        }
    }

    private mutating func commit(_ sequence: Int, _ record: LogRecord) {
        guard sequence > self.disk.sequence else { return }
        guard sequence == self.disk.sequence + 1 else {
            return self.fail("record \(sequence) after \(self.disk.sequence)")
        }
        self.disk.sequence = sequence
        switch record {
        case .open(let record):
            if !self.disk.open(record) { self.fail("a row was opened twice") }
        case .output(let record):
            if !self.disk.append(record) { self.fail("output came for a row that is not open") }
        case .attempt(let record):
            if !self.disk.append(record) { self.fail("an attempt came for a row that is not open") }
        case .end(let record):
            if !self.disk.end(record) { self.fail("a row was closed that is not open") }
            self.mark("row \(record.state.rawValue)")
        }
    }

    private mutating func loggerExits(_ status: TerminationStatus) {
        self.logger.isAlive = false
        self.logger.received = []
        self.post(.loggerExited(status))
    }
}
