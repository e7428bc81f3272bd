import JSON
import Messages
import Policy

// Questions about what may be asked. They are answered by the very code that admits requests: what is said here is what a
// request meets at the door.
extension SupervisorCore {
    // MARK: Who

    /// Whom the daemon takes the client for; also somebody whom it does not know.
    func description(of id: ConnectionID) -> CallerDescription {
        let connection = self.connections[id]!
        let (caller, settings) = (connection.caller, connection.caller?.settings)
        return CallerDescription(
            name: caller?.name, isAllowed: caller != nil, peer: connection.peer,
            isAdministrator: self.isAdministrator(id), mayNameActor: caller?.mayNameActor ?? false,
            purposes: caller == nil ? [] : settings?.purposes, models: caller == nil ? [] : settings?.models,
            maximumConnections: settings?.maximumConnections, maximumRequests: settings?.maximumRequests)
    }

    /// The caller that a question is about, and its user: who asks, or, for an administrator, whom the question names.
    private func caller(as identity: Identity?, from id: ConnectionID) throws(Failure) -> (Caller?, uid: Int) {
        let connection = self.connections[id]!
        guard let identity else { return (connection.caller, connection.peer.uid) }
        guard self.isAdministrator(id) else {
            throw Failure(.notAllowed, "only an administrator may ask for another user; leave out 'as'")
        }
        return (self.policy.caller(of: identity.peer), identity.uid)
    }

    /// The terms of a request that says this about itself and comes from this user.
    func terms(
        of mandate: Mandate, as identity: Identity?, from id: ConnectionID
    ) throws(Failure) -> Terms {
        guard identity != nil else { return try self.terms(of: mandate, from: id) }
        let (caller, uid) = try self.caller(as: identity, from: id)
        guard let caller else { throw Self.stranger(uid) }
        let terms = try self.terms(of: mandate, by: caller, uid: uid)
        try caller.checkPurpose(mandate.purpose)
        return terms
    }

    // MARK: What for

    /// The purposes that the client may use; an administrator sees the others too.
    func purposes(for id: ConnectionID, as request: RequestIdentifier) -> [UInt8] {
        let caller = self.connections[id]!.caller
        let showsAll = self.isAdministrator(id)
        var descriptions: [[UInt8]] = []
        for purpose in self.policy.settings.purposes {
            let isAllowed = caller?.mayUse(purpose: purpose.name) ?? false
            guard isAllowed || showsAll else { continue }
            let description = PurposeDescription(
                name: purpose.name, description: purpose.description,
                model: self.policy.rules(for: purpose.name).defaultModel, isAllowed: isAllowed)
            descriptions.append(description.encoded)
        }
        return ClientAnswer.list(id: request, "purposes", descriptions)
    }

    // MARK: Which models

    /// Answers `op: models`, when the hooks that have a say in it have said it.
    ///
    /// - Parameter refreshed: What became of the providers that were asked for theirs, if they were.
    mutating func sendModels(
        _ request: ModelsRequest, id: RequestIdentifier, to connection: ConnectionID, refreshed: [[UInt8]]? = nil,
        at now: Now
    ) {
        guard self.connections[connection] != nil else { return }
        do throws(Failure) {
            let terms = try self.terms(
                of: Mandate(purpose: request.purpose), as: request.identity, from: connection)
            try self.consider(
                .models(request, refreshed: refreshed), under: terms, id: id, from: connection, at: now)
        } catch {
            self.send(ClientAnswer.error(id: id, error), to: connection)
        }
    }

    /// Answers a question at once, or has hooks asked first: then it is one of the connection's open requests.
    private mutating func consider(
        _ wish: Consultation.Wish, under terms: Terms, id: RequestIdentifier, from connection: ConnectionID,
        at now: Now
    ) throws(Failure) {
        if self.hooks.contains(where: \.isAskedBeforehand) { try self.checkDoor(of: connection) }
        let number = RequestNumber(rawValue: self.nextNumber())
        try self.enter(wish, number, under: terms, id: id, from: connection, at: now)
    }

    /// The models that may be asked under these terms, the default first.
    ///
    /// - Parameters:
    ///   - usual: The default that a hook has named.
    ///   - all: Whether the rest is listed too.
    func modelList(under terms: Terms, usual: String?, all: Bool) -> [[UInt8]] {
        let usual = (usual ?? terms.rules.defaultModel).flatMap { self.findModel($0, under: terms)?.model.id }
        var list: [[UInt8]] = []
        var candidates = terms.rules.ordered(self.candidates(under: terms), id: \.model.id)
        // A hook's default may be any.
        if let place = candidates.firstIndex(where: { $0.model.id == usual }), place > 0 {
            candidates.insert(candidates.remove(at: place), at: 0)
        }
        for candidate in candidates {
            let model = candidate.model
            let obstacle = self.obstacle(to: candidate, under: terms)
            guard all || obstacle == nil else { continue }
            var members: [JSONValue.Member] = [
                .init("provider", .string(self.providers[candidate.provider].settings.name)),
                .init("default", .bool(model.id == usual)),
                .init("available", .bool(obstacle == nil)),
            ]
            if let obstacle { members.append(.init("reason", .string(obstacle.message))) }
            list.append(model.encoded(with: members))
        }
        return list
    }

