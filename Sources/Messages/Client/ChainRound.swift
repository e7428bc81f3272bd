import JSON

/// Which round of which chain a request is.
public struct ChainRound: Sendable, Equatable {
    /// The chain's name: that of its first round's request.
    public var chain: ULID
    /// Counted from 1.
    public var number: Int

    public init(chain: ULID, number: Int) {
        self.chain = chain
        self.number = number
    }

    func append(to object: inout JSONObjectBuilder) {
        object.add("chain", self.chain.description)
        object.add("round", self.number)
    }
}
