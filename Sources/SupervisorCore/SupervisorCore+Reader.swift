import Messages

// Questions about the record, and the process that answers them.
extension SupervisorCore {
    // MARK: Questions

    /// `op: logs` and `op: requests`.
    ///
    /// - Parameter uid: Whose rows; `nil`: everybody's.
    mutating func lookUp(
        _ question: ReaderQuery.Question, as kind: Lookup.Kind, of uid: Int?, id: RequestIdentifier,
        from connectionID: ConnectionID, at now: Now
    ) {
        do throws(Failure) {
            guard self.phase == .running || self.isDraining else {
                throw Failure(.shuttingDown, "the daemon is stopping; try again when it is back")
            }
            let connection = self.connections[connectionID]!
            try self.checkCount(of: connection)
            guard
                connection.requests.values.count(where: { self.lookups[$0] != nil })
                    < self.bounds.questionsPerConnection
            else {
                throw Failure(
                    .tooManyRequests,
                    "\(self.bounds.questionsPerConnection) questions about the record are open on this connection; wait for one of them to end"
                )
            }
            guard self.lookups.count < self.bounds.questions else {
                throw Failure(.overloaded, "too many questions about the record are open; try again later")
            }
            let number = RequestNumber(rawValue: self.nextNumber())
            let lookup = Lookup(
                clientID: id, connection: connectionID, kind: kind, deadline: now.instant + self.bounds.questionTimeout)
            self.lookups[number] = lookup
            self.connections[connectionID]!.requests[id] = number
            self.setDeadline(.request(number), at: lookup.deadline)
            self.reader.ask(
                number, ReaderQuery(number: Int(number.rawValue), uid: uid, question))
        } catch {
            self.send(ClientAnswer.error(id: id, error), to: connectionID)
        }
    }

    /// Whose rows a client may see: its user's, or everybody's (`nil`) where it is an administrator.
    ///
    /// - Parameter own: Whether it wants no more than its user's.
    func visibleUID(of connection: ConnectionID, own: Bool = false) -> Int? {
        let uid = self.connections[connection]!.peer.uid
        return !own && self.administrators.contains(uid) ? nil : uid
    }

    /// Ends a question of a client.
    ///
    /// - Parameter answer: The last frame; `nil` where there is nobody to be told.
    mutating func endLookup(_ number: RequestNumber, _ answer: ((Lookup) -> [UInt8])?) {
        guard let lookup = self.lookups.removeValue(forKey: number) else { return }
        self.setDeadline(.request(number), at: nil)
        self.reader.forget(number)
        self.connections[lookup.connection]?.requests[lookup.clientID] = nil
        if let answer { self.send(answer(lookup), to: lookup.connection) }
    }

    /// Ends what waits for the reader, whoever asked.
    private mutating func endQuestion(_ number: RequestNumber, _ failure: Failure) {
        self.endLookup(number) { ClientAnswer.error(id: $0.clientID, failure) }
        self.endContinuation(number, failure)
    }

    /// Ends all that waits for the reader.
    mutating func endQuestions(_ failure: Failure) {
        for number in self.reader.waiting { self.endQuestion(number, failure) }
    }

    // MARK: Asking

    /// Starts the process when there is something to ask, asks the next question when the last is answered, and sets the time
    /// for the end of a process that nobody asks.
    mutating func proceedWithReader(at now: Now) {
        guard self.reader.asked == nil else { return }
        guard let number = self.nextQuestion else {
            self.releaseReply()
            if self.reader.state == .ready, self.reader.deadline == nil {
                self.setReaderDeadline(now.instant + self.bounds.readerIdleTimeout)
            }
            return
        }
        switch self.reader.state {
        case .off: if self.logger.hasBeenReady { self.startReader(at: now) }
        case .starting, .waiting, .stopping: break
        case .ready: if self.reserveReply(to: number) { self.ask(number, at: now) }
        }
    }

    /// The question that comes next: a history, or the oldest of those whose client takes its output.
    private var nextQuestion: RequestNumber? {
        mutating get {
            guard self.reader.questionCount > 0 else { return nil }
            if let history = self.reader.firstHistory { return history }
            return self.reader.lookups.all.first { number in
                self.lookups[number].map { !self.connections[$0.connection]!.isBlocked } ?? false
            }
        }
    }

    private mutating func ask(_ number: RequestNumber, at now: Now) {
        self.reader.asked = number
        self.actions.append(.sendReader(self.reader[number]!.encoded))
        self.setReaderDeadline(now.instant + self.bounds.readerAnswerTimeout)
    }

    /// Takes room for the answer, or stands in line for it.
    private mutating func reserveReply(to number: RequestNumber) -> Bool {
        let kind: ReaderProcess.Kind = self.continuations[number] != nil ? .history : .page
        if let reservation = self.reader.reservation {
            if reservation.kind == kind { return reservation.isGranted }
            self.releaseReply()
        }
        let isGranted =
            switch kind {
            case .history: self.memory.reserveOrWait(.readerReply, ProtocolBounds.history)
            case .page: self.answerMemory.reserveOrWait(.readerReply, self.bounds.page)
            }
        self.reader.reservation = ReaderProcess.Reservation(kind: kind, isGranted: isGranted)
        return isGranted
    }

