import JSON
import Messages
import SupervisorCore

// What clients are told, held against what the world knows.
extension Simulation {
    mutating func promptIsAnswered(_ key: SimulatedPrompt.Key, _ event: ClientEvent) {
        let prompt = self.prompts[key]!
        let id = RequestIdentifier.number(key.id)
        switch event.event {
        case .start(let start):
            let (name, model, provider, conversation) = (start.request, start.model, start.provider, start.conversation)
            self.checkStart(event, of: key, startedBefore: self.clients[key.connection]!.started[id] != nil)
            if key.round == 0, start.chain != nil { self.fail("request \(key.text) started as a round") }
            if !prompt.isStreamed, key.round == 0 { self.fail("request \(key.text) started, and was asked for whole") }
            if prompt.slot == nil { self.fail("request \(key.text) started without a slot") }
            if model != prompt.model || provider != "p\(prompt.provider)" {
                self.fail("request \(key.text) started as another")
            }
            if let known = prompt.name, known != name { self.fail("request \(key.text) started under another name") }
            self.clients[key.connection]!.started[id] = name
            self.checkConversation(conversation, of: name, prompt)
        case .text(let text): self.promptIsDelivered(key, .text(text), beginning: text)
        case .reasoning(let text): self.promptIsDelivered(key, .reasoning(text), beginning: text)
        case .toolCall(let call): self.promptIsDelivered(key, .toolCall(call), beginning: call.id)
        case .done(let completion):
            self.mark(prompt.isStreamed ? "done, streamed" : "done, whole")
            guard case .done? = prompt.slotEnd, !prompt.mustEndCancelled else {
                return self.fail("request \(key.text) is done, and its slot did not say so")
            }
            if prompt.cut != nil { self.fail("request \(key.text) is done after it was cut short") }
            if prompt.embeddings != nil {
                self.embeddingsAreDelivered(completion, of: key)
            } else if completion.embeddings != nil {
                self.fail("a prompt was answered with embeddings")
            }
            let isWhole = prompt.embeddings == nil && !prompt.isStreamed
            if isWhole != (completion.text != nil) || prompt.spoken != prompt.received
                || completion.usage?.output != 4
            {
                self.fail("the answer to request \(key.text) is not whole")
            }
            if !prompt.isStreamed { self.delivered[key] = Transcript(completion) }
            if completion.model != prompt.model { self.fail("request \(key.text) is done by another model") }
            self.checkCount(event.attempts, of: key)
            self.markSuccess(of: key)
            if prompt.embeddings == nil {
                self.checkConversation(completion.conversation, of: completion.request ?? "", prompt)
            }
            self.promptHasEnded(key, name: completion.request, as: .done)
        case .error(let failure, nil, _):
            self.mark(failure.code.rawValue)
            if failure.code == .unknownModel, self.settings(of: prompt.provider, for: prompt) != nil {
                self.fail("a model is unknown that is configured: \(failure)")
            }
            if self.isRefusedForItsGroup(key, failure) { return }
            if prompt.conversation != nil { self.continuationIsRefused(key, failure) }
            if prompt.isAdmitted {
                guard self.admitted.last == key, prompt.slot == nil else {
                    return self.fail("request \(key.text) was refused after its admission")
                }
                self.admitted.removeLast()
            }
            self.prompts[key] = nil
        case .error(let failure, let name?, _):
            self.mark(failure.code.rawValue)
            self.checkFailure(failure, of: key, prompt)
            self.checkCount(event.attempts, of: key)
            let state: EndRecord.State =
                switch failure.code {
                case .cancelled: .cancelled
                case .workerCrashed, .workerHung, .workerMisbehaved: .crashed
                default: .error
                }
            self.promptHasEnded(key, name: name, as: state)
        case .toolResult, .metadata, .round, .unknown:
            self.fail("request \(key.text) was answered with what nobody said")
        }
    }

