import JSON
import Messages
import SupervisorCore

/// A chain as the world sees it. Each of its rounds is a ``SimulatedPrompt`` while it is open.
struct SimulatedChain {
    struct Call {
        let id: String
        /// Whether the client can run it; the daemon answers the others.
        let isRunnable: Bool
        var result: ToolResult?
    }

    let terms: ChainRequest
    let arrivedAt: Instant
    /// What it began under: the place in the list of configurations.
    var configuration = 0
    /// The round that is open, or was the last; 0 before the first.
    var round = 0
    /// Since when no round is open, and results are owed.
    var owingSince: Instant?
    /// What was said before the next round, its system prompt apart.
    var messages: [ModelMessage] = []
    /// The calls since the last round began, and those whose results the open round was asked with.
    var calls: [Call] = []
    var asked: [Call] = []
    /// The names of the rounds that began.
    var names: [String] = []
    var conversation: String?
    /// The model of its rounds, once it is known.
    var model: String?
    var wasCancelled = false

    /// The calls that the client owes the results of.
    var owed: [Call] { self.calls.filter { $0.isRunnable && $0.result == nil } }

    mutating func append(_ call: ToolCall) {
        let isRunnable = call.name == "tool" && !String(decoding: call.arguments, as: UTF8.self).contains("_raw")
        self.calls.append(Call(id: call.id, isRunnable: isRunnable))
    }

    /// Takes results as the daemon must; `false` if it must not.
    mutating func take(_ results: [ToolResult]) -> Bool {
        for result in results {
            guard let index = self.calls.firstIndex(where: { $0.id == result.toolCallID && $0.result == nil }),
                self.calls[index].isRunnable
            else { return false }
            self.calls[index].result = result
        }
        return true
    }

    /// By when it must have its results.
    func deadline(since: Instant) -> Instant {
        let byTools = since + .milliseconds(self.terms.toolTimeoutMilliseconds)
        return self.terms.prompt.timeoutMilliseconds.map { min(byTools, self.arrivedAt + .milliseconds($0)) } ?? byTools
    }
}

extension ChainRequest {
    fileprivate var system: String? { self.prompt.system.map { _ in "be brief" } }
}

extension Simulation {
    // MARK: What clients do

    mutating func clientSendsChain(_ id: ConnectionID) {
        guard let client = self.clients[id], client.isRead, !client.isClosing else { return }
        self.clients[id]!.lastID += 1
        self.clientBeginsChain(id, client.lastID + 1)
    }

