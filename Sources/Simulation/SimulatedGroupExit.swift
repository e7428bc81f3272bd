import Messages
import SupervisorCore

/// The one hook that some worlds have: it is told when a group is over.
struct SimulatedGroupHook {
    let id: HookID
    /// It does nothing any more.
    var isStopped = false
    /// The groups that it was asked about and has not answered to, and since when.
    var questions: [Int: (group: String, sentAt: Instant)] = [:]
}

// The end of groups, as that hook sees it: once for each.
extension Simulation {
    private var hookTimeout: Duration { .milliseconds(self.configuration.hooks[0].timeoutMilliseconds) }

    /// Whether the hook is yet to answer to the end of a group.
    func awaitsGroupHook(_ group: String) -> Bool {
        self.groupHook?.questions.values.contains { $0.group == group } ?? false
    }

    // MARK: What the core does

    mutating func groupHookIsStarted(_ id: HookID) {
        if self.groupHook != nil { self.fail("the hook was started twice") }
        self.groupHook = SimulatedGroupHook(id: id)
        self.followUps.append(.hookStarted(id, pid: 9))
    }

    mutating func groupHookReceives(_ id: HookID, _ payload: [UInt8]) {
        guard self.groupHook?.id == id else { return self.fail("a hook was asked that is gone") }
        guard let (number, question) = try? HookQuestion.decode(payload),
            let group = question.subject.group?.description,
            case .groupExit(let requests) = question.content
        else { return self.fail("a hook was asked what it is not for") }
        self.mark("group_exit asked")
        if !self.toldOver.insert(group).inserted { self.fail("the hook heard twice of the end of group \(group)") }
        if requests != self.admitted.count(where: { self.memberships[$0.chain] == group }) {
            self.fail("the hook was told of \(requests) requests of group \(group)")
        }
        switch self.groups[group] {
        case let open? where !open.isAbandoned:
            if self.openGroups.contains(group) { self.fail("the hook heard of the end of group \(group) too early") }
            if !open.wasEnded, !self.isDraining { self.fail("nobody has ended group \(group)") }
        default: self.mark("group_exit of a connection that is gone")
        }
        if self.isDraining { self.mark("group_exit in a drain") }
        self.groupHook!.questions[number] = (group, self.now)
    }

    mutating func groupHookIsClosed(_ id: HookID) {
        guard let hook = self.groupHook else { return self.fail("a hook was closed that is gone") }
        if !hook.questions.isEmpty { self.fail("a hook was closed that has a question") }
        self.groupHook = nil
        self.followUps.append(.hookExited(id, .exited(code: 0)))
    }

    mutating func groupHookIsKilled(_ id: HookID) {
        guard let hook = self.groupHook else { return self.fail("a hook was killed that is gone") }
        if !self.isDraining, !hook.questions.values.contains(where: { $0.sentAt + self.hookTimeout <= self.now }) {
            self.fail("a hook was killed for nothing")
        }
        self.mark("group_exit given up")
        self.groupHook = nil
        self.followUps.append(.hookExited(id, .signalled(9)))
    }

    /// Whoever waited for a group is told that it is over: then its hook has heard of it, and has answered or had its time.
    mutating func checkGroupHook(_ group: String) {
        guard let hook = self.groupHook else { return }
        if hook.questions.values.contains(where: { $0.group == group && self.now < $0.sentAt + self.hookTimeout }) {
            self.fail("group \(group) ended before its hook had answered")
        }
        if !self.toldOver.contains(group) { self.fail("group \(group) ended and its hook has not heard of it") }
    }

    // MARK: What it does

    mutating func groupHookActs() {
        guard let hook = self.groupHook, !hook.isStopped else { return }
        switch Int.random(in: 0..<100, using: &self.random) {
        case 0..<1:
            self.mark("hook of groups died")
            self.groupHook = nil
            self.post(.hookExited(hook.id, .signalled(11)))
        case 1..<2: self.groupHook!.isStopped = true
        case 2..<50: break
        default: self.groupHookBehaves()
        }
    }

    mutating func groupHookBehaves() {
        guard let hook = self.groupHook, !hook.isStopped, let number = hook.questions.keys.min() else {
            return
        }
        self.groupHook!.questions[number] = nil
        self.post(.hookAnswer(hook.id, HookAnswer.encode(.nothing, number: number)))
    }
}
