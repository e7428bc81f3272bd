import Messages
import Policy

/// Under what a request is let in: who asks, what for, for whom, and what the configuration says about that.
///
/// Immutable and shared: a request, a chain and a prompt that waits keep the terms that they began with, whatever is
/// configured meanwhile. A connection has terms of its own, for requests that say nothing about themselves.
final class Terms: Sendable {
    /// The configuration that says what names mean.
    let generation: Int
    let caller: Caller
    let rules: Rules
    /// Whom the request is for.
    let actor: String
    /// As it goes on record: without an actor where that is the user itself.
    let mandate: Mandate
    /// The models that hooks allow.
    let filters: [HookFilter]
    /// What hooks noted, a JSON object.
    let annotations: [UInt8]?

    init(
        generation: Int, caller: Caller, rules: Rules, actor: String, mandate: Mandate, filters: [HookFilter] = [],
        annotations: [UInt8]? = nil
    ) {
        self.generation = generation
        self.caller = caller
        self.rules = rules
        self.actor = actor
        self.mandate = mandate
        self.filters = filters
        self.annotations = annotations
    }

    /// The terms of a request that hooks have agreed to.
    func agreed(filters: [HookFilter], annotations: [UInt8]?) -> Terms {
        guard !filters.isEmpty || annotations != nil else { return self }
        return Terms(
            generation: self.generation, caller: self.caller, rules: self.rules, actor: self.actor,
            mandate: self.mandate, filters: filters,
            annotations: annotations)
    }

    /// Whether it goes on to its end though its client has gone.
    var finishes: Bool { self.rules.purpose?.finishes ?? false }

    /// Why a model may not be asked, by its id; `nil` where it may.
    func refusal(of model: String) -> Failure? {
        if let refusal = self.rules.refusal(of: model) ?? self.caller.refusal(of: model) { return refusal }
        for filter in self.filters { if let refusal = filter.refusal(of: model) { return refusal } }
        return nil
    }
}

extension SupervisorCore {
    /// The terms of a request that says this about itself.
    func terms(of mandate: Mandate, from id: ConnectionID) throws(Failure) -> Terms {
        let connection = self.connections[id]!
        if mandate.isEmpty, let terms = connection.terms { return terms }
        let terms = try self.terms(of: mandate, by: try self.caller(of: connection), uid: connection.peer.uid)
        try terms.caller.checkPurpose(mandate.purpose)
        return terms
    }

    /// - Note: It says nothing about whether the caller may name the purpose.
    func terms(of mandate: Mandate, by caller: Caller, uid: Int) throws(Failure) -> Terms {
        let actor = try caller.actor(named: mandate.actor, uid: uid)
        var recorded = mandate
        if actor == Caller.ownActor(uid: uid) { recorded.actor = nil }
        return Terms(
            generation: self.generation.number, caller: caller, rules: self.policy.rules(for: mandate.purpose),
            actor: actor, mandate: recorded)
    }

    /// Whom the configuration takes a connection's peer for.
    func caller(of connection: Connection) throws(Failure) -> Caller {
        guard let caller = connection.caller else { throw Self.stranger(connection.peer.uid) }
        return caller
    }

    /// Why a user whom no entry is about is refused.
    static func stranger(_ uid: Int) -> Failure {
        Failure(
            .notAllowed,
            "the user \(uid) is no caller of this daemon: no entry of 'callers' is about it, and none is the default")
    }

    /// Looks up who the peer of a connection is, and what it may ask without saying what for.
    mutating func introduce(_ id: ConnectionID) {
        let peer = self.connections[id]!.peer
        let caller = self.policy.caller(of: peer)
        self.connections[id]!.caller = caller
        self.callerConnections.move(id, to: caller?.name)
        self.connections[id]!.terms = caller.flatMap { caller in
            guard (try? caller.checkPurpose(nil)) != nil else { return nil }
            return try? self.terms(of: Mandate(), by: caller, uid: peer.uid)
        }
    }

    /// Whether the peer of a connection may see and do everything.
    func isAdministrator(_ id: ConnectionID) -> Bool {
        let connection = self.connections[id]!
        return self.administrators.contains(connection.peer.uid) || (connection.caller?.isAdministrator ?? false)
    }

    /// Looks up anew who everybody is: another configuration was taken. What is open keeps its terms.
    mutating func introduceAnew() {
        for id in self.connections.keys { self.introduce(id) }
    }

    /// Makes the tables of the policy anew: something of the configuration, or of the models that there are, has changed.
    mutating func compilePolicy() {
        self.generation.policy = Policy(
            self.configuration.policy, defaultModel: self.configuration.defaultModel,
            defaultEmbeddingModel: self.configuration.defaultEmbeddingModel, administrators: self.administrators
        ) { self.findModel($0)?.model.id ?? $0 }
    }

    /// The key that a model is asked with under these terms.
    func key(for candidate: Attempts.Candidate, under terms: Terms) -> KeyChoice {
        self.generation(terms.generation).policy.key(
            for: candidate.model, under: terms.rules, of: self.providers[candidate.provider].settings)
    }
}