    private mutating func releaseReply() {
        guard let reservation = self.reader.reservation else { return }
        switch reservation.kind {
        case .history: self.memory.release(.readerReply)
        case .page: self.answerMemory.release(.readerReply)
        }
        self.reader.reservation = nil
    }

    // MARK: Answers

    mutating func readerReply(_ payload: [UInt8], at now: Now) {
        let reply: ReaderReply
        do { reply = try ReaderReply(decoding: payload) } catch { return self.readerMisbehaved("\(error)") }
        switch (reply, self.reader.state) {
        case (_, .stopping), (_, .waiting), (_, .off):
            break
        case (.ready(ProtocolVersion.current, _), .starting):
            self.reader.state = .ready
            self.setReaderDeadline(nil)
            self.actions.append(.log(LogEntry(.info, "reader ready", ["pid": "\(self.reader.pid ?? 0)"])))
        case (.history(let query, let history), .ready):
            guard let number = self.take(query) else { return }
            if self.continuations[number] != nil {
                self.reader.forget(number)
                self.remembered(number, history, at: now)
            }
        case (.page(let query, let rows, let next), .ready):
            guard let number = self.take(query) else { return }
            self.endLookup(number) {
                ClientAnswer.page(id: $0.clientID, $0.kind == .logs ? "logs" : "requests", rows: rows, next: next)
            }
        case (.error(let query, let failure), .ready):
            guard let number = self.take(query) else { return }
            self.endQuestion(number, failure)
        case (.ready, _), (.history, .starting), (.page, .starting), (.error, .starting):
            self.readerMisbehaved("an answer that nobody asked for")
        }
    }

    /// The question that is answered; the process is free again. `nil` if it was not asked.
    private mutating func take(_ query: Int) -> RequestNumber? {
        guard let asked = self.reader.asked, Int(asked.rawValue) == query else {
            self.readerMisbehaved("an answer that nobody asked for")
            return nil
        }
        self.reader.answered()
        self.releaseReply()
        self.setReaderDeadline(nil)
        return asked
    }

    // MARK: The process

    private mutating func startReader(at now: Now) {
        self.reader.state = .starting
        self.actions.append(.startReader)
        self.setReaderDeadline(now.instant + self.bounds.readerStartTimeout)
    }

    mutating func readerMisbehaved(_ reason: String) {
        switch self.reader.state {
        case .starting, .ready:
            self.actions.append(.log(LogEntry(.error, "reader broke the protocol: killed", ["reason": reason])))
            self.actions.append(.killReader)
        case .off, .waiting, .stopping:
            break
        }
    }

    mutating func readerEnded(_ reason: String, at now: Now) {
        switch self.reader.state {
        case .stopping:
            self.reader.state = .off
            self.reader.pid = nil
            self.setReaderDeadline(nil)
        case .starting, .ready:
            self.actions.append(.log(LogEntry(.warning, "reader died", ["reason": reason])))
            let isHung = self.reader.asked != nil && self.reader.deadline == nil
            let hopeless = self.reader.died(isHung: isHung, at: now.instant)
            self.setReaderDeadline(self.reader.deadline)
            let failure = Failure(
                .logUnavailable, "the reader of the record died over this question; see the daemon's log")
            if let hopeless { self.endQuestion(hopeless, failure) }
            if self.reader.failures >= 3 { self.endQuestions(failure) }
        case .off, .waiting:
            break
        }
    }

    mutating func readerExpired(at now: Now) {
        switch self.reader.state {
        case .waiting:
            self.reader.state = .off
            self.setReaderDeadline(nil)
        case .starting, .stopping:
            self.actions.append(.killReader)
            self.setReaderDeadline(nil)
        case .ready where self.reader.asked == nil:
            self.stopReader(at: now)
        case .ready:
            self.actions.append(.log(LogEntry(.warning, "reader does not answer: killed")))
            self.actions.append(.killReader)
            self.setReaderDeadline(nil)
        case .off:
            break
        }
    }

    /// Closes the channel of the process, which ends then.
    mutating func stopReader(at now: Now) {
        switch self.reader.state {
        case .starting, .ready:
            self.reader.state = .stopping
            self.reader.asked = nil
            self.releaseReply()
            self.actions.append(.closeReader)
            self.setReaderDeadline(now.instant + self.bounds.readerStopTimeout)
        case .waiting:
            self.reader.state = .off
            self.setReaderDeadline(nil)
        case .off, .stopping:
            break
        }
    }

    private mutating func setReaderDeadline(_ instant: Instant?) {
        self.reader.deadline = instant
        self.setDeadline(.reader, at: instant)
    }
}
