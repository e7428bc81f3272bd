import Messages
import Policy

// What hooks are asked before a request is let in, and what comes of their answers.
extension SupervisorCore {
    // MARK: The door

    /// Lets in what a client wants, or has hooks asked first.
    ///
    /// - Throws: Why it is refused. What happens to it later its client is told here.
    mutating func enter(
        _ wish: Consultation.Wish, _ number: RequestNumber, under terms: Terms, id: RequestIdentifier,
        from connectionID: ConnectionID, at now: Now
    ) throws(Failure) {
        guard self.hooks.contains(where: \.isAskedBeforehand) else {
            return try self.letIn(
                wish, number, under: terms, id: id, from: connectionID, since: now.instant, at: now)
        }
        guard self.consultations.count < self.bounds.consultations,
            self.reserveConsultation(number, wish, from: connectionID)
        else { throw Failure(.overloaded, "too many requests wait for hooks; try again later") }
        let choosing = wish.model == nil ? self.hooks(of: .defaultModel) : []
        let consultation = Consultation(
            wish, under: terms, for: self.subject(of: connectionID, under: terms, as: wish.identity),
            choosing: choosing, id: id, from: connectionID, at: now.instant)
        self.consultations[number] = consultation
        self.hold(generation: terms.generation)
        self.join(number, terms.mandate.group)
        self.connections[connectionID]!.requests[id] = number
        self.setDeadline(.request(number), at: consultation.deadline)
        self.proceed(withConsultation: number, at: now)
    }

    /// Admits what hooks need not be asked about, or have agreed to.
    private mutating func letIn(
        _ wish: Consultation.Wish, _ number: RequestNumber, under terms: Terms, id: RequestIdentifier,
        from connection: ConnectionID, since receivedAt: Instant, at now: Now
    ) throws(Failure) {
        switch wish {
        case .prompt(_, let chain?, let precedent):
            try self.begin(
                chain, number, under: terms, id: id, from: connection, following: precedent, since: receivedAt, at: now)
        case .prompt(let prompt, nil, let precedent):
            let prompt = try precedent?.continued(prompt) ?? prompt
            try self.open(
                prompt, number, under: terms, id: id, from: connection, following: precedent, since: receivedAt,
                at: now)
        case .embed(let embed):
            try self.open(embed, number, under: terms, id: id, from: connection, since: receivedAt, at: now)
        case .models(let request, let usual, let refreshed):
            self.connections[connection]!.requests[id] = nil
            let models = self.modelList(under: terms, usual: usual, all: request.all)
            self.send(ClientAnswer.models(id: id, models, refreshed: refreshed), to: connection)
        case .explain(let request):
            self.connections[connection]!.requests[id] = nil
            let explanation = self.explanation(of: request, under: terms, at: now)
            self.send(ClientAnswer.done(id: id, ("explanation", explanation.encoded)), to: connection)
        }
    }

    /// Who a request is from, as hooks are told.
    ///
    /// - Parameter identity: Who it would be from, where an administrator wants to know what would be; no process is known then.
    func subject(
        of connection: ConnectionID, under terms: Terms, as identity: Identity? = nil
    ) -> HookQuestion.Subject {
        if let identity {
            return HookQuestion.Subject(
                caller: terms.caller.name, uid: identity.uid, gid: identity.gid ?? Int(UInt32.max), pid: 0,
                actor: terms.actor, purpose: terms.mandate.purpose)
        }
        let peer = self.connections[connection]!.peer
        return HookQuestion.Subject(
            caller: terms.caller.name, uid: peer.uid, gid: peer.gid, pid: peer.pid, unit: peer.unit,
            actor: terms.actor, purpose: terms.mandate.purpose, group: terms.mandate.group)
    }

    // MARK: The way

    /// Asks what is to be asked next, until somebody must be waited for, or the request is let in or refused.
    private mutating func proceed(withConsultation number: RequestNumber, at now: Now) {
        do throws(Failure) {
            while let consultation = self.consultations[number], consultation.awaited.isEmpty {
                switch consultation.state {
                case .choosing(let hooks):
                    if consultation.wish.model == nil, let next = hooks.first {
                        self.consultations[number]!.state = .choosing(Array(hooks.dropFirst()))
                        try self.consult(
                            [next], about: .defaultModel(consultation.wish.operation), for: number, at: now)
                    } else {
                        try self.filter(number, at: now)
                    }
                case .filtering:
                    try self.judge(number, at: now)
                case .judging:
                    try self.agreed(number, at: now)
                }
            }
        } catch {
            self.endConsultation(number, error)
        }
    }

