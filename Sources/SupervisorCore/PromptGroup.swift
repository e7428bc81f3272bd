import Messages

/// A group of requests of one connection (proto/client.md, "GroupBeginRequest").
///
///     open ──group_end, connection gone, stop──▶ ending ──last member gone──▶ exiting ──hooks have answered──▶ (gone)
///       ▲│                                         │▲
///       └┘ members come and go                     └┘ members go
///
/// A member is what was asked: a prompt, a chain, a request for embeddings; from the moment that it is let in until its last frame
/// has been sent, or nobody is left to be sent one and its end is on its way to the record.
struct PromptGroup: Sendable {
    enum State: Sendable, Equatable {
        /// It takes members.
        case open
        /// It takes none any more, and waits for those that it has.
        case ending
        /// It has none any more, and the hooks of its exit are asked.
        case exiting
    }

    /// The connection that it belongs to, which it may outlive.
    let connection: ConnectionID
    let peer: PeerCredentials
    /// What its members are for, and on whose behalf.
    let mandate: Mandate
    /// The id of the model that they ask; `nil` where each may ask its own.
    let model: String?
    private(set) var state = State.open
    private var members: Set<RequestNumber> = []
    /// How many requests of it were put on record; each round of a chain is one.
    private(set) var requestCount = 0
    /// Whether its client has asked for its end. It can do so once.
    private(set) var wasEnded = false
    /// The request that waits for its end, if one does.
    private(set) var asker: (number: RequestNumber, id: RequestIdentifier)?

    /// - Parameter mandate: The purpose and the actor; in no group.
    init(_ mandate: Mandate, model: String?, of connection: ConnectionID, peer: PeerCredentials) {
        precondition(mandate.group == nil, "a group in a group")
        self.mandate = mandate
        self.model = model
        self.connection = connection
        self.peer = peer
    }

    // MARK: Members

    /// What a member is for: what the group is for.
    ///
    /// - Throws: Where the member says something else.
    func mandate(of member: Mandate) throws(Failure) -> Mandate {
        try Self.agree("purpose", self.mandate.purpose, member.purpose)
        try Self.agree("actor", self.mandate.actor, member.actor)
        return Mandate(purpose: self.mandate.purpose, actor: self.mandate.actor, group: member.group)
    }

    private static func agree(_ name: String, _ own: String?, _ other: String?) throws(Failure) {
        guard let other, other != own else { return }
        throw Failure(
            .invalidRequest,
            "the group has \(own.map { "the \(name) '\($0)'" } ?? "no \(name)") and the request names '\(other)': leave it out, or begin another group"
        )
    }

    /// The model that a member asks: the group's, if it has one.
    ///
    /// - Parameters:
    ///   - name: What the member names.
    ///   - id: Resolves a name to an id; `nil` where nobody serves it.
    /// - Throws: Where the member names another.
    func model(named name: String?, id: (String) -> String?) throws(Failure) -> String? {
        let named = name.flatMap { $0.isEmpty ? nil : $0 }
        guard let model = self.model else { return named }
        guard let named, (id(named) ?? named) != model else { return model }
        throw Failure(
            .invalidRequest,
            "the group is for the model '\(model)' and the request names '\(named)': leave it out, or begin another group"
        )
    }

    mutating func join(_ member: RequestNumber) {
        precondition(
            self.state == .open || self.members.contains(member), "a member joins a group in state \(self.state)")
        self.members.insert(member)
    }

    /// A request of it was put on record.
    mutating func count() { self.requestCount += 1 }

    mutating func leave(_ member: RequestNumber) { self.members.remove(member) }

    // MARK: The end

    /// It takes no more members.
    mutating func end() {
        if self.state == .open { self.state = .ending }
    }

    /// Its client has said so, and waits.
    mutating func end(for asker: RequestNumber, _ id: RequestIdentifier) {
        precondition(!self.wasEnded, "the end of a group was asked for twice")
        self.end()
        self.wasEnded = true
        self.asker = (asker, id)
    }

    /// Nobody waits for it any more; it ends all the same.
    mutating func askerLeft() { self.asker = nil }

    /// Whether it is to exit: it ends, and has no members any more.
    var isOver: Bool { self.state == .ending && self.members.isEmpty }

    mutating func exit() {
        precondition(self.isOver, "a group exits in state \(self.state) with \(self.members.count) members")
        self.state = .exiting
    }
}