    /// Every model that has a name of its own, once: those of the providers in their order, and `provider/model` where the
    /// rules name one.
    func candidates(under terms: Terms) -> [Attempts.Candidate] {
        let generation = self.generation(terms.generation)
        var seen: Set<String> = []
        var candidates: [Attempts.Candidate] = []
        for entry in generation.entries {
            for model in self.providers[entry].settings.models + self.providers[entry].listedModels {
                guard let found = generation.models[model.id], found.provider == entry, found.model.id == model.id,
                    seen.insert(model.id).inserted
                else { continue }
                candidates.append(Attempts.Candidate(provider: entry, model: found.model))
            }
        }
        for name in terms.rules.order {
            guard let found = generation.findModel(name), seen.insert(found.model.id).inserted else { continue }
            candidates.append(Attempts.Candidate(provider: found.provider, model: found.model))
        }
        return candidates
    }

    /// Why a model is not listed under these terms; `nil` where it is.
    private func obstacle(to candidate: Attempts.Candidate, under terms: Terms) -> Failure? {
        if let refusal = terms.refusal(of: candidate.model.id) { return refusal }
        let key = self.key(for: candidate, under: terms)
        // Who does not require keys is shown models that want one, and told of it when they are asked.
        if case .missing = key, !self.generation(terms.generation).policy.settings.requiresKeys { return nil }
        if let failure = key.failure(candidate.model.id) { return failure }
        guard case .parked = self.providers[candidate.provider].state else { return nil }
        return Failure(.providerUnavailable, self.parkedMessage(candidate.provider))
    }

    // MARK: How

    /// Answers `op: explain`, also where the request would be refused.
    mutating func explain(_ request: ExplainRequest, id: RequestIdentifier, to connection: ConnectionID, at now: Now) {
        do throws(Failure) {
            let (caller, _) = try self.caller(as: request.identity, from: connection)
            let terms: Terms
            do throws(Failure) {
                terms = try self.terms(of: request.mandate, as: request.identity, from: connection)
            } catch {
                var explanation = self.explanation(of: request, by: caller)
                explanation.refusal = error
                return self.send(ClientAnswer.done(id: id, ("explanation", explanation.encoded)), to: connection)
            }
            try self.consider(.explain(request), under: terms, id: id, from: connection, at: now)
        } catch {
            self.send(ClientAnswer.error(id: id, error), to: connection)
        }
    }

    /// What is known of a request before anything is looked up.
    private func explanation(of request: ExplainRequest, by caller: Caller?) -> Explanation {
        let purpose = request.mandate.purpose
        var explanation = Explanation(
            purpose: purpose, isConfigured: purpose.map { self.policy.rules(for: $0).purpose != nil })
        explanation.caller = caller?.name
        explanation.maximumConnections = caller?.settings?.maximumConnections
        explanation.maximumRequests = caller?.settings?.maximumRequests
        return explanation
    }

    func explanation(of request: ExplainRequest, under terms: Terms, at now: Now) -> Explanation {
        var explanation = self.explanation(of: request, by: terms.caller)
        explanation.actor = terms.actor
        do throws(Failure) {
            let asked = try self.candidate(for: request, under: terms)
            self.describe(asked, under: terms, in: &explanation)
            let route = try self.route(of: request, under: terms, at: now)
            self.describe(route.first, under: terms, in: &explanation)
            explanation.fallbacks = route.alternatives.map(\.model.id)
            explanation.passedOver = route.passed.map { .init(model: $0.candidate.model.id, failure: $0.failure) }
            explanation.isAllowed = true
        } catch {
            explanation.refusal = error
        }
        return explanation
    }

    /// The model that the request asks for.
    func candidate(for request: ExplainRequest, under terms: Terms) throws(Failure) -> Attempts.Candidate {
        let (provider, model) =
            switch request.operation {
            case .prompt: try self.resolveModel(request.model, under: terms, after: nil)
            case .embed: try self.resolveEmbeddingModel(request.model, under: terms)
            }
        return Attempts.Candidate(provider: provider, model: model)
    }

    private func route(of request: ExplainRequest, under terms: Terms, at now: Now) throws(Failure) -> Route {
        switch request.operation {
        case .prompt:
            var prompt = PromptRequest()
            prompt.model = request.model
            return try self.checkAdmission(of: prompt, under: terms, by: nil, after: nil, at: now)
        case .embed:
            return try self.checkAdmission(of: EmbedRequest([""], model: request.model), under: terms, at: now).route
        }
    }

    private func describe(_ candidate: Attempts.Candidate, under terms: Terms, in explanation: inout Explanation) {
        explanation.model = candidate.model.id
        explanation.provider = self.providers[candidate.provider].settings.name
        explanation.needsKey = candidate.model.needsKey
        explanation.options = terms.rules.options(for: candidate.model.id)
        (explanation.keyName, explanation.keySource) = (nil, nil)
        switch self.key(for: candidate, under: terms) {
        case .key(_, let name, let source, _): (explanation.keyName, explanation.keySource) = (name, source)
        case .notNeeded, .missing, .unusable: break
        }
    }
}
