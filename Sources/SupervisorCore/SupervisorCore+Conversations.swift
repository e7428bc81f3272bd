import JSON
import Messages

// Prompts that continue a conversation, until they are admitted.
extension SupervisorCore {
    /// A prompt, or a chain, names the conversation that it continues.
    mutating func continueConversation(
        _ conversation: String, _ prompt: PromptRequest, as chain: ChainRequest?, _ number: RequestNumber,
        under terms: Terms, id: RequestIdentifier, from connectionID: ConnectionID, at now: Now
    ) throws(Failure) {
        guard self.configuration.storesPrompts else {
            throw Failure(
                .notFound, "no conversation can be continued: this daemon stores no prompts (log.prompts is false)")
        }
        guard self.continuations.count < self.bounds.continuations,
            self.reserveContinuation(number, prompt.length, from: connectionID)
        else {
            throw Failure(.overloaded, "too many prompts wait for their conversations; try again later")
        }
        self.continuations[number] = Continuation(
            prompt, of: conversation, as: chain, under: terms, id: id, from: connectionID,
            uid: self.visibleUID(of: connectionID), timeout: self.bounds.continuationTimeout, at: now.instant)
        self.hold(generation: terms.generation)
        self.connections[connectionID]!.requests[id] = number
        self.join(number, terms.mandate.group)
        self.setDeadline(.request(number), at: self.continuations[number]!.deadline)
        self.standInLine(number, of: conversation)
    }

    private mutating func standInLine(_ number: RequestNumber, of conversation: String) {
        if self.conversations[conversation] != nil {
            self.conversations[conversation]!.waiting.append(number)
        } else if let first = self.requests.first(where: { $0.value.holds(conversation) })?.key
            ?? self.chain(holding: conversation)
        {
            self.conversations[conversation] = ConversationLine(holder: first, waiting: [number])
        } else {
            self.conversations[conversation] = ConversationLine(holder: number)
            self.settle(number)
        }
    }

    /// A prompt of the conversation has ended, or was not admitted: the next one may go on.
    mutating func conversationWasFreed(_ conversation: String, by number: RequestNumber) {
        guard let line = self.conversations[conversation] else { return }
        guard line.holder == number else {
            self.conversations[conversation]!.waiting.removeAll { $0 == number }
            return
        }
        guard let next = line.waiting.first else { return self.conversations[conversation] = nil }
        self.conversations[conversation] = ConversationLine(holder: next, waiting: Array(line.waiting.dropFirst()))
        self.settle(next)
    }

    /// Waits for all that was recorded until now: the turn before is part of the history.
    private mutating func settle(_ number: RequestNumber) {
        guard self.log.acknowledged < self.log.lastSequence else { return self.remember(number) }
        let sequence = self.log.lastSequence
        self.continuations[number]!.state = .settling(sequence: sequence)
        self.logger.waiting.append((sequence, number))
    }

    /// All that was recorded when the prompt's turn came is on disk.
    mutating func settled(_ number: RequestNumber, sequence: Int) {
        guard self.continuations[number]?.state == .settling(sequence: sequence) else { return }
        self.remember(number)
    }

    private mutating func remember(_ number: RequestNumber) {
        self.continuations[number]!.state = .remembering
        let continuation = self.continuations[number]!
        self.reader.ask(
            number,
            ReaderQuery(
                number: Int(number.rawValue), uid: continuation.uid,
                .history(conversation: continuation.conversation)))
    }

    /// The history is here: the prompt is admitted, or refused.
    mutating func remembered(_ number: RequestNumber, _ history: ReaderReply.History, at now: Now) {
        guard let continuation = self.continuations.removeValue(forKey: number) else { return }
        self.setDeadline(.request(number), at: nil)
        self.release(generation: continuation.terms.generation)
        self.releaseContinuation(number)
        self.reader.forget(number)
        let precedent = Precedent(number: number, continuation: continuation, history: history)
        do throws(Failure) {
            try self.checkPhase()
            try self.enter(
                .prompt(continuation.prompt, chain: continuation.chain, following: precedent), number,
                under: continuation.terms, id: continuation.clientID, from: continuation.connection, at: now)
        } catch {
            self.send(ClientAnswer.error(id: continuation.clientID, error), to: continuation.connection)
            self.connections[continuation.connection]!.requests[continuation.clientID] = nil
            self.callerRequests.release(number)
            self.leaveGroup(number)
            self.conversationWasFreed(continuation.conversation, by: number)
        }
    }

    /// Ends a prompt that was not admitted yet.
    ///
    /// - Parameter failure: What its client is told; `nil` where there is nobody to be told.
    mutating func endContinuation(_ number: RequestNumber, _ failure: Failure?) {
        guard let continuation = self.continuations.removeValue(forKey: number) else { return }
        self.setDeadline(.request(number), at: nil)
        self.release(generation: continuation.terms.generation)
        self.releaseContinuation(number)
        self.reader.forget(number)
        self.connections[continuation.connection]?.requests[continuation.clientID] = nil
        self.callerRequests.release(number)
        self.leaveGroup(number)
        if let failure {
            self.send(ClientAnswer.error(id: continuation.clientID, failure), to: continuation.connection)
        }
        self.conversationWasFreed(continuation.conversation, by: number)
    }
}

/// What a prompt follows that continues a conversation.
struct Precedent {
    let number: RequestNumber
    let continuation: Continuation
    let history: ReaderReply.History

    /// What was said before, a JSON array; `nil` where nothing was.
    var messages: [UInt8]? { self.isEmpty ? nil : self.history.messages }

    /// Whether nothing was said before: the first prompt of the conversation failed.
    var isEmpty: Bool { self.history.tip == nil }

    /// The prompt as it goes on: a conversation keeps the system prompt that it began with.
    func continued(_ prompt: PromptRequest) throws(Failure) -> PromptRequest {
        guard !self.isEmpty, let system = prompt.system else { return prompt }
        guard case .string(let text)? = try? JSONValue(parsing: system), text.isEmpty || text == self.history.system
        else {
            throw Failure(
                .invalidRequest,
                "the conversation began with \(self.history.system == nil ? "no" : "another") system prompt, which it keeps; leave out 'system', or begin a new conversation"
            )
        }
        var prompt = prompt
        prompt.system = nil
        return prompt
    }
}
