import Messages
import SupervisorCore

/// A group of requests as the world sees it.
struct SimulatedGroup {
    let connection: ConnectionID
    let purpose: String?
    /// The id of its model, if it has one.
    let model: String?
    /// Its end was asked for.
    var wasEnded = false
    /// The request that waits for its end.
    var asker: RequestIdentifier?
    /// Its connection is gone.
    var isAbandoned = false
}

/// A request for the end of a group.
struct SimulatedGroupEnd {
    let group: String
    /// Why it must be refused, if it must.
    let refusal: ErrorCode?
    var wasCancelled = false
}

extension Simulation {
    // MARK: What clients do

    private func groups(of id: ConnectionID) -> [String] {
        self.groups.filter { $0.value.connection == id && !$0.value.wasEnded }.map(\.key).sorted()
    }

    mutating func clientBeginsOrEndsGroup(_ id: ConnectionID, _ newID: RequestIdentifier) {
        let own = self.groups(of: id)
        if !own.isEmpty, self.chance(45) { return self.clientEndsGroup(id, newID) }
        self.sendGroup(id, newID)
    }

    mutating func clientBeginsGroup(_ id: ConnectionID) {
        guard let client = self.clients[id], client.isRead, !client.isClosing else { return }
        self.clients[id]!.lastID += 1
        self.sendGroup(id, .number(client.lastID + 1))
    }

    private mutating func sendGroup(_ id: ConnectionID, _ newID: RequestIdentifier) {
        let model = [nil, nil, "m0", "alias0", "none"].randomElement(using: &self.random)!
        let request = GroupBeginRequest(Mandate(purpose: self.chance(40) ? "finish" : nil), model: model)
        self.groupInHand = (id, newID, request)
        self.send(id, ClientRequest(id: newID, operation: .groupBegin(request)), expecting: newID)
        self.groupInHand = nil
    }

    /// Ends a group of its own, or tries another.
    private mutating func clientEndsGroup(_ id: ConnectionID, _ newID: RequestIdentifier) {
        let others = self.groups.keys.filter { self.groups[$0]!.connection != id || self.groups[$0]!.wasEnded }.sorted()
        let isWrong = self.chance(8) && !others.isEmpty
        let name = (isWrong ? others : self.groups(of: id)).randomElement(using: &self.random)!
        let refusal: ErrorCode? = isWrong ? (self.isDraining ? .shuttingDown : .notFound) : nil
        if !isWrong {
            self.groups[name]!.wasEnded = true
            self.groups[name]!.asker = newID
        }
        self.clients[id]!.groupEnds[newID] = SimulatedGroupEnd(group: name, refusal: refusal)
        self.send(
            id, ClientRequest(id: newID, operation: .groupEnd(GroupEndRequest(group: ULID(name)!))), expecting: newID)
    }

