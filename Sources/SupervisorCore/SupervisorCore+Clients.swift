import Messages
import Policy

// What clients do, and what is said to them.
extension SupervisorCore {
    // MARK: Events

    mutating func clientConnected(_ id: ConnectionID, _ peer: PeerCredentials, at now: Now) {
        self.connections[id] = Connection(peer: peer, at: now.instant, bounds: self.bounds)
        self.introduce(id)
        if self.connections.count > self.bounds.connections {
            // Past twice the bound nobody is told: the answer itself would cost memory.
            guard self.connections.count <= 2 * self.bounds.connections else { return self.dropConnection(id, at: now) }
            let failure = Failure(
                .tooManyConnections, "the daemon serves \(self.bounds.connections) connections at once; try again later"
            )
            self.closeConnection(id, failure, at: now)
        } else if let refusal = self.refusalOfConnection(by: self.connections[id]!.caller) {
            self.closeConnection(id, refusal, at: now)
        } else {
            self.callerConnections.take(id, by: self.connections[id]!.caller?.name)
        }
        self.updateDeadline(ofConnection: id)
    }

    mutating func clientFrame(_ id: ConnectionID, _ payload: [UInt8], at now: Now) {
        guard let connection = self.connections[id], connection.state != .closing else { return }
        self.connections[id]!.frameArrived()
        defer { self.memory.release(.clientFrame(id)) }
        if connection.deadline != nil { self.updateDeadline(ofConnection: id) }
        let request: ClientRequest
        do {
            request = try ClientRequest(decoding: payload)
        } catch {
            guard let requestID = error.id, connection.requests[requestID] == nil else {
                return self.closeConnection(id, error.id.map(Self.duplicate) ?? error.failure, at: now)
            }
            return self.send(ClientAnswer.error(id: requestID, error.failure), to: id)
        }
        guard connection.requests[request.id] == nil else {
            return self.closeConnection(id, Self.duplicate(request.id), at: now)
        }
        let operation: ClientRequest.Operation
        do throws(Failure) {
            if ![.ping, .whoami].contains(request.operation) { _ = try self.caller(of: connection) }
            operation = try self.inGroup(request.operation, of: id)
        } catch {
            return self.send(ClientAnswer.error(id: request.id, error), to: id)
        }
        switch operation {
        case .prompt(let prompt): self.admit(prompt, as: nil, id: request.id, from: id, at: now)
        case .chain(let chain): self.admit(chain.prompt, as: chain, id: request.id, from: id, at: now)
        case .toolResult(let results): self.take(results, id: request.id, from: id, at: now)
        case .embed(let embed): self.admit(embed, id: request.id, from: id, at: now)
        case .cancel(let target): self.cancel(target, id: request.id, from: id, at: now)
        case .groupBegin(let group): self.begin(group, id: request.id, from: id, at: now)
        case .groupEnd(let group): self.end(group, id: request.id, from: id, at: now)
        case .logs(var logs):
            let uid = self.visibleUID(of: id, own: logs.own)
            logs.own = false
            self.lookUp(.logs(logs), as: .logs, of: uid, id: request.id, from: id, at: now)
        case .requests(var requests):
            let uid = self.visibleUID(of: id, own: requests.own)
            requests.own = false
            self.lookUp(.requests(requests), as: .requests, of: uid, id: request.id, from: id, at: now)
        case .models(let models): self.listModels(models, id: request.id, from: id, at: now)
        case .purposes: self.send(self.purposes(for: id, as: request.id), to: id)
        case .whoami: self.send(ClientAnswer.done(id: request.id, ("whoami", self.description(of: id).encoded)), to: id)
        case .explain(let explain): self.explain(explain, id: request.id, to: id, at: now)
        case .secrets(let action): self.keepSecrets(action, id: request.id, from: id, at: now)
        case .reload: self.reload(id: request.id, from: id, at: now)
        case .drain: self.drain(id: request.id, from: id, at: now)
        case .status: self.send(ClientAnswer.done(id: request.id, ("status", self.status(at: now))), to: id)
        case .ping: self.send(ClientAnswer.done(id: request.id), to: id)
        }
    }

    private static func duplicate(_ id: RequestIdentifier) -> Failure {
        Failure(
            .duplicateID,
            "the id \(String(decoding: id.encoded, as: UTF8.self)) belongs to a request of this connection that is still open"
        )
    }

    mutating func clientFrameBegun(_ id: ConnectionID, _ length: Int?, at now: Now) {
        guard let connection = self.connections[id], connection.state != .closing else { return }
        self.connections[id]!.frameBegan(at: now.instant, bounds: self.bounds)
        // A large prompt is held twice: on its way to a slot, and on its way to the disk; or before that here, and on its way to a hook.
        let copies = self.configuration.storesPrompts || !self.hooks.isEmpty ? 2 : 1
        if let length, length > self.bounds.smallFrame, !self.memory.reserveOrWait(.clientFrame(id), copies * length) {
            self.connections[id]!.memoryIsShort(at: now.instant)
            if connection.isRead { self.actions.append(.pauseClient(id)) }
        }
        self.updateDeadline(ofConnection: id)
    }

