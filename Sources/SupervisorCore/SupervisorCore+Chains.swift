import Messages

// Chains: the loop of rounds and tools, between clients and requests.
extension SupervisorCore {
    // MARK: The beginning

    /// Begins a chain: with its first round, or with the calls that what it follows ends with.
    ///
    /// - Throws: Why there is none. What happens to it later its client is told here.
    mutating func begin(
        _ wish: ChainRequest, _ number: RequestNumber, under terms: Terms, id: RequestIdentifier,
        from connectionID: ConnectionID, following precedent: Precedent?, since receivedAt: Instant, at now: Now
    ) throws(Failure) {
        let uid = self.connections[connectionID]!.peer.uid
        var chain = try Chain(
            wish, under: terms, id: id, from: connectionID, uid: uid, following: precedent, since: receivedAt,
            at: now.instant)
        let calls: [ToolCall]
        do throws(MessageError) { calls = try chain.unansweredCalls() } catch {
            throw Failure(.invalidRequest, "\(error)")
        }
        for call in calls { chain.calls.append(call) }
        try self.checkMemory()
        try self.hold(chain, number)
        for call in calls {
            self.send(ClientAnswer.event(id: id, SlotEvent.toolCall(call).encoded), to: connectionID)
        }
        self.connections[connectionID]!.requests[id] = number
        self.join(number, terms.mandate.group)
        if chain.calls.isEmpty {
            self.beginRound(of: number, at: now)
        } else {
            self.send(ClientAnswer.round(id: id, pending: chain.calls.pending), to: connectionID)
            self.proceed(withChain: number, at: now)
        }
    }

    /// Keeps the chain as it is now.
    ///
    /// - Throws: If it has grown beyond what one chain, or all of them, may hold. It is kept as it was then.
    private mutating func hold(_ chain: Chain, _ number: RequestNumber) throws(Failure) {
        guard chain.length <= self.bounds.chain, !chain.calls.areTooMany else { throw Self.isTooLong(self.bounds) }
        // Twice: here, and on its way to a slot.
        let bytes = 2 * chain.length + self.bounds.chainOverhead
        let before = self.chainMemory.held(by: .chain(number))
        let own = self.chainBytes[chain.uid, default: 0] - before + bytes
        guard self.chainMemory.used - before + bytes <= self.chainMemory.limit, own <= self.chainMemory.limit / 2 else {
            throw Failure(
                .overloaded, "the memory for what is said in chains is full; try again later, with its messages")
        }
        self.chainMemory.charge(.chain(number), bytes)
        self.chainBytes[chain.uid] = own
        if self.chains[number] == nil { self.hold(generation: chain.terms.generation) }
        self.chains[number] = chain
    }

    // MARK: Rounds

    private mutating func beginRound(of number: RequestNumber, at now: Now) {
        let chain = self.chains[number]!
        self.setDeadline(.request(number), at: nil)
        do throws(Failure) {
            try self.checkPhase()
            if let deadline = chain.deadline, deadline <= now.instant {
                throw Failure(.timeout, "timeout_ms has passed before the next round of the chain")
            }
            try self.open(
                chain.prompt, number, under: chain.terms, id: chain.clientID, from: chain.connection,
                following: chain.precedent, at: now)
        } catch {
            self.endChain(number, error)
        }
    }

    /// What is gathered from several frames of a client may be more than others read in one.
    func checkLength(ofRound frame: [UInt8], _ opening: OpenRecord) throws(Failure) {
        guard SlotRequest.isReadable(frame), (opening.content?.length ?? 0) <= ProtocolBounds.clientFrame else {
            throw Self.isTooLong(self.bounds)
        }
    }

    private static func isTooLong(_ bounds: SupervisorBounds) -> Failure {
        Failure(
            .answerTooLarge,
            "the chain has grown beyond the \(bounds.chain >> 20) MiB that one may hold; begin another with less of it")
    }

    /// A slot said something in a round.
    mutating func gather(_ output: SlotOutput, of event: [UInt8], inChain number: RequestNumber, at now: Now) {
        self.chains[number]!.answer.append(output, of: event)
        if case .whole = output, let calls = try? SlotEvent.output(decoding: [0x5B] + event + [0x5D]) {
            for case .toolCall(let call) in calls { self.chains[number]!.calls.append(call) }
        }
        let chain = self.chains[number]!
        guard 2 * chain.length > self.chainMemory.held(by: .chain(number)) else { return }
        do throws(Failure) { try self.hold(chain, number) } catch {
            self.cutShort(number, Request.Ending(error), at: now)
        }
    }

    /// A round has its answer. Returns what its client is told of it.
    mutating func roundIsDone(
        _ number: RequestNumber, _ outcome: SlotOutcome, event: [UInt8], durationMilliseconds: Int
    ) -> [UInt8] {
        var chain = self.chains[number]!
        let request = self.requests[number]!
        if !request.isStreamed {
            chain.answer.append(outcome.answer, of: event)
            for call in outcome.answer.toolCalls { chain.calls.append(call) }
        }
        // Where nobody is left to run the tools, the chain ends with this round.
        if !chain.calls.isEmpty, request.connection != nil {
            do throws(Failure) {
                try self.goOn(with: &chain, number)
            } catch {
                return ClientAnswer.error(id: request.clientID, error)
            }
        }
        return ClientAnswer.done(
            id: request.clientID, request: request.ulid, model: request.model,
            provider: self.providers[request.provider].settings.name, conversation: request.conversation,
            durationMilliseconds: durationMilliseconds, attempts: request.attempts.countIfSeveral, round: request.round,
            event)
    }