    /// Some of the groups are being ended when a drain begins, and some after that.
    mutating func clientsEndGroups(percent: Int) {
        for id in self.clients.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            guard let client = self.clients[id], client.isRead, !client.isClosing, !self.groups(of: id).isEmpty,
                self.chance(percent)
            else { continue }
            self.clients[id]!.lastID += 1
            self.clientEndsGroup(id, .number(client.lastID + 1))
        }
    }

    /// Whether a request that is about to be sent names a group, which changes what it asks for.
    ///
    /// - Parameter model: The model that it names, which becomes the group's.
    mutating func drawGroup(
        of key: SimulatedPrompt.Key, _ mandate: inout Mandate, model: String?
    ) -> String? {
        let own = self.groups(of: key.connection)
        if self.chance(3), let name = self.groups.keys.sorted().randomElement(using: &self.random), !own.contains(name)
        {
            self.refusals[key] = self.isDraining ? .shuttingDown : .notFound
            mandate.group = ULID(name)
            return model
        }
        guard let name = own.randomElement(using: &self.random), self.chance(60) else { return model }
        mandate.group = ULID(name)
        self.memberships[key] = name
        if self.chance(80) { mandate.purpose = nil }
        if let purpose = mandate.purpose, purpose != self.groups[name]!.purpose { self.refusals[key] = .invalidRequest }
        guard let other = self.groups[name]!.model else { return model }
        if let model, model.replacing("alias", with: "m") != other { self.refusals[key] = .invalidRequest }
        return other
    }

    // MARK: What is said to them

    /// A request is answered that must be refused because of its group. Returns whether this was one.
    mutating func isRefusedForItsGroup(_ key: SimulatedPrompt.Key, _ failure: Failure) -> Bool {
        guard let code = self.refusals[key] else { return false }
        self.refusals[key] = nil
        if failure.code != code, !(self.isDraining && failure.code == .shuttingDown) {
            self.fail("request \(key.text) was refused with \(failure) for its group, not with \(code)")
        }
        self.mark("refused for its group: \(failure.code.rawValue)")
        for open in [key, key.round(1)] {
            guard let prompt = self.prompts.removeValue(forKey: open) else { continue }
            if prompt.isAdmitted {
                self.admitted.removeLast()
            } else if let conversation = prompt.conversation {
                self.lines[conversation]?.removeAll { $0 == open }
                if self.lines[conversation]?.isEmpty == true { self.lines[conversation] = nil }
            }
        }
        self.chains[key] = nil
        return true
    }

    /// Returns whether the answer was to a `group_begin`, or a `group_end`.
    mutating func groupIsAnswered(_ id: ConnectionID, _ requestID: RequestIdentifier, _ event: ClientEvent) -> Bool {
        if let end = self.clients[id]!.groupEnds.removeValue(forKey: requestID) {
            self.groupEndIsAnswered(end, event)
            return true
        }
        guard let (connection, inHand, request) = self.groupInHand, connection == id, inHand == requestID else {
            return false
        }
        self.groupInHand = nil
        switch event.event {
        case .done(let completion):
            guard let name = completion.group, request.model.map(self.isServed) ?? true, !self.isDraining else {
                self.fail("a group was begun that is none")
                return true
            }
            self.mark("group begun")
            self.groups[name] = SimulatedGroup(
                connection: connection, purpose: request.mandate.purpose,
                model: request.model?.replacing("alias", with: "m"))
        case .error(let failure, _, _): self.checkRefusal(ofGroupFor: request.model, failure, connection)
        default: self.fail("a group was answered as a prompt")
        }
        return true
    }

    /// Whether a provider of the present configuration has the model.
    private func isServed(_ model: String) -> Bool {
        let number = Int(model.drop { !$0.isNumber })
        return self.configuration.providers.contains { $0.number == number }
    }

    private mutating func checkRefusal(ofGroupFor model: String?, _ failure: Failure, _ connection: ConnectionID) {
        self.mark("group refused: \(failure.code.rawValue)")
        switch failure.code {
        case .unknownModel where model.map { !self.isServed($0) } ?? false: break
        case .shuttingDown where self.isDraining: break
        case .tooManyRequests:
            if self.groups.values.count(where: { $0.connection == connection }) < self.bounds.groupsPerConnection {
                self.fail("a group was refused to a client that may have another")
            }
        case .overloaded:
            if self.groups.count < (self.bounds.groups + 1) / 2 { self.fail("a group was refused, and there is room") }
        default: self.fail("a group was refused with \(failure)")
        }
    }

    private mutating func groupEndIsAnswered(_ end: SimulatedGroupEnd, _ event: ClientEvent) {
        switch event.event {
        case .done(let completion):
            if end.refusal != nil || completion.group != end.group { self.fail("the end of another group") }
            if self.openGroups.contains(end.group) { self.fail("group \(end.group) ended before its requests") }
            let requests = self.admitted.count { self.memberships[$0.chain] == end.group }
            if completion.groupRequests != requests {
                self.fail("group \(end.group) had \(requests) requests, not \(completion.groupRequests ?? -1)")
            }
            if end.wasCancelled { self.fail("the end of a group was answered after its cancel") }
            self.mark(requests > 0 ? "group ended with requests" : "group ended without requests")
            if self.isDraining { self.mark("group ended in a drain") }
            self.groups[end.group] = nil
        case .error(let failure, _, _):
            switch failure.code {
            case .cancelled where end.wasCancelled:
                self.mark("group_end cancelled")
                self.groups[end.group]?.asker = nil
            case .shuttingDown where self.isDraining && end.refusal == nil:
                // The daemon ended it itself.
                self.mark("group_end after the daemon ended the group")
                if self.openGroups.contains(end.group) { self.fail("a drain ended a group before its requests") }
                self.groups[end.group] = nil
            case .shuttingDown where self.isDraining, end.refusal: self.mark("group_end refused")
            default: self.fail("the end of group \(end.group) was refused with \(failure)")
            }
        default: self.fail("the end of a group was answered as a prompt")
        }
    }

    // MARK: Books

    /// The groups that have a request that is open.
    private var openGroups: Set<String> {
        var names: Set<String> = []
        for key in self.prompts.keys { if let name = self.memberships[key.chain] { names.insert(name) } }
        for key in self.chains.keys { if let name = self.memberships[key] { names.insert(name) } }
        return names
    }

    mutating func groupsAreAbandoned(of id: ConnectionID) {
        for (name, group) in self.groups where group.connection == id && !group.isAbandoned {
            self.groups[name]!.isAbandoned = true
            self.groups[name]!.wasEnded = true
            self.mark("group ended by its connection")
        }
    }

    /// There are as many groups as there should be, and whoever waits for the end of one waits for a request.
    mutating func checkGroups() {
        let count = self.core.footprint.groups
        if let (key, code) = self.refusals.first {
            self.fail("request \(key.text) was not refused for its group with \(code.rawValue)")
        }
        guard !self.groups.isEmpty || count > 0 else { return }
        let open = self.openGroups
        for (name, group) in self.groups where group.wasEnded && !open.contains(name) {
            // Nobody is told of the end of one that nobody waits for.
            if group.isAbandoned || group.asker == nil {
                self.groups[name] = nil
            } else {
                self.fail("group \(name) has no open request and its end is not answered")
            }
        }
        let living = self.groups.values.count { !$0.isAbandoned && $0.asker != nil || !$0.wasEnded }
        if count > self.groups.count || count < living && !self.isDraining {
            self.fail("\(count) groups are open, and should be \(living) to \(self.groups.count)")
        }
        if count > self.bounds.groups { self.fail("too many groups") }
    }
}