    /// Asks which of the models may answer that could.
    private mutating func filter(_ number: RequestNumber, at now: Now) throws(Failure) {
        let consultation = self.consultations[number]!
        self.consultations[number]!.state = .filtering
        let hooks = self.hooks(of: .filterModels)
        guard !hooks.isEmpty else { return }
        let models = try self.models(of: consultation)
        guard !models.isEmpty else { return }
        try self.consult(
            hooks, about: .filterModels(consultation.wish.operation, models: models), for: number, at: now)
    }

    /// The models that hooks are asked about: those that may answer, or that would be listed.
    private func models(of consultation: Consultation) throws(Failure) -> [String] {
        let terms = consultation.terms
        switch consultation.wish {
        case .models: return self.candidates(under: terms).map(\.model.id).filter { terms.refusal(of: $0) == nil }
        case .embed: return [try self.candidate(of: consultation).model.id]
        case .explain(let request):
            // What is refused anyway is explained without them.
            guard let asked = try? self.candidate(of: consultation) else { return [] }
            return request.operation == .embed ? [asked.model.id] : self.models(beginningWith: asked, under: terms)
        case .prompt: return self.models(beginningWith: try self.candidate(of: consultation), under: terms)
        }
    }

    /// The model that is asked, and those that may answer in its place.
    private func models(beginningWith asked: Attempts.Candidate, under terms: Terms) -> [String] {
        var models = [asked.model.id]
        for other in self.alternatives(to: asked.model, under: terms) where !models.contains(other.model.id) {
            models.append(other.model.id)
        }
        return models
    }

    /// Asks whether the request may go on, if the model may answer it. Of questions, nothing goes on.
    private mutating func judge(_ number: RequestNumber, at now: Now) throws(Failure) {
        let consultation = self.consultations[number]!
        self.consultations[number]!.state = .judging
        switch consultation.wish {
        case .prompt, .embed: break
        case .models, .explain: return
        }
        let asked = try self.candidate(of: consultation)
        for filter in consultation.filters { if let refusal = filter.refusal(of: asked.model.id) { throw refusal } }
        let hooks = self.hooks(of: .beforePrompt)
        guard !hooks.isEmpty else { return }
        let content = HookQuestion.Content.beforePrompt(
            consultation.wish.operation, model: asked.model.id, provider: self.providers[asked.provider].settings.name,
            asked: consultation.wish.asked)
        try self.consult(hooks, about: content, for: number, at: now)
    }

    /// The model that is to answer, as far as the configuration has a say in it.
    private func candidate(of consultation: Consultation) throws(Failure) -> Attempts.Candidate {
        let (provider, model): (Int, ModelDescription)
        switch consultation.wish {
        case .prompt(let prompt, _, let precedent):
            (provider, model) = try self.resolveModel(
                prompt.model, under: consultation.terms, after: precedent?.history)
        case .embed(let embed):
            (provider, model) = try self.resolveEmbeddingModel(embed.model, under: consultation.terms)
        case .explain(let request):
            let asked = try self.candidate(for: request, under: consultation.terms)
            (provider, model) = (asked.provider, asked.model)
        case .models: preconditionFailure("a list is of no model in particular")
        }
        if let refusal = consultation.terms.refusal(of: model.id) { throw refusal }
        return Attempts.Candidate(provider: provider, model: model)
    }

    private mutating func consult(
        _ hooks: [HookID], about content: HookQuestion.Content, for number: RequestNumber, at now: Now
    ) throws(Failure) {
        let question = HookQuestion(self.consultations[number]!.subject, content)
        let body = question.body
        self.consultations[number]!.awaited = Set(hooks)
        for id in hooks {
            guard let reason = self.ask(id, body, about: question.event, for: .consultation(number), at: now) else {
                continue
            }
            self.consultations[number]!.awaited.remove(id)
            try self.forgive(id, reason)
        }
    }