    private mutating func promptIsDelivered(_ key: SimulatedPrompt.Key, _ event: SlotEvent, beginning: String) {
        let prompt = self.prompts[key]!
        if self.clients[key.connection]!.started[.number(key.id)] == nil {
            self.fail("request \(key.text) was answered before it started")
        }
        if prompt.wasCancelled { self.fail("request \(key.text) was answered after its cancel was confirmed") }
        self.prompts[key]!.received += 1
        if !beginning.hasPrefix("\(prompt.received + 1):") {
            self.fail("the output of request \(key.text) is not what its slot said")
        }
        self.delivered[key, default: Transcript()].append(event)
    }

    /// A client is told the name of the conversation, which it may continue.
    private mutating func checkConversation(_ conversation: String?, of name: String, _ prompt: SimulatedPrompt) {
        guard self.configuration.storesPrompts else {
            if conversation != nil { self.fail("a conversation was named that is not stored") }
            return
        }
        if conversation != prompt.conversation ?? name { self.fail("request \(name) is of another conversation") }
        if let conversation, self.conversations.last != conversation { self.conversations.append(conversation) }
    }

    /// Whether the world knows of a reason for a failure.
    private mutating func checkFailure(_ failure: Failure, of key: SimulatedPrompt.Key, _ prompt: SimulatedPrompt) {
        if prompt.mustEndCancelled, failure.code != .cancelled {
            return self.fail("request \(key.text) was cancelled and ended with \(failure)")
        }
        let timeouts = self.timeouts(of: prompt)
        switch failure.code {
        case .cancelled:
            if !prompt.wasCancelled { self.fail("request \(key.text) was cancelled by nobody") }
        case .timeout:
            guard let cut = prompt.cut else {
                // It waited for a slot, or for its row, or for its next attempt.
                if prompt.slot != nil, !prompt.hasFailedAttempt || prompt.admittedAt + prompt.total > self.now {
                    self.fail("request \(key.text) timed out without a reason")
                }
                if prompt.hasFailedAttempt { self.mark("timed out between attempts") }
                return
            }
            let isTotal = prompt.admittedAt + prompt.total <= cut.at
            let isSilence =
                cut.wasRead && cut.silence >= .milliseconds(cut.spoken == 0 ? timeouts.firstOutput : timeouts.idle)
            if isSilence { self.mark(cut.spoken == 0 ? "first_output timeout" : "idle timeout") }
            if isTotal { self.mark("total timeout") }
            if !isTotal, !isSilence { self.fail("request \(key.text) timed out early: \(failure.message)") }
        case .answerTooLarge where self.configuration.storesPrompts && prompt.isTooLong(self.bounds.recordedAnswer):
            self.mark("answer longer than is recorded")
        case .answerTooLarge where key.round > 0 && prompt.cut != nil,
            .overloaded where key.round > 0 && prompt.cut != nil:
            self.mark("round too large")
        case .workerCrashed, .workerHung, .workerMisbehaved:
            if prompt.slot == nil || prompt.cut != nil {
                self.fail("request \(key.text) blames a worker: \(failure.message)")
            }
        case .providerUnavailable, .shuttingDown:
            if prompt.slot != nil, prompt.cut == nil, !prompt.hasFailedAttempt {
                self.fail("request \(key.text) ran and ended with \(failure.code)")
            }
            if prompt.cut == nil, prompt.hasFailedAttempt {
                self.mark(failure.code == .shuttingDown ? "drained between attempts" : "next attempt could not begin")
            }
            if failure.code == .shuttingDown, !self.isDraining {
                self.fail("request \(key.text) ended in a drain that nobody began")
            }
        case .overloaded, .noKey:
            if self.rules(of: prompt).durability == .commit, prompt.passed.isEmpty {
                self.fail("request \(key.text) ended with \(failure.code), and was not handed on")
            }
        default:
            guard case .error(failure.code)? = prompt.slotEnd, prompt.cut == nil else {
                return self.fail("request \(key.text) ended with \(failure.code), which its slot did not say")
            }
        }
    }

