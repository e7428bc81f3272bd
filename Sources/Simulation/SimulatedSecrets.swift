import JSON
import Messages
import SupervisorCore

/// The process that works on the store of secrets, as the world sees it.
struct SimulatedSecrets {
    var isAlive = false
    var isKilled = false
    /// What it was sent and has not answered.
    var action: SecretsAction?
    var startedAt = Instant(nanoseconds: 0)
}

extension Simulation {
    // MARK: What is done to it

    mutating func secretsAreStarted(_ payload: [UInt8]) {
        if self.secrets.isAlive { self.fail("two processes work on the secrets at once") }
        guard let action = try? SecretsAction(decoding: payload) else {
            return self.fail("an action on secrets that cannot be read")
        }
        self.secrets = SimulatedSecrets(isAlive: true, action: action, startedAt: self.now)
        guard self.chance(5) else { return }
        self.mark("secrets: failed to start")
        self.secrets.isAlive = false
        self.followUps.append(.secretsEnded(reason: "no memory"))
    }

    mutating func secretsAreKilled() {
        if !self.secrets.isAlive || self.secrets.isKilled { self.fail("nobody works on the secrets, and is killed") }
        self.mark("secrets: killed")
        self.secrets.isKilled = true
    }

    mutating func keyUseIsSaved(_ file: [UInt8]) {
        self.mark("key use saved")
        guard let use = try? KeyUse(decoding: file) else { return self.fail("a file of uses that nobody can read") }
        let names = Set(self.configuration.providers.compactMap(\.keyName))
        if use.lastUse.isEmpty || !names.isSuperset(of: use.lastUse.keys) {
            self.fail("a key was used that there is not")
        }
    }

    // MARK: What it does

    mutating func secretsAct() {
        guard self.secrets.isAlive else { return }
        if self.secrets.isKilled { return self.secretsEnd("killed") }
        switch Int.random(in: 0..<20, using: &self.random) {
        case 0: self.secretsEnd("signal 11")
        case 1: self.post(.secretsAnswered(Array(#"{"done":1}"#.utf8)))
        case 2: self.post(.secretsBrokeProtocol(reason: "too long"))
        case 3..<9: self.secretsWork()
        default: break
        }
    }

    /// In a world that behaves it answers, and ends.
    mutating func secretsBehave() {
        guard self.secrets.isAlive else { return }
        if !self.secrets.isKilled { self.secretsWork() }
        if self.secrets.isAlive { self.secretsEnd("exit code 0") }
    }

    private mutating func secretsWork() {
        guard let action = self.secrets.action else { return self.secretsEnd("exit code 0") }
        self.secrets.action = nil
        self.mark("secrets: answered")
        let reply: SecretsReply =
            if self.chance(20) {
                .error(Failure(.secretsUnavailable, "the file is broken"))
            } else {
                .done(SecretsAnswer(changed: action.changesSecrets ? ["K"] : []))
            }
        self.post(.secretsAnswered(reply.encoded))
    }

    private mutating func secretsEnd(_ reason: String) {
        self.secrets.isAlive = false
        self.post(.secretsEnded(reason: reason))
    }

    // MARK: Who asks

    mutating func drawnSecretsAction() -> SecretsAction {
        [.set(name: "K", value: "planted", note: nil), .list, .rotate, .remove(name: "K")]
            .randomElement(using: &self.random)!
    }

    /// What must have happened by now, and has not.
    var secretsAreLate: Bool {
        self.secrets.isAlive && !self.secrets.isKilled
            && self.secrets.startedAt + self.bounds.secretsTimeout + self.bounds.secretsStopTimeout < self.now
    }
}
