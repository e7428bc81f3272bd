import Messages

// Groups of requests, from their beginning until the last of their requests has ended.
extension SupervisorCore {
    // MARK: What clients ask

    /// `op: group_begin`.
    mutating func begin(
        _ request: GroupBeginRequest, id: RequestIdentifier, from connectionID: ConnectionID, at now: Now
    ) {
        do throws(Failure) {
            try self.checkPhase()
            let peer = self.connections[connectionID]!.peer
            try self.checkGroups(of: connectionID, peer)
            let terms = try self.terms(of: request.mandate, from: connectionID)
            let model = try request.model.flatMap { $0.isEmpty ? nil : $0 }
                .map { name throws(Failure) in try self.checkModel(named: name, under: terms) }
            let group = self.ulids.next(atMilliseconds: UInt64(now.wallMilliseconds), using: &self.random)
            self.groups[group] = PromptGroup(request.mandate, model: model, of: connectionID, peer: peer)
            self.connections[connectionID]!.groups.append(group)
            self.send(ClientAnswer.group(id: id, group), to: connectionID)
        } catch {
            self.send(ClientAnswer.error(id: id, error), to: connectionID)
        }
    }

    /// Whether members of a group could ask a model, its health apart. Returns its id.
    private func checkModel(named name: String, under terms: Terms) throws(Failure) -> String {
        let (provider, model) = try self.model(named: name, under: terms)
        if let refusal = terms.refusal(of: model.id) { throw refusal }
        let key = self.key(for: Attempts.Candidate(provider: provider, model: model), under: terms)
        if let failure = key.failure(model.id) { throw failure }
        return model.id
    }

    private func checkGroups(of connectionID: ConnectionID, _ peer: PeerCredentials) throws(Failure) {
        guard self.connections[connectionID]!.groups.count < self.bounds.groupsPerConnection else {
            throw Failure(
                .tooManyRequests,
                "\(self.bounds.groupsPerConnection) groups are open on this connection; end one of them")
        }
        guard self.groups.count < self.bounds.groups,
            self.groups.values.count(where: { $0.peer.uid == peer.uid }) < (self.bounds.groups + 1) / 2
        else { throw Failure(.overloaded, "too many groups are open; try again later") }
    }

    /// `op: group_end`.
    ///
    /// It is answered when the group is over, and is refused at no bound of open requests: so many of them there are as groups.
    mutating func end(
        _ request: GroupEndRequest, id: RequestIdentifier, from connectionID: ConnectionID, at now: Now
    ) {
        do throws(Failure) {
            guard let group = self.groups[request.group], group.connection == connectionID, !group.wasEnded else {
                // The end of the daemon is the end of every group.
                try self.checkPhase()
                throw Self.noGroup(request.group)
            }
            let number = RequestNumber(rawValue: self.nextNumber())
            self.connections[connectionID]!.requests[id] = number
            self.groupEnds[number] = request.group
            self.groups[request.group]!.end(for: number, id)
            self.noteIfOver(request.group)
        } catch {
            self.send(ClientAnswer.error(id: id, error), to: connectionID)
        }
    }

    /// Who waits for the end of a group waits no more; the group ends all the same.
    mutating func endGroupEnd(_ number: RequestNumber, _ failure: Failure?) {
        guard let name = self.groupEnds.removeValue(forKey: number), let group = self.groups[name] else { return }
        self.groups[name]!.askerLeft()
        guard let id = group.asker?.id else { return }
        self.connections[group.connection]?.requests[id] = nil
        if let failure { self.send(ClientAnswer.error(id: id, failure), to: group.connection) }
    }

    // MARK: Members

    /// What a client asks as its group, if it names one, completes it: with a purpose, an actor, a model.
    ///
    /// - Throws: Where there is no such group, or the request contradicts it.
    func inGroup(
        _ operation: ClientRequest.Operation, of connection: ConnectionID
    ) throws(Failure) -> ClientRequest.Operation {
        switch operation {
        case .prompt(var prompt):
            try self.complete(&prompt.mandate, &prompt.model, of: connection)
            return .prompt(prompt)
        case .chain(var chain):
            try self.complete(&chain.prompt.mandate, &chain.prompt.model, of: connection)
            return .chain(chain)
        case .embed(var embed):
            try self.complete(&embed.mandate, &embed.model, of: connection)
            return .embed(embed)
        case .toolResult, .cancel, .groupBegin, .groupEnd, .logs, .requests, .models, .purposes, .whoami, .explain,
            .secrets, .status, .reload, .drain,
            .ping:
            return operation
        }
    }

    private func complete(
        _ mandate: inout Mandate, _ model: inout String?, of connection: ConnectionID
    ) throws(Failure) {
        guard let name = mandate.group else { return }
        guard let group = self.groups[name], group.connection == connection, group.state == .open else {
            try self.checkPhase()
            throw Self.noGroup(name)
        }
        mandate = try group.mandate(of: mandate)
        model = try group.model(named: model) { self.findModel($0)?.model.id }
    }

    private static func noGroup(_ name: ULID) -> Failure {
        Failure(.notFound, "no group \(name) of this connection is open; it may have ended")
    }

    /// What was let in under this number belongs to a group from now on, if to any; it may already.
    mutating func join(_ number: RequestNumber, _ group: ULID?) {
        guard let group else { return }
        self.memberships[number] = group
        self.groups[group]!.join(number)
    }

    /// What was asked under this number is over, and its last frame has been sent.
    mutating func leaveGroup(_ number: RequestNumber) {
        guard !self.memberships.isEmpty, let group = self.memberships.removeValue(forKey: number) else { return }
        self.groups[group]!.leave(number)
        self.noteIfOver(group)
    }

    // MARK: The end

    /// The connection is gone, or about to be closed.
    mutating func endGroups(of connection: Connection) {
        for group in connection.groups where self.groups[group] != nil { self.endGroup(group) }
    }

    /// No request is open any more, and none will be.
    mutating func endAllGroups(at now: Now) {
        guard !self.groups.isEmpty else { return }
        for (group, _) in self.groups.sorted(by: { $0.key.description < $1.key.description }) {
            self.endGroup(group)
        }
        self.proceedWithGroups(at: now)
    }

    private mutating func endGroup(_ name: ULID) {
        guard self.groups[name]!.state == .open else { return }
        self.groups[name]!.end()
        self.noteIfOver(name)
    }

    private mutating func noteIfOver(_ name: ULID) {
        if self.groups[name]!.isOver { self.groupsThatAreOver.append(name) }
    }

    /// Lets go the groups whose last request has ended in the event in hand.
    mutating func proceedWithGroups(at now: Now) {
        while !self.groupsThatAreOver.isEmpty {
            let name = self.groupsThatAreOver.removeFirst()
            self.groups[name]!.exit()
            self.groupExited(name, at: now)
        }
    }

    /// The last request of a group has ended: once for each, however it ended.
    private mutating func groupExited(_ name: ULID, at now: Now) {
        if !self.askGroupExit(name, at: now) { self.forgetGroup(name) }
    }

    /// A group is gone; who waits for that is told.
    mutating func forgetGroup(_ name: ULID) {
        guard let group = self.groups.removeValue(forKey: name) else { return }
        self.connections[group.connection]?.groups.removeAll { $0 == name }
        guard let asker = group.asker else { return }
        self.groupEnds[asker.number] = nil
        self.connections[group.connection]?.requests[asker.id] = nil
        self.send(ClientAnswer.group(id: asker.id, name, requests: group.requestCount), to: group.connection)
    }
}