    mutating func clientFrameTooLong(_ id: ConnectionID, _ length: Int, at now: Now) {
        self.closeConnection(
            id, Failure(.invalidFrame, "a frame of \(length) bytes is longer than \(ProtocolBounds.clientFrame)"),
            at: now)
    }

    mutating func clientBacklog(_ id: ConnectionID, _ bytes: Int, tookSome: Bool, at now: Now) {
        guard let connection = self.connections[id] else { return }
        self.connections[id]!.backlogChanged(
            to: bytes, tookSome: tookSome, at: now.instant, bounds: self.bounds)
        self.answerMemory.charge(.clientOutput(id), max(0, bytes - self.bounds.outputHighWater))
        let after = self.connections[id]!
        if after.isBlocked != connection.isBlocked {
            for number in connection.requestsInOrder {
                self.setPausedForClient(number, after.isBlocked, at: now)
            }
            if !after.isBlocked { self.reader.isHeldUp = false }
        }
        if after.isRead != connection.isRead {
            self.actions.append(after.isRead ? .resumeClient(id) : .pauseClient(id))
        }
        self.updateDeadline(ofConnection: id)
    }

    mutating func clientClosed(_ id: ConnectionID, at now: Now) {
        guard let connection = self.connections.removeValue(forKey: id) else { return }
        self.callerConnections.release(id)
        self.memory.release(.clientFrame(id))
        self.answerMemory.release(.clientOutput(id))
        self.setDeadline(.connection(id), at: nil)
        self.abandonRequests(of: connection, at: now)
    }

    mutating func connectionExpired(_ id: ConnectionID, at now: Now) {
        guard let connection = self.connections[id] else { return }
        switch connection.expiry(at: now.instant) {
        case .none:
            self.updateDeadline(ofConnection: id)
        case .noFirstFrame:
            self.closeConnection(
                id, Failure(.connectionTimeout, "no request arrived within \(self.bounds.firstFrameTimeout)"), at: now)
        case .frameTooSlow:
            self.closeConnection(
                id, Failure(.connectionTimeout, "a frame was not whole within \(self.bounds.frameTimeout)"), at: now)
        case .stalled:
            self.actions.append(.log(LogEntry(.info, "client dropped: it takes no output", connection.peer.fields)))
            self.dropConnection(id, at: now)
        case .lingered:
            self.dropConnection(id, at: now)
        }
    }

    // MARK: Answers

    mutating func send(_ payload: [UInt8], to id: ConnectionID) {
        guard let connection = self.connections[id], connection.state != .closing else { return }
        self.actions.append(.send(id, payload))
    }

    /// Says why to the client, gives up its requests, and closes once it has been told.
    mutating func closeConnection(_ id: ConnectionID, _ failure: Failure, at now: Now) {
        self.send(ClientAnswer.error(id: nil, failure), to: id)
        self.finishConnection(id, at: now)
    }

    /// Closes once everything that was sent has left.
    mutating func finishConnection(_ id: ConnectionID, at now: Now) {
        guard let connection = self.connections[id], connection.state != .closing else { return }
        self.connections[id]!.close(at: now.instant, bounds: self.bounds)
        self.actions.append(.closeClient(id))
        self.release(connection, id, at: now)
        self.updateDeadline(ofConnection: id)
    }

    private mutating func dropConnection(_ id: ConnectionID, at now: Now) {
        guard let connection = self.connections[id] else { return }
        self.actions.append(.dropClient(id))
        self.connections[id]!.close(at: now.instant, bounds: self.bounds)
        self.release(connection, id, at: now)
        self.setDeadline(.connection(id), at: nil)
    }

    /// Gives up what a connection that is closing holds.
    private mutating func release(_ connection: Connection, _ id: ConnectionID, at now: Now) {
        self.connections[id]!.requests = [:]
        self.connections[id]!.groups = []
        self.memory.release(.clientFrame(id))
        self.abandonRequests(of: connection, at: now)
    }

    private mutating func abandonRequests(of connection: Connection, at now: Now) {
        for number in connection.requestsInOrder { self.clientLeft(number, uid: connection.peer.uid, at: now) }
        self.endGroups(of: connection)
    }

    mutating func updateDeadline(ofConnection id: ConnectionID) {
        self.setDeadline(.connection(id), at: self.connections[id]?.deadline)
    }
}

extension PeerCredentials {
    /// For the operator's log.
    var fields: [String: String] { ["uid": "\(self.uid)", "pid": "\(self.pid)"] }
}
