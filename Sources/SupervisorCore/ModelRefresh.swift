import JSON
import Messages

/// A client's wish that providers be asked for their models, until the last of them has answered.
struct ModelRefresh: Sendable {
    /// What became of one provider.
    enum Outcome: Sendable, Equatable {
        /// It listed so many models, of which so many are new.
        case listed(count: Int, added: Int)
        case failed(Failure)
    }

    let number: RequestNumber
    let clientID: RequestIdentifier
    let connection: ConnectionID
    /// What the client is to be shown then.
    let request: ModelsRequest
    /// The providers that are asked, in the order of the configuration, and what has become of them.
    var outcomes: [(provider: Int, name: String, outcome: Outcome?)]

    var isComplete: Bool { self.outcomes.allSatisfy { $0.outcome != nil } }
    /// Whether any provider has said what it has.
    var hasList: Bool {
        self.outcomes.contains { if case .listed? = $0.outcome { true } else { false } }
    }

    mutating func set(_ outcome: Outcome, of provider: Int) {
        guard let place = self.outcomes.firstIndex(where: { $0.provider == provider }) else { return }
        self.outcomes[place].outcome = outcome
    }

    /// The member `refreshed` of the answer.
    var encoded: [[UInt8]] {
        self.outcomes.map { entry in
            var object = JSONObjectBuilder()
            object.add("provider", entry.name)
            switch entry.outcome {
            case .listed(let count, let added):
                object.add("listed", count)
                object.add("added", added)
            case .failed(let failure): object.add("error", raw: failure.encoded)
            case nil: preconditionFailure("a refresh is answered before its last provider")
            }
            return object.finish()
        }
    }
}

/// A question to one slot of one provider: which models it has.
///
///     waiting ──slot free──▶ asked ──last event──▶ (gone)
///        │ too late            │ too late             ▲
///        ▼                     ▼                      │
///      (gone)               given up ──slot lets go───┤
///                              │ too late             │
///                              └──▶ the slot hangs ───┘
struct SlotListing: Sendable {
    enum State: Sendable, Equatable {
        /// It waits for a slot.
        case waiting
        case asked(SlotID)
        /// Nobody waits for the answer any more, and the slot was told so.
        case givenUp(SlotID)
    }

    let ulid: ULID
    let provider: Int
    var state = State.waiting

    var slot: SlotID? {
        switch self.state {
        case .waiting: nil
        case .asked(let slot), .givenUp(let slot): slot
        }
    }
}