    mutating func promptHasEnded(_ key: SimulatedPrompt.Key, name: String?, as state: EndRecord.State) {
        let prompt = self.prompts[key]!
        guard let name else { return self.fail("request \(key.text) ended without a name") }
        if let slot = prompt.slot, !prompt.isOver { self.mustBeGone.append(slot.worker) }
        if let known = prompt.name, known != name { self.fail("request \(key.text) ended under another name") }
        // Under `durability: commit` nothing leaves before its row is on disk.
        if self.rules(of: prompt).durability == .commit, self.disk.rows[name]?.ends != 1 {
            self.fail("the last frame of \(name) left before its row was on disk")
        }
        self.told[name] = state
        self.prompts[key] = nil
    }

    mutating func otherIsAnswered(_ id: ConnectionID, _ event: ClientEvent) {
        if let requestID = event.id, self.groupIsAnswered(id, requestID, event) { return }
        switch event.event {
        case .error(let failure, _, _):
            self.mark(failure.code.rawValue)
            if let requestID = event.id, self.clients[id]!.reloads.remove(requestID) != nil {
                return self.reloadIsAnswered(nil, failure, uid: self.clients[id]!.uid)
            }
            self.resultsAreAnswered(failure)
        case .done(let completion):
            if let report = completion.reload {
                return self.reloadIsAnswered(report, nil, uid: self.clients[id]!.uid)
            }
            self.resultsAreAnswered(nil)
            if let status = completion.status { self.checkStatus(status) }
            guard let target = self.cancelInHand else { return }
            self.cancelInHand = nil
            self.lookups[target]?.wasCancelled = true
            self.chains[target]?.wasCancelled = true
            self.clients[id]?.groupEnds[.number(target.id)]?.wasCancelled = true
            let open = self.chains[target].map { target.round($0.round) } ?? target
            guard let prompt = self.prompts[open] else { return }
            self.prompts[open]!.wasCancelled = true
            if prompt.slot != nil, !prompt.isOver { self.prompts[open]!.mustEndCancelled = true }
            if self.isLogHeard, prompt.isBetweenAttempts {
                self.prompts[open]!.mustEndCancelled = true
                self.mark("cancelled between attempts")
            }
        case .start, .text, .reasoning, .toolCall, .toolResult, .metadata, .round, .unknown:
            self.fail("an operation that answers at once was answered as a prompt")
        }
    }

    private mutating func checkStatus(_ status: JSONValue) {
        self.mark("status compared")
        func number(_ value: JSONValue?, _ name: String) -> Int { value?[name]?.integer ?? -1 }
        if number(status, "connections") != self.clients.count {
            self.fail("status counts \(number(status, "connections")) connections of \(self.clients.count)")
        }
        if number(status["requests"], "admitted") != self.admitted.count {
            self.fail("status counts other requests than were admitted")
        }
        var queued = 0
        for provider in status["providers"]?.array ?? [] {
            queued += number(provider, "queued")
            let workers = self.workers.values.filter {
                $0.provider == provider["name"]?.string && !$0.isKilled && !$0.isClosed
                    && self.isPresent($0) == (provider["retired"] == nil)
            }
            // Those that come back after an attempt are not refused; they were in a slot.
            let slots = number(provider, "slots") * (self.bounds.retiringWorkers + 2)
            if number(provider, "queued") > self.bounds.queuedRequestsPerProvider + slots {
                self.fail("a queue is too long")
            }
            let busy = workers.reduce(0) { $0 + $1.slots.count { $0.prompt != nil && !$0.isHung } }
            if busy != number(provider, "busy") {
                self.fail("status counts \(number(provider, "busy")) busy slots of \(busy)")
            }
        }
        if queued != number(status["requests"], "queued") { self.fail("status counts the queue in two ways") }
    }
}

extension Transcript {
    /// An answer that came whole.
    init(_ completion: ClientEvent.Completion) {
        self.init()
        self.append(.reasoning(completion.reasoning ?? ""))
        self.append(.text(completion.text ?? ""))
        for call in completion.toolCalls { self.append(.toolCall(call)) }
    }
}