    /// A hook has answered, or has failed to.
    mutating func consultationHeard(_ number: RequestNumber, from id: HookID, _ reply: HookReply, at now: Now) {
        guard self.consultations[number]?.awaited.remove(id) != nil, let index = self.index(of: id) else { return }
        let name = self.hooks[index].settings.name
        do throws(Failure) {
            switch reply {
            case .failure(let reason): try self.forgive(id, reason)
            case .answer(.nothing): break
            case .answer(.models(let models)):
                self.consultations[number]!.filters.append(HookFilter(hook: name, models: Set(models)))
            case .answer(.model(let model)):
                if self.findModel(model, under: self.consultations[number]!.terms) == nil {
                    try self.forgive(id, "named the model '\(model)', which nobody serves")
                } else {
                    self.consultations[number]!.wish.model = model
                }
            case .answer(.refuse(let reason)):
                throw Failure(.notAllowed, "hook '\(name)' refused the request: \(Self.presentable(reason))")
            case .answer(.annotate(let annotation)):
                self.consultations[number]!.note(annotation, by: name)
            }
        } catch {
            return self.endConsultation(number, error)
        }
        self.proceed(withConsultation: number, at: now)
    }

    /// Passes over a hook that has no answer, if it may be.
    private mutating func forgive(_ id: HookID, _ reason: String) throws(Failure) {
        guard let settings = self.index(of: id).map({ self.hooks[$0].settings }) else { return }
        guard settings.isClosed else { return }
        throw Failure(.hookFailed, "hook '\(settings.name)' must agree to the request and \(reason); try again later")
    }

    /// What a hook said, as a client may be shown it: a line without control characters.
    private static func presentable(_ reason: String) -> String {
        let clean = String(
            String.UnicodeScalarView(
                reason.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
        let text = clean.truncated(toUTF8Length: 512)
        return text.isEmpty ? "it gave no reason" : text
    }

    // MARK: The end

    /// Every hook agrees.
    private mutating func agreed(_ number: RequestNumber, at now: Now) throws(Failure) {
        let consultation = self.consultations[number]!
        let (annotations, leftOut) = consultation.annotations(inOrder: self.hooks.map(\.settings.name))
        for hook in leftOut {
            self.actions.append(
                .log(LogEntry(.warning, "a hook's annotation is left out: there are too many", ["hook": hook])))
        }
        let terms = consultation.terms.agreed(filters: consultation.filters, annotations: annotations)
        self.consultations[number] = nil
        self.setDeadline(.request(number), at: nil)
        defer { self.release(generation: terms.generation) }
        do throws(Failure) {
            self.releaseSmallConsultation(number)
            // A large one hands its room on.
            defer { self.releaseConsultation(number) }
            try self.checkPhase()
            try self.letIn(
                consultation.wish, number, under: terms, id: consultation.clientID, from: consultation.connection,
                since: consultation.receivedAt, at: now)
        } catch {
            self.refuse(consultation, number, error)
        }
    }

    /// Ends what was not let in yet.
    ///
    /// - Parameter failure: What its client is told; `nil` where there is nobody to be told.
    mutating func endConsultation(_ number: RequestNumber, _ failure: Failure?) {
        guard let consultation = self.consultations.removeValue(forKey: number) else { return }
        self.setDeadline(.request(number), at: nil)
        self.release(generation: consultation.terms.generation)
        self.releaseConsultation(number)
        self.forgetQuestions(of: .consultation(number))
        self.refuse(consultation, number, failure)
    }

    private mutating func refuse(_ consultation: Consultation, _ number: RequestNumber, _ failure: Failure?) {
        self.connections[consultation.connection]?.requests[consultation.clientID] = nil
        self.callerRequests.release(number)
        self.leaveGroup(number)
        if let failure {
            self.send(ClientAnswer.error(id: consultation.clientID, failure), to: consultation.connection)
        }
        if let conversation = consultation.wish.precedent?.continuation.conversation {
            self.conversationWasFreed(conversation, by: number)
        }
    }

    /// Ends all that waits for hooks.
    mutating func endConsultations(_ failure: Failure) {
        for number in self.consultations.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            self.endConsultation(number, failure)
        }
    }
}