    /// The last frame of a request as it leaves; of a round after which the chain goes on it says which results are owed now.
    func leaving(_ lastFrame: [UInt8], of number: RequestNumber) -> [UInt8] {
        guard let chain = self.chains[number], chain.goesOn else { return lastFrame }
        return ClientAnswer.round(id: chain.clientID, pending: chain.calls.pending, of: lastFrame)
    }

    /// The round has called tools: there is another one, if there may be.
    private mutating func goOn(with chain: inout Chain, _ number: RequestNumber) throws(Failure) {
        guard chain.limit == 0 || chain.round!.number < chain.limit else {
            throw Failure(
                .chainLimitExceeded,
                "Chain limit of \(chain.limit) exceeded. Set a higher 'chain_limit', or 0 for none, and go on from the conversation"
            )
        }
        // What could not be read together was read, each for itself.
        do throws(MessageError) { try chain.extend() } catch { throw Self.isTooLong(self.bounds) }
        chain.goesOn = true
        try self.hold(chain, number)
    }

    /// The round that was open is on record, and there is another.
    mutating func roundHasEnded(_ number: RequestNumber, at now: Now) {
        if let failure = self.chains[number]!.failure {
            self.endChain(number, failure)
        } else {
            self.proceed(withChain: number, at: now)
        }
    }

    /// Tells what the daemon says to calls itself, and goes on when nothing is owed any more.
    private mutating func proceed(withChain number: RequestNumber, at now: Now) {
        let chain = self.chains[number]!
        for result in self.chains[number]!.calls.takeUntold() {
            self.send(
                ClientAnswer.event(id: chain.clientID, SlotEvent.toolResult(result).encoded), to: chain.connection)
        }
        guard self.phase == .running else { return self.endChain(number, self.isStopping) }
        guard !chain.calls.isSettled else {
            var settled = self.chains[number]!
            settled.settle()
            do throws(Failure) { try self.hold(settled, number) } catch { return self.endChain(number, error) }
            return self.beginRound(of: number, at: now)
        }
        let timeout = now.instant + chain.toolTimeout
        self.setDeadline(.request(number), at: chain.deadline.map { min($0, timeout) } ?? timeout)
    }

    /// `op: tool_result`.
    mutating func take(
        _ request: ToolResultRequest, id: RequestIdentifier, from connectionID: ConnectionID, at now: Now
    ) {
        do throws(Failure) {
            guard let number = self.connections[connectionID]!.requests[request.target],
                var chain = self.chains[number]
            else {
                let target = String(decoding: request.target.encoded, as: UTF8.self)
                throw Failure(
                    .notFound, "no chain of this connection with the id \(target) is open; it may have ended")
            }
            try chain.calls.take(request.results)
            try self.hold(chain, number)
            self.send(ClientAnswer.done(id: id), to: connectionID)
            if self.requests[number] == nil, chain.calls.isSettled { self.proceed(withChain: number, at: now) }
        } catch {
            self.send(ClientAnswer.error(id: id, error), to: connectionID)
        }
    }

    // MARK: The end

    /// Ends a chain of which no round is open.
    ///
    /// - Parameter failure: What its client is told; `nil` where there is nobody to be told.
    mutating func endChain(_ number: RequestNumber, _ failure: Failure?) {
        guard let chain = self.chains[number], self.requests[number] == nil else { return }
        self.setDeadline(.request(number), at: nil)
        self.forgetChain(number)
        self.leaveGroup(number)
        self.connections[chain.connection]?.requests[chain.clientID] = nil
        self.callerRequests.release(number)
        if let failure { self.send(ClientAnswer.error(id: chain.clientID, failure), to: chain.connection) }
        if let conversation = chain.conversation { self.conversationWasFreed(conversation, by: number) }
    }

    mutating func forgetChain(_ number: RequestNumber) {
        guard let chain = self.chains.removeValue(forKey: number) else { return }
        let left = self.chainBytes[chain.uid, default: 0] - self.chainMemory.release(.chain(number))
        self.chainBytes[chain.uid] = left == 0 ? nil : left
        self.release(generation: chain.terms.generation)
    }

    /// The results of a chain have not come in time.
    mutating func chainExpired(_ number: RequestNumber, at now: Now) {
        guard let chain = self.chains[number] else { return }
        let isOver = chain.deadline.map { $0 <= now.instant } ?? false
        let calls = chain.calls.pending.prefix(8).joined(separator: ", ")
        self.endChain(
            number,
            Failure(
                .timeout,
                isOver
                    ? "timeout_ms has passed while the chain waited for the results of its tools (\(calls))"
                    : "the results of tool calls (\(calls)) did not come within \(chain.toolTimeout); go on from the chain's messages"
            ))
    }

    /// Ends the chains of which no round is open: the daemon stops.
    mutating func endOwingChains() {
        for number in self.chains.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            self.endChain(number, self.isStopping)
        }
    }

    private var isStopping: Failure {
        Failure(.shuttingDown, "the daemon is stopping; go on from the chain's messages when it is back")
    }

    /// Whether a chain keeps others from going on with the conversation.
    func chain(holding conversation: String) -> RequestNumber? {
        self.chains.first { number, chain in
            chain.conversation == conversation
                && (chain.goesOn || self.requests[number].map { $0.holds(conversation) } ?? true)
        }?.key
    }
}
