import Messages
import Policy

// What hooks are told of that has ended: requests, and groups.
extension SupervisorCore {
    /// A request that was on record has ended.
    mutating func tellHooks(of request: Request, _ record: EndRecord, at now: Now) {
        guard !self.hooks.isEmpty, let subject = request.subject else { return }
        let operation: HookQuestion.Operation =
            request.embeddings != nil ? .embed : request.round != nil ? .chain : .prompt
        let content = HookQuestion.Content.afterResponse(
            operation, model: request.model, provider: self.providers[request.provider].settings.name,
            HookQuestion.End(
                request: request.ulid, state: record.state, usage: record.usage,
                durationMilliseconds: record.durationMilliseconds, failure: record.failure))
        self.tellHooks(.afterResponse, HookQuestion(subject, content).body, at: now)
    }

    /// Tells the hooks of its exit that the last request of a group has ended.
    ///
    /// - Returns: Whether any of them is waited for: then the group is forgotten when all have answered, or have failed to.
    mutating func askGroupExit(_ name: ULID, at now: Now) -> Bool {
        let hooks = self.hooks(of: .groupExit)
        guard !hooks.isEmpty, let group = self.groups[name] else { return false }
        let peer = group.peer
        let subject = HookQuestion.Subject(
            caller: self.policy.caller(of: peer)?.name, uid: peer.uid, gid: peer.gid, pid: peer.pid, unit: peer.unit,
            actor: group.mandate.actor ?? "uid:\(peer.uid)", purpose: group.mandate.purpose, group: name)
        let body = HookQuestion(subject, .groupExit(requests: group.requestCount)).body
        var asked: Set<HookID> = []
        for id in hooks where self.ask(id, body, about: .groupExit, for: .group(name), at: now) == nil {
            asked.insert(id)
        }
        guard !asked.isEmpty else { return false }
        self.groupExits[name] = asked
        return true
    }

    /// A hook has answered to the end of a group, or has failed to.
    mutating func groupExitHeard(_ name: ULID, from id: HookID) {
        self.groupExits[name]?.remove(id)
        guard self.groupExits[name]?.isEmpty ?? false else { return }
        self.groupExits[name] = nil
        self.forgetGroup(name)
    }
}
