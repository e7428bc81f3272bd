import Messages
import SupervisorCore

// Prompts that continue a conversation, until they are admitted.
extension Simulation {
    /// How long such a prompt may wait.
    func patience(of prompt: SimulatedPrompt) -> Duration {
        min(prompt.timeout ?? self.bounds.continuationTimeout, self.bounds.continuationTimeout)
    }

    mutating func leavesLine(_ key: SimulatedPrompt.Key) {
        guard let conversation = self.prompts[key]?.conversation else { return }
        self.lines[conversation]?.removeAll { $0 == key }
        if self.lines[conversation]?.isEmpty == true { self.lines[conversation] = nil }
    }

    /// It is admitted, or refused in the event in hand, which takes it back.
    mutating func comesToTheDoor(_ key: SimulatedPrompt.Key) {
        guard let prompt = self.prompts[key] else { return }
        let model = prompt.namedModel ?? prompt.history?.model ?? self.rules(of: prompt).defaultModel!.model
        let provider = Int(model.drop { !$0.isNumber }) ?? 0
        let total = Duration.milliseconds(self.settings(of: provider, for: prompt)?.timeouts.total ?? 0)
        let left = prompt.timeout.map { $0 - prompt.arrivedAt.duration(to: self.now) } ?? total
        self.leavesLine(key)
        self.prompts[key]!.model = model.hasPrefix("k") ? model : "m\(provider)"
        self.prompts[key]!.askedModel = self.prompts[key]!.model
        self.prompts[key]!.provider = provider
        self.prompts[key]!.total = min(total, left)
        self.prompts[key]!.admittedAt = self.now
        self.prompts[key]!.order = self.admitted.count
        self.prompts[key]!.isAdmitted = true
        self.admitted.append(key)
        if prompt.isStreamed { self.streamed.insert(key) }
    }

    // MARK: What the core does

    /// The reader is asked for a history. Returns who it is for.
    mutating func historyIsAskedFor(_ conversation: String, uid: Int?) -> SimulatedPrompt.Key? {
        guard self.configuration.storesPrompts else {
            self.fail("a history was asked for though no prompts are stored")
            return nil
        }
        guard let key = self.lines[conversation]?.first, let prompt = self.prompts[key] else {
            self.fail("a history was asked for and nobody waits for it")
            return nil
        }
        if uid != self.visibleUID(of: key.connection) { self.fail("a history was asked for in another's name") }
        if prompt.wasCancelled { self.fail("a history was asked for after its prompt was cancelled") }
        for name in self.disk.requests[conversation, default: []] where self.disk.rows[name]!.ends != 1 {
            self.fail("a history was asked for though the end of \(name) is not on disk")
        }
        if self.names[conversation] != nil, self.disk.rows[conversation] == nil {
            self.fail("a history was asked for before its first request was on disk")
        }
        if self.isOpen(conversation) {
            self.fail("a history was asked for while a prompt of its conversation is open")
        }
        return key
    }

    /// Whether an admitted prompt of the conversation has not ended.
    private func isOpen(_ conversation: String) -> Bool {
        self.prompts.values.contains {
            $0.isAdmitted && $0.end == nil && ($0.conversation == conversation || $0.name == conversation)
        }
            || self.chains.values.contains { $0.owingSince != nil && $0.conversation == conversation }
    }

    /// A slot is told what was said before, and nothing else.
    mutating func checkHistory(of request: ModelRequest, _ prompt: SimulatedPrompt) {
        guard let conversation = prompt.conversation else {
            if !request.messages.isEmpty { self.fail("a first prompt came with messages") }
            if request.system != prompt.system { self.fail("a system prompt was lost, or made up") }
            return
        }
        let history = self.disk.history(of: conversation, uid: nil)
        if request.messages != history?.messages {
            self.fail("request \(request.request) has not the history of its conversation")
        }
        if request.system != (history?.tip == nil ? prompt.system : nil) {
            self.fail("a system prompt was said in the middle of a conversation, or not at its beginning")
        }
        self.mark(history?.tip == nil ? "conversation begun again" : "conversation continued")
        if request.messages.count > 3 { self.mark("conversation continued for the second time") }
    }

    /// A prompt that continues a conversation is refused, or ends before it is admitted.
    mutating func continuationIsRefused(_ key: SimulatedPrompt.Key, _ failure: Failure) {
        let prompt = self.prompts[key]!
        if prompt.isAdmitted {
            self.checkRefusalAtTheDoor(prompt, failure)
        } else {
            self.checkEndBeforeAdmission(key, prompt, failure)
            self.leavesLine(key)
        }
    }

    private mutating func checkRefusalAtTheDoor(_ prompt: SimulatedPrompt, _ failure: Failure) {
        guard let history = prompt.history else { return self.fail("a prompt came to the door without its history") }
        let isOther = history.tip != nil && !(prompt.system ?? "").isEmpty && prompt.system != history.system
        if isOther != (failure.code == .invalidRequest) {
            self.fail("a prompt with \(isOther ? "another" : "the same") system prompt: \(failure)")
        }
        self.mark(isOther ? "another system prompt refused" : "continuation refused at the door")
    }

    private mutating func checkEndBeforeAdmission(
        _ key: SimulatedPrompt.Key, _ prompt: SimulatedPrompt, _ failure: Failure
    ) {
        switch failure.code {
        case .cancelled:
            if !prompt.wasCancelled { self.fail("a continuation was cancelled by nobody") }
            self.mark("continuation cancelled while it \(self.reader.question?.key == key ? "is remembered" : "waits")")
        case .timeout:
            if self.now < prompt.arrivedAt + self.patience(of: prompt) { self.fail("a continuation timed out early") }
            self.mark("continuation timed out")
        case .shuttingDown:
            if !self.isDraining { self.fail("a continuation ended in a drain that nobody began") }
            self.mark("continuation ended by a drain")
        case .notFound:
            if self.configuration.storesPrompts, self.reader.said?.key != key {
                self.fail("the reader did not say that a conversation is not there")
            }
            self.mark("conversation not found")
        case .invalidRequest:
            if self.reader.said?.key != key { self.fail("a continuation was refused by nobody") }
            self.mark("conversation too long")
        case .logUnavailable:
            self.checkReaderIsToBlame(key)
        case .tooManyRequests, .overloaded:
            if prompt.arrivedAt != self.now { self.fail("a continuation was refused after its arrival") }
        default:
            self.fail("a continuation ended with \(failure)")
        }
    }

    /// Nobody who could go on waits.
    mutating func checkThatConversationsGoOn() {
        guard self.isLogQuiet, self.isReaderIdle else { return }
        for (conversation, line) in self.lines where !self.isOpen(conversation) {
            self.fail("\(line[0].text) waits though its conversation is free")
        }
    }
}
