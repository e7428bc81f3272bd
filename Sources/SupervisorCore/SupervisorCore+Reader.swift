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
        return !own && self.isAdministrator(connection) ? nil : uid
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
        switch self.reader.state {
        case .off: if self.logger.hasBeenReady, self.nextQuestion != nil { self.startReader(at: now) }
        case .ready: if self.reader.asked == nil { self.askNext(at: now) }
        case .starting, .dying, .waiting, .stopping: break
        }
    }

    private mutating func askNext(at now: Now) {
        guard let number = self.nextQuestion else {
            self.releaseReply()
            if self.reader.deadline == nil { self.setReaderDeadline(now.instant + self.bounds.readerIdleTimeout) }
            return
        }
        guard self.reserveReply(to: number) else { return self.setReaderDeadline(nil) }
        self.reader.asked = number
        self.actions.append(.sendReader(self.reader[number]!.encoded))
        self.setReaderDeadline(now.instant + self.bounds.readerAnswerTimeout)
    }

    /// The question that comes next: a history, or the oldest of those whose client takes its output.
    private var nextQuestion: RequestNumber? {
        mutating get {
            guard self.reader.questionCount > 0 else { return nil }
            if let history = self.reader.firstHistory { return history }
            guard !self.reader.isHeldUp else { return nil }
            let next = self.reader.lookups.all.first { number in
                self.lookups[number].map { !self.connections[$0.connection]!.isBlocked } ?? false
            }
            self.reader.isHeldUp = next == nil
            return next
        }
    }

    /// Takes room for the answer, or stands in line for it.
    ///
    /// A history has a budget that prompts do not wait for: those that wait for their histories hold room themselves.
    private mutating func reserveReply(to number: RequestNumber) -> Bool {
        let kind: ReaderProcess.Kind = self.continuations[number] != nil ? .history : .page
        if let reservation = self.reader.reservation {
            if reservation.kind == kind { return reservation.isGranted }
            self.releaseReply()
        }
        let isGranted =
            switch kind {
            case .history: self.historyMemory.reserveOrWait(.readerReply, self.bounds.history)
            case .page: self.answerMemory.reserveOrWait(.readerReply, self.bounds.page)
            }
        self.reader.reservation = ReaderProcess.Reservation(kind: kind, isGranted: isGranted)
        return isGranted
    }

    /// There is room for the answer.
    mutating func replyWasGranted(at now: Now) {
        self.reader.reservation?.isGranted = true
        self.proceedWithReader(at: now)
    }

    private mutating func releaseReply() {
        guard let reservation = self.reader.reservation else { return }
        switch reservation.kind {
        case .history: self.historyMemory.release(.readerReply)
        case .page: self.answerMemory.release(.readerReply)
        }
        self.reader.reservation = nil
    }

    // MARK: Answers

    mutating func readerReply(_ payload: [UInt8], at now: Now) {
        let reply: ReaderReply
        do { reply = try ReaderReply(decoding: payload) } catch { return self.readerMisbehaved("\(error)") }
        switch (reply, self.reader.state) {
        case (_, .off), (_, .dying), (_, .waiting), (_, .stopping):
            break
        case (.ready(ProtocolVersion.current, _), .starting):
            self.reader.becameReady()
            self.setReaderDeadline(nil)
            self.actions.append(.log(LogEntry(.info, "reader ready", ["pid": "\(self.reader.pid ?? 0)"])))
        case (.history(let query, let history), .ready):
            guard let number = self.take(query, as: .history) else { return }
            self.remembered(number, history, at: now)
        case (.page(let query, let rows, let next), .ready):
            guard let number = self.take(query, as: .page) else { return }
            self.endLookup(number) {
                ClientAnswer.page(id: $0.clientID, $0.kind == .logs ? "logs" : "requests", rows: rows, next: next)
            }
        case (.error(let query, let failure), .ready):
            guard let number = self.take(query, as: nil) else { return }
            self.endQuestion(number, failure)
        case (.ready, _), (.history, .starting), (.page, .starting), (.error, .starting):
            self.readerMisbehaved("an answer that nobody asked for")
        }
    }

    /// The question that is answered; the process is free again. `nil` if it was not asked, or not for an answer of this kind.
    private mutating func take(_ query: Int, as kind: ReaderProcess.Kind?) -> RequestNumber? {
        guard let asked = self.reader.asked, Int(asked.rawValue) == query,
            kind == nil || kind == self.reader.reservation?.kind
        else {
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
        self.reader.started()
        self.actions.append(.startReader)
        self.setReaderDeadline(now.instant + self.bounds.readerStartTimeout)
    }

    mutating func readerMisbehaved(_ reason: String) {
        switch self.reader.state {
        case .starting, .ready:
            self.actions.append(.log(LogEntry(.error, "reader broke the protocol: killed", ["reason": reason])))
            self.killReader()
        case .off, .dying, .waiting, .stopping:
            break
        }
    }

    private mutating func killReader() {
        self.reader.state = .dying
        self.releaseReply()
        self.setReaderDeadline(nil)
        self.actions.append(.killReader)
    }

    mutating func readerEnded(_ reason: String, at now: Now) {
        switch self.reader.state {
        case .stopping:
            self.reader.state = .off
            self.reader.pid = nil
            self.setReaderDeadline(nil)
        case .starting, .ready, .dying:
            self.actions.append(.log(LogEntry(.warning, "reader died", ["reason": reason])))
            self.releaseReply()
            let hopeless = self.reader.died(at: now.instant)
            if case .waiting(let until) = self.reader.state { self.setReaderDeadline(until) }
            if let hopeless {
                self.endQuestion(
                    hopeless,
                    Failure(.logUnavailable, "the reader of the record died over this question; see the daemon's log"))
            }
            // One that cannot even open the file keeps nobody waiting.
            if self.reader.failedStarts >= 3 {
                self.endQuestions(
                    Failure(.logUnavailable, "the reader of the record cannot be started; see the daemon's log"))
            }
        case .off, .waiting:
            break
        }
    }

    mutating func readerExpired(at now: Now) {
        switch self.reader.state {
        case .waiting:
            self.reader.state = .off
            self.setReaderDeadline(nil)
        case .starting:
            self.actions.append(.log(LogEntry(.warning, "reader is not ready in time: killed")))
            self.killReader()
        case .ready:
            guard let asked = self.reader.asked else { return self.stopReader(at: now) }
            self.actions.append(.log(LogEntry(.warning, "reader does not answer: killed")))
            self.reader.asked = nil
            self.killReader()
            self.endQuestion(
                asked, Failure(.logUnavailable, "the reader of the record did not answer; see the daemon's log"))
        case .stopping:
            self.setReaderDeadline(nil)
            self.actions.append(.killReader)
        case .off, .dying:
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
        case .dying:
            self.reader.state = .stopping
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