    mutating func clientBeginsChain(_ id: ConnectionID, _ newID: Int64) {
        let key = SimulatedPrompt.Key(connection: id, id: newID)
        let provider = self.drawnProvider()
        let model = [nil, "m\(provider)", "k\(provider)"].randomElement(using: &self.random)!
        var terms = ChainRequest(
            PromptRequest(prompt: "", system: [nil, "be brief"].randomElement(using: &self.random)!, model: model))
        terms.prompt.stream = self.chance(70)
        terms.prompt.tools = Array(#"[{"name":"tool","input_schema":{}}]"#.utf8)
        terms.limit = [0, 0, 0, 1, 2, 3].randomElement(using: &self.random)!
        terms.toolTimeoutMilliseconds = Int.random(in: 20...20_000, using: &self.random)
        if self.chance(10) { terms.prompt.timeoutMilliseconds = Int.random(in: 1...2000, using: &self.random) }
        if self.chance(20) { terms.prompt.mandate.purpose = "finish" }
        let asked = self.drawGroup(of: key, &terms.prompt.mandate, model: model)
        var known = terms
        known.prompt.model = asked
        var chain = SimulatedChain(terms: known, arrivedAt: self.now)
        chain.configuration = self.configurations.count - 1
        if self.chance(15) {
            let calls = (0...Int.random(in: 0...2, using: &self.random)).map { self.drawnChainCall($0, of: key) }
            let messages = [
                ModelMessage(.user, text: "hi"), ModelMessage(.assistant, calls.map { MessagePart(.toolCall($0)) }),
            ]
            terms.prompt.messages = JSONValue.array(messages.map(\.value)).serialized()
            (chain.messages, chain.owingSince) = (messages, self.now)
            self.chains[key] = chain
        } else {
            let length = self.chance(90) ? 10 : Int.random(in: 100...self.bounds.chain, using: &self.random)
            let text = key.round(1).text + " " + String(repeating: "x", count: length)
            terms.prompt.prompt = JSONValue.string(text).serialized()
            terms.prompt.conversation = self.drawnConversation()
            chain.round = 1
            self.chains[key] = chain
            self.prompts[key.round(1)] = SimulatedPrompt(
                arrivedAt: self.now, isStreamed: terms.prompt.stream,
                system: terms.system,
                namedModel: asked, model: "", provider: 0, conversation: terms.prompt.conversation,
                timeout: terms.prompt.timeoutMilliseconds.map { .milliseconds($0) })
            self.prompts[key.round(1)]!.configuration = chain.configuration
            self.prompts[key.round(1)]!.finishes = self.finishes(key, terms.prompt.mandate)
            if let conversation = terms.prompt.conversation {
                self.lines[conversation, default: []].append(key.round(1))
            } else {
                self.comesToTheDoor(key.round(1))
            }
        }
        self.send(id, ClientRequest(id: .number(newID), operation: .chain(terms)), expecting: .number(newID))
        self.checkCount(of: id)
        if self.isDraining, self.chains[key] != nil { self.fail("a chain was admitted after the drain began") }
    }

    /// A call whose id says which round made it.
    func drawnChainCall(_ number: Int, of key: SimulatedPrompt.Key, name: String = "tool") -> ToolCall {
        ToolCall(
            id: "\(number):\(key.text)", name: name,
            arguments: Array((name == "raw" ? #"{"_raw":"{"}"# : #"{"a":[1.0]}"#).utf8))
    }

    /// Results of some of the calls that a chain owes, in any order; or of one that it does not.
    mutating func clientSendsResults(_ id: ConnectionID, _ newID: RequestIdentifier) {
        let own = self.chains.keys.filter { $0.connection == id }.sorted { $0.id < $1.id }
        guard let key = own.randomElement(using: &self.random), let chain = self.chains[key] else { return }
        var calls = chain.owed.shuffled(using: &self.random)
        if self.chance(50) { calls = Array(calls.prefix(1)) }
        var ids = calls.map(\.id)
        if ids.isEmpty || self.chance(5) { ids.append(self.chance(50) ? "nothing" : chain.calls.first?.id ?? "nobody") }
        guard !calls.isEmpty || self.chance(3) else { return }
        let results = ids.map { id in
            let length = self.chance(90) ? 3 : Int.random(in: 1...self.bounds.chain, using: &self.random)
            return ToolResult(name: "tool", output: String(repeating: "r", count: length), toolCallID: id)
        }
        self.resultsInHand = (key, results)
        let request = ToolResultRequest(target: .number(key.id), results: results)
        self.send(id, ClientRequest(id: newID, operation: .toolResult(request)), expecting: newID)
        self.resultsInHand = nil
    }

    /// The results that a client sent were taken, or not.
    mutating func resultsAreAnswered(_ failure: Failure?) {
        guard let (key, results) = self.resultsInHand else { return }
        self.resultsInHand = nil
        guard var chain = self.chains[key] else { return self.fail("results were answered for a chain that is over") }
        let isInLine = self.prompts[key.round(1)].map { !$0.isAdmitted } ?? false
        let isRight = chain.take(results)
        switch failure?.code {
        case nil where isRight && !isInLine: break
        case .notFound where isInLine: return
        case .invalidRequest where !isRight: return self.mark("results refused")
        case .answerTooLarge, .overloaded: return self.mark("results too large")
        default:
            return self.fail("results that are \(isRight ? "owed" : "not owed"): \(failure?.code.rawValue ?? "taken")")
        }
        if chain.owingSince == nil { self.mark("result before the end of its round") }
        self.chains[key] = chain
        if chain.owingSince != nil, chain.owed.isEmpty { self.chainGoesOn(key) }
    }

    /// The next round comes to the door.
    private mutating func chainGoesOn(_ key: SimulatedPrompt.Key) {
        var chain = self.chains[key]!
        if chain.wasCancelled { self.fail("chain \(key.text) goes on after its cancel") }
        chain.round += 1
        (chain.asked, chain.calls, chain.owingSince) = (chain.calls, [], nil)
        if chain.terms.limit > 0, chain.round > chain.terms.limit { self.fail("chain \(key.text) exceeds its limit") }
        if chain.round > 2 { self.mark("third round of a chain") }
        self.chains[key] = chain
        self.prompts[key.round(chain.round)] = SimulatedPrompt(
            arrivedAt: chain.arrivedAt, isStreamed: chain.terms.prompt.stream,
            system: chain.round == 1 ? chain.terms.system : nil,
            namedModel: chain.model ?? chain.terms.prompt.model, model: "", provider: 0,
            conversation: chain.conversation,
            timeout: chain.terms.prompt.timeoutMilliseconds.map { .milliseconds($0) })
        self.prompts[key.round(chain.round)]!.configuration = chain.configuration
        self.prompts[key.round(chain.round)]!.finishes = self.finishes(key, chain.terms.prompt.mandate)
        self.comesToTheDoor(key.round(chain.round))
    }

    // MARK: What the core does

    /// A slot is asked a round: what was said before it, and the results of all calls in their order.
    mutating func checkRound(_ request: ModelRequest, _ key: SimulatedPrompt.Key) {
        guard var chain = self.chains[key.chain] else { return self.fail("a round of no chain was dispatched") }
        if key.round > 1 || chain.terms.prompt.prompt == nil {
            if request.messages.filter({ $0.role != .system }) != chain.messages.filter({ $0.role != .system }) {
                self.fail("round \(key.text) does not follow what was said")
            }
            if request.toolResults
                != chain.asked.map({ $0.result ?? ToolResult(name: "", output: "", toolCallID: nil) })
            {
                self.fail("round \(key.text) was asked with other results")
            }
            if request.tools.count != 1 { self.fail("round \(key.text) has lost its tools") }
        }
        chain.messages = request.conversation
        self.chains[key.chain] = chain
    }

    mutating func chainIsAnswered(_ key: SimulatedPrompt.Key, _ event: ClientEvent) {
        let chain = self.chains[key]!
        let round = key.round(chain.round)
        switch event.event {
        case .toolCall(let call) where chain.owingSince != nil:
            guard chain.round == 0 else { return self.fail("chain \(key.text) calls a tool between its rounds") }
            self.mark("chain resumed")
            self.chains[key]!.append(call)
        case .toolResult(let result):
            self.daemonAnswersCall(key, result)
        case .round(let completion, let pending):
            self.roundHasEnded(key, completion, pending)
        case .error(let failure, nil, _):
            self.mark(failure.code.rawValue)
            if self.isRefusedForItsGroup(key, failure) { return }
            self.chainIsEndedByDaemon(key, failure)
            self.chains[key] = nil
        default:
            guard self.prompts[round] != nil else {
                return self.fail("chain \(key.text) said something between its rounds")
            }
            if case .start(let start) = event.event { self.roundHasStarted(key, start) }
            if case .toolCall(let call) = event.event { self.chains[key]!.append(call) }
            if case .done(let completion) = event.event {
                self.mark(chain.round > 1 ? "chain done" : "chain done in one round")
                if !chain.calls.isEmpty || completion.round != chain.round || completion.toolCalls.count > 0 {
                    self.fail("chain \(key.text) is done though a tool was called")
                }
            }
            self.promptIsAnswered(round, event)
            if event.isLast { self.chains[key] = nil }
        }
    }

    private mutating func roundHasStarted(_ key: SimulatedPrompt.Key, _ start: ClientEvent.Start) {
        let chain = self.chains[key]!
        if start.chain != chain.names.first ?? start.request || start.round != chain.round {
            self.fail("chain \(key.text) began another round than its next")
        }
        if chain.wasCancelled { self.fail("chain \(key.text) began a round after its cancel") }
        if chain.names.last != start.request { self.chains[key]!.names.append(start.request) }
        self.chains[key]!.conversation = start.conversation
        self.chains[key]!.model = start.model
    }

    /// What nobody can run the daemon answers, once.
    private mutating func daemonAnswersCall(_ key: SimulatedPrompt.Key, _ result: ToolResult) {
        func answer(_ calls: inout [SimulatedChain.Call]) -> Bool {
            guard
                let index = calls.firstIndex(where: { $0.id == result.toolCallID && $0.result == nil && !$0.isRunnable }
                )
            else { return false }
            calls[index].result = result
            return true
        }
        self.mark("call answered by the daemon")
        guard answer(&self.chains[key]!.calls) || answer(&self.chains[key]!.asked) else {
            return self.fail("the daemon answered a call that the client can run")
        }
        if !result.output.hasPrefix("Error: ") || result.exception == nil { self.fail("an answer that is no error") }
    }

    private mutating func roundHasEnded(
        _ key: SimulatedPrompt.Key, _ completion: ClientEvent.Completion, _ pending: [String]
    ) {
        let round = key.round(self.chains[key]!.round)
        if let prompt = self.prompts[round] {
            guard case .done? = prompt.slotEnd, !prompt.mustEndCancelled, prompt.cut == nil else {
                return self.fail("round \(round.text) has ended, and its slot did not say so")
            }
            if !prompt.isStreamed {
                for call in completion.toolCalls { self.chains[key]!.append(call) }
                self.delivered[round] = Transcript(completion)
            }
            var answer = AnswerAssembly()
            for event in prompt.said { answer.append(event) }
            if let message = answer.message { self.chains[key]!.messages.append(message) }
            if self.chains[key]!.calls.isEmpty { self.fail("chain \(key.text) goes on though no tool was called") }
            self.promptHasEnded(round, name: completion.request, as: .done)
            self.clients[key.connection]!.started[.number(key.id)] = nil
            self.chains[key]!.owingSince = self.now
        } else if self.chains[key]!.round > 0 || completion.request != nil {
            return self.fail("a round of chain \(key.text) has ended that was not open")
        }
        let chain = self.chains[key]!
        if pending != chain.owed.map(\.id) {
            self.fail("chain \(key.text) owes \(chain.owed.map(\.id)), not \(pending)")
        }
        if chain.owed.isEmpty, !chain.wasCancelled, !self.isDraining { self.chainGoesOn(key) }
    }

    /// A chain ends with an error that names no request: before a round, or between two.
    private mutating func chainIsEndedByDaemon(_ key: SimulatedPrompt.Key, _ failure: Failure) {
        let chain = self.chains[key]!
        let round = key.round(chain.round)
        guard let prompt = self.prompts[round] else {
            let isLate = chain.owingSince.map { chain.deadline(since: $0) <= self.now } ?? false
            switch failure.code {
            case .cancelled where chain.wasCancelled: self.mark("chain cancelled between rounds")
            case .timeout where isLate: self.mark("results too late")
            case .shuttingDown where self.isDraining: self.mark("chain ended by a drain")
            // What it is resumed from may be too much at once.
            case .tooManyRequests, .overloaded, .answerTooLarge:
                if chain.arrivedAt != self.now { self.fail("chain \(key.text) was refused after its arrival") }
            default: self.fail("chain \(key.text) ended with \(failure) between its rounds")
            }
            return
        }
        if case .done? = prompt.slotEnd {
            switch failure.code {
            case .chainLimitExceeded where chain.terms.limit == chain.round: break
            case .answerTooLarge, .overloaded: self.mark("chain too large")
            default: self.fail("chain \(key.text) ended with \(failure) after round \(chain.round)")
            }
            if !prompt.isStreamed { self.undelivered.insert(round) }
            self.promptHasEnded(round, name: chain.names.last, as: .done)
        } else {
            if chain.round == 1, prompt.conversation != nil { self.continuationIsRefused(round, failure) }
            if prompt.isAdmitted {
                if failure.code == .timeout, chain.round > 1 || chain.terms.prompt.prompt == nil, prompt.total <= .zero
                {
                    self.mark("no time for another round")
                }
                guard self.admitted.last == round, prompt.slot == nil else {
                    return self.fail("round \(round.text) was refused after its admission")
                }
                if chain.round > 1 { self.mark("round refused") }
                self.admitted.removeLast()
            }
            self.prompts[round] = nil
        }
    }

    /// Whether a chain waits for results that should have come by now.
    mutating func checkChainDeadlines() {
        for (key, chain) in self.chains {
            guard let since = chain.owingSince, chain.deadline(since: since) < self.now else { continue }
            self.fail("chain \(key.text) waits for its results for too long")
        }
    }
}
