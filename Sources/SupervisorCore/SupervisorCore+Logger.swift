import Messages

// The record: what is sent to the logger, and what waits for it.
extension SupervisorCore {
    // MARK: Records

    mutating func record(opening record: OpenRecord, at now: Now) -> Int {
        let (sequence, bytes) = self.log.appendOpening(record)
        if self.log.isLarge(record) { self.memory.charge(.record(sequence), bytes.count) }
        self.sendRecords(at: now)
        return sequence
    }

    mutating func record(output record: OutputRecord, at now: Now) {
        _ = self.log.appendOutput(record)
        self.sendRecords(at: now)
    }

    mutating func record(attempt record: AttemptRecord, at now: Now) {
        _ = self.log.appendAttempt(record)
        self.sendRecords(at: now)
    }

    mutating func record(ending record: EndRecord, at now: Now) -> Int {
        // Only an answer that came whole is so large, and it was read into room for two.
        let isLarge = record.output.map { $0.count > self.bounds.smallFrame } ?? false
        let (sequence, bytes) = self.log.appendEnding(record, isLarge: isLarge)
        if isLarge { self.answerMemory.charge(.record(sequence), bytes.count) }
        self.sendRecords(at: now)
        return sequence
    }

    /// Sends the logger what it may have now.
    private mutating func sendRecords(at now: Now) {
        guard self.logger.isReady else { return }
        while let bytes = self.log.nextToSend() { self.actions.append(.sendLogger(bytes)) }
        if self.logger.deadline == nil, !self.log.isEmpty {
            self.setLoggerDeadline(now.instant + self.bounds.loggerStallTimeout)
        }
    }

    // MARK: The process

    mutating func startLogger(at now: Now) {
        self.logger.state = .starting
        self.logger.startedAt = now.instant
        self.actions.append(.startLogger(self.logger.durability))
        self.actions.append(
            .sendLogger(
                LoggerCommand.begin(session: self.logger.session!, atMilliseconds: now.wallMilliseconds).encoded))
        self.setLoggerDeadline(now.instant + self.bounds.loggerStartTimeout)
    }

    mutating func loggerReply(_ payload: [UInt8], at now: Now) {
        let reply: LoggerReply
        do { reply = try LoggerReply(decoding: payload) } catch { return self.loggerMisbehaved("\(error)") }
        switch (reply, self.logger.state) {
        case (.ready(ProtocolVersion.current, _, let sequence), .starting):
            guard let large = self.log.acknowledge(upTo: sequence) else {
                return self.loggerMisbehaved("it knows records that were not sent")
            }
            self.releaseRecords(large)
            self.logger.state = .ready
            self.logger.hasBeenReady = true
            self.actions.append(.log(LogEntry(.info, "logger ready", ["pid": "\(self.logger.pid ?? 0)"])))
            self.log.sendAgain()
            self.acknowledged(sequence, at: now)
        case (.acknowledged(let sequence), .ready), (.acknowledged(let sequence), .replacing),
            (.ready(ProtocolVersion.current, _, let sequence), .replacing), (.acknowledged(let sequence), .stopping):
            guard let large = self.log.acknowledge(upTo: sequence) else {
                return self.loggerMisbehaved("it acknowledged a record that was not sent")
            }
            self.releaseRecords(large)
            self.acknowledged(sequence, at: now)
        case (.ready, _), (.acknowledged, _):
            self.loggerMisbehaved("an answer that nobody asked for")
        }
    }

    private mutating func acknowledged(_ sequence: Int, at now: Now) {
        self.sendRecords(at: now)
        for (sequence, number) in self.logger.takeWaiting(upTo: sequence) {
            self.recorded(number, sequence: sequence, at: now)
        }
        if self.logger.isReady {
            self.setLoggerDeadline(self.log.isEmpty ? nil : now.instant + self.bounds.loggerStallTimeout)
        }
    }

    mutating func loggerMisbehaved(_ reason: String) {
        switch self.logger.state {
        case .starting, .ready, .replacing:
            self.actions.append(.log(LogEntry(.error, "logger broke the protocol: killed", ["reason": reason])))
            self.actions.append(.killLogger)
        case .waiting, .stopping, .gone:
            break
        }
    }

    mutating func loggerExited(_ status: TerminationStatus, at now: Now) {
        // sysexits.h: 75 another daemon has the file, 78 the file cannot be used. Not worth another try, at first.
        let isFatal = status == .exited(code: 75) || status == .exited(code: 78)
        self.loggerEnded("\(status)", isFatal: isFatal, at: now)
    }

    /// - Parameter isFatal: A logger that ends so before any was ever ready means that the daemon cannot serve.
    mutating func loggerEnded(_ reason: String, isFatal: Bool, at now: Now) {
        switch self.logger.state {
        case .stopping:
            self.logger.state = .gone
            self.setLoggerDeadline(nil)
        case .replacing:
            self.logger.replaced(at: now.instant)
            self.setLoggerDeadline(self.logger.deadline)
        case .starting, .ready, .waiting:
            self.actions.append(
                .log(LogEntry(.error, "logger died", ["reason": reason, "records_waiting": "\(self.log.count)"])))
            if isFatal, !self.logger.hasBeenReady {
                self.phase = .stopped
                self.actions.append(.log(LogEntry(.error, "the record cannot be kept: stopping")))
                self.actions.append(.exit(code: 1))
                return
            }
            self.logger.restarts += 1
            self.logger.died(at: now.instant)
            self.setLoggerDeadline(self.logger.deadline)
        case .gone:
            break
        }
    }

    mutating func loggerExpired(at now: Now) {
        switch self.logger.state {
        case .waiting:
            self.startLogger(at: now)
        case .starting, .ready, .replacing:
            self.actions.append(
                .log(LogEntry(.error, "logger does not answer: killed", ["records_waiting": "\(self.log.count)"])))
            self.actions.append(.killLogger)
        case .stopping, .gone:
            break
        }
    }

    /// Sees to it that the logger forces what it commits to the disk, or does not: one that was started otherwise commits what it
    /// has, and the next one takes its place.
    mutating func replaceLogger(durability: ServiceConfiguration.Durability, at now: Now) {
        guard self.logger.durability != durability else { return }
        self.logger.durability = durability
        switch self.logger.state {
        case .starting, .ready:
            self.logger.state = .replacing
            self.actions.append(.closeLogger)
            self.setLoggerDeadline(now.instant + self.bounds.loggerStopTimeout)
        case .replacing, .waiting, .stopping, .gone:
            break
        }
    }

    private mutating func setLoggerDeadline(_ instant: Instant?) {
        self.logger.deadline = instant
        self.setDeadline(.logger, at: instant)
    }
}
