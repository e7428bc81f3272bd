import JSON
import Messages
import SupervisorCore

// What must be true of what hooks are asked about.
extension HookSimulation {
    // MARK: Let in

    /// A request is on record: every hook that must agree to it has, and none has refused.
    mutating func isOpened(_ record: OpenRecord) {
        guard let name = record.mandate.actor, let wish = self.wishes[name] else {
            // Its client left while its row was on its way.
            return self.fail("a request of nobody is on record")
        }
        self.onRecord[record.request] = (name, false)
        self.wishes[name]!.isAdmitted = true
        if wish.wasCancelled { self.fail("\(name) was admitted after it was cancelled") }
        for (id, hook) in self.hooks {
            let replies = wish.replies[id] ?? [:]
            for (event, reply) in replies where wish.inTime[id]?.contains(event) ?? false {
                if case .refuse = reply { self.fail("\(name) was admitted though \(hook.settings.name) refused it") }
                if case .models(let models) = reply, !models.contains(record.model) {
                    self.fail("\(name) was admitted with a model that \(hook.settings.name) left out")
                }
                if event == .beforePrompt, !hook.settings.events.contains(event) { self.fail("a reply out of turn") }
            }
            guard hook.settings.isClosed else { continue }
            for event in [HookEvent.filterModels, .beforePrompt]
            where hook.settings.events.contains(event) && replies[event] == nil {
                self.fail("\(name) was admitted though \(hook.settings.name) did not agree (\(event.rawValue))")
            }
        }
        self.checkNotes(record, wish)
        let passed = wish.asked.contains { id, events in events.contains { wish.replies[id]?[$0] == nil } }
        self.mark(passed ? "admitted without an answer" : "admitted")
        if wish.asked.isEmpty { self.mark("admitted and nobody was asked") }
    }

    private mutating func checkNotes(_ record: OpenRecord, _ wish: Wish) {
        var noted: [String: [UInt8]] = [:]
        for (id, replies) in wish.replies {
            if case .annotate(let note)? = replies[.beforePrompt] { noted[self.hooks[id]!.settings.name] = note }
        }
        let members = record.annotations.flatMap { try? JSONValue(parsing: $0) }?.members ?? []
        for member in members where noted[member.name] != member.value.serialized() {
            self.fail("what is on record is not what hook \(member.name) noted")
        }
        if (record.annotations?.count ?? 0) > ProtocolBounds.annotations { self.fail("too many notes are on record") }
        let total = noted.values.reduce(0) { $0 + $1.count }
        if members.count < noted.count {
            let isFull = total + 100 >= ProtocolBounds.annotations
            self.mark(isFull ? "annotation left out" : "annotation too late")
            let missing = wish.replies.keys.filter { id in
                let name = self.hooks[id]!.settings.name
                return noted[name] != nil && !members.contains { $0.name == name }
            }
            if !isFull, missing.contains(where: { wish.inTime[$0]?.contains(.beforePrompt) ?? false }) {
                self.fail("a note was left out for nothing")
            }
        }
        if !members.isEmpty { self.mark("annotated") }
    }

    // MARK: Refused

    mutating func wishFailed(_ name: String, _ wish: Wish, _ failure: Failure) {
        guard !wish.isAdmitted else { return self.mark("failed on record") }
        let replies = wish.replies.values.flatMap(\.values)
        self.mark("refused: \(failure.code.rawValue)")
        switch failure.code {
        case .notAllowed:
            let isRefused = replies.contains {
                switch $0 {
                case .refuse: true
                case .models(let models): !models.contains("m0") || !models.contains("m1")
                case .nothing, .model, .annotate: false
                }
            }
            if !isRefused { self.fail("\(name) was refused by nobody: \(failure)") }
            self.mark(failure.message.contains("leaves it out") ? "model left out" : "request refused")
        case .hookFailed:
            let closed = self.hooks.values.first {
                $0.settings.isClosed && failure.message.hasPrefix("hook '\($0.settings.name)' must agree")
            }
            guard closed != nil else { return self.fail("\(name) failed for a hook that may fail: \(failure)") }
            for reason in [
                "is not running", "questions waiting", "did not answer within", "ended (", "broke the protocol",
                "named the model",
            ] where failure.message.contains(reason) { self.mark("closed hook: \(reason)") }
        case .cancelled: if !wish.wasCancelled { self.fail("\(name) was cancelled by nobody") }
        case .timeout:
            guard let timeout = wish.timeout, wish.arrivedAt + timeout <= self.now else {
                return self.fail("\(name) timed out early")
            }
        case .shuttingDown: if !self.isDraining { self.fail("\(name) ended in a drain that nobody began") }
        case .overloaded, .tooManyRequests: break
        default: self.fail("\(name) ended with \(failure)")
        }
    }

    // MARK: Always

    /// Nobody waits longer than hooks have time.
    mutating func checkTimeouts() {
        for (name, wish) in self.wishes where !wish.isAdmitted {
            if let timeout = wish.timeout, wish.arrivedAt + timeout < self.now {
                self.fail("\(name) waits beyond its timeout")
            }
        }
        for hook in self.hooks.values where hook.isHeard && !hook.isClosed {
            for question in hook.questions.values {
                guard let name = question.question.subject.actor, question.question.event != .afterResponse,
                    let wish = self.wishes[name], !wish.isAdmitted, question.sentAt + hook.timeout < self.now
                else { continue }
                // Somebody else may be waited for: then this hook's failure has been taken.
                if self.core.footprint.consultations == 0 { self.fail("\(name) waits for \(hook.settings.name)") }
            }
        }
        let longest = self.configuration.hooks.reduce(Duration.zero) { $0 + .milliseconds($1.timeoutMilliseconds) }
        for (name, wish) in self.wishes where !wish.isAdmitted && wish.arrivedAt + longest * 3 < self.now {
            self.fail("\(name) waits for more than all hooks have time")
        }
    }

    mutating func checkBooks() {
        guard self.violation == nil else { return }
        let footprint = self.core.footprint
        let waiting = self.wishes.values.count { !$0.isAdmitted }
        if footprint.consultations != waiting {
            self.fail("\(footprint.consultations) requests wait for hooks, and \(waiting) clients")
        }
        if waiting > self.bounds.consultations { self.fail("too many requests wait for hooks") }
        // Each has at most one question more than fits, which is then its only one.
        let most = self.bounds.hookWindow + self.bounds.hookNoticeMemory + 4000
        if footprint.hookBytes > self.configuration.hooks.count * most {
            self.fail("hooks hold \(footprint.hookBytes) bytes")
        }
        if footprint.deadlines > footprint.connections + footprint.requests + footprint.chains + footprint.consultations
            + footprint.workers + self.configuration.providers.count + self.configuration.hooks.count + 3
        {
            self.fail("deadlines are left behind: \(footprint)")
        }
        if waiting == 0, footprint.requests == 0, footprint.chains == 0, footprint.logBytes == 0, footprint.memory != 0
        {
            self.fail("\(footprint.memory) bytes are held by nobody")
        }
    }
}
