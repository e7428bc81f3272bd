import Messages

// `op: secrets`: what an administrator does with the store of secrets. bulkhead-config does it; values pass through here, and
// nothing of them is kept, logged or answered.
extension SupervisorCore {
    // MARK: The client

    mutating func keepSecrets(
        _ action: SecretsAction, id: RequestIdentifier, from connection: ConnectionID, at now: Now
    ) {
        do throws(Failure) {
            try self.checkDoor(of: connection)
            try self.checkAdministrator(connection, "secrets")
            guard self.secrets.waitingCount < self.bounds.secretsErrands else {
                throw Failure(
                    .tooManyRequests,
                    "\(self.bounds.secretsErrands) actions on secrets wait already; try again when some are done")
            }
            guard action.encoded.count <= ProtocolBounds.secretsFrame else {
                throw Failure(
                    .invalidRequest,
                    "the action has more than \(ProtocolBounds.secretsFrame) bytes; import less at a time")
            }
            let number = RequestNumber(rawValue: self.nextNumber())
            self.connections[connection]!.requests[id] = number
            self.secrets.add(
                SecretsDesk.Errand(number: number, clientID: id, connection: connection, action: action))
            self.proceedWithSecrets(at: now)
        } catch {
            self.send(ClientAnswer.error(id: id, error), to: connection)
        }
    }

    /// Ends an errand that its client gave up, or that the end of the daemon cuts short.
    ///
    /// - Parameter failure: What the client is told; `nil` where it has gone.
    mutating func endSecrets(_ number: RequestNumber, _ failure: Failure?) {
        guard let errand = self.secrets.abandon(number) else { return }
        self.tell(errand, failure.map { failure in { ClientAnswer.error(id: $0, failure) } })
    }

    /// Ends the errands that have not begun. One that has is done to its end.
    mutating func endWaitingSecrets(_ failure: Failure) {
        for number in self.secrets.numbersThatWait { self.endSecrets(number, failure) }
    }

    private mutating func tell(_ errand: SecretsDesk.Errand, _ answer: ((RequestIdentifier) -> [UInt8])?) {
        guard let connection = errand.connection else { return }
        self.connections[connection]?.requests[errand.clientID] = nil
        if let answer { self.send(answer(errand.clientID), to: connection) }
    }

    // MARK: The process

    private mutating func proceedWithSecrets(at now: Now) {
        guard let errand = self.secrets.next() else { return }
        self.actions.append(
            .startSecrets(errand.action.encoded, masterKeyFile: self.configuration.masterKeyFile))
        self.setDeadline(.secrets, at: now.instant + self.bounds.secretsTimeout)
    }

    mutating func secretsAnswered(_ payload: [UInt8], at now: Now) {
        guard self.secrets.state == .working else { return self.killSecrets() }
        let reply: SecretsReply
        do throws(MessageError) { reply = try SecretsReply(decoding: payload) } catch {
            self.killSecrets()
            return self.finishSecrets(.error(Self.secretsFailure("its answer cannot be read: \(error)")), at: now)
        }
        self.secrets.answered()
        self.setDeadline(.secrets, at: now.instant + self.bounds.secretsStopTimeout)
        self.finishSecrets(reply, at: now)
    }

    mutating func secretsEnded(_ reason: String, at now: Now) {
        let state = self.secrets.state
        self.secrets.ended()
        self.setDeadline(.secrets, at: nil)
        if state == .working {
            self.finishSecrets(.error(Self.secretsFailure("it ended without an answer: \(reason)")), at: now)
        }
        self.proceedWithSecrets(at: now)
    }

    mutating func secretsBrokeProtocol(_ reason: String, at now: Now) {
        let state = self.secrets.state
        self.killSecrets()
        if state == .working { self.finishSecrets(.error(Self.secretsFailure(reason)), at: now) }
    }

    mutating func secretsExpired(at now: Now) {
        let state = self.secrets.state
        self.killSecrets()
        guard state == .working else { return }
        let failure = Self.secretsFailure("it took longer than \(self.bounds.secretsTimeout)")
        self.finishSecrets(.error(failure), at: now)
    }

    private mutating func killSecrets() {
        self.setDeadline(.secrets, at: nil)
        switch self.secrets.state {
        case .working, .leaving:
            self.secrets.killed()
            self.actions.append(.killSecrets)
        case .idle, .dying: break
        }
    }

    private static func secretsFailure(_ reason: String) -> Failure {
        Failure(
            .secretsUnavailable,
            "bulkhead-config, which works on the secrets, failed: \(reason). See the daemon's log; whether the action was done "
                + "is to be seen in `bulkhead secrets list`")
    }

    private mutating func finishSecrets(_ reply: SecretsReply, at now: Now) {
        guard let errand = self.secrets.finish() else { return }
        switch reply {
        case .error(let failure):
            self.actions.append(.log(LogEntry(.warning, "secrets: not done", ["code": failure.code.rawValue])))
            self.tell(errand) { ClientAnswer.error(id: $0, failure) }
        case .done(var answer):
            for index in (answer.secrets ?? []).indices {
                answer.secrets![index].lastUsedAtMilliseconds = self.keyUse.file[answer.secrets![index].name]
            }
            guard errand.action.changesSecrets, !answer.changed.isEmpty else {
                return self.tell(errand) { ClientAnswer.secrets(id: $0, answer) }
            }
            self.actions.append(.log(LogEntry(.info, "secrets changed", ["count": "\(answer.changed.count)"])))
            self.secrets.settle(errand, answer)
            self.reload(for: .secrets(errand.number), at: now)
        }
    }

    /// The configuration was read anew because of what was changed, or could not be.
    mutating func secretsSettled(_ number: RequestNumber, _ outcome: Reload.Outcome) {
        guard case (let errand, var answer)? = self.secrets.settled(number) else { return }
        if case .refused(let failure, _) = outcome {
            answer.advice.append("It is stored, but not in effect: \(failure.message)")
        }
        self.tell(errand) { ClientAnswer.secrets(id: $0, answer) }
    }
}
