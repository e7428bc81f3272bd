/// The requests that go on to their end though their clients have gone, because their purpose says so.
///
/// They are counted, by user and in all, for nobody else would bound them: a client that has gone has no connection any more.
struct FinishingRequests: Sendable {
    private var users: [RequestNumber: Int] = [:]
    private var counts: [Int: Int] = [:]

    var count: Int { self.users.count }

    /// Takes in a request of a user, if there is room.
    mutating func take(_ number: RequestNumber, of uid: Int, bounds: SupervisorBounds) -> Bool {
        precondition(self.users[number] == nil, "the client of a request left twice")
        let own = self.counts[uid, default: 0]
        guard self.users.count < bounds.finishing, own < bounds.finishingPerUser else { return false }
        self.users[number] = uid
        self.counts[uid] = own + 1
        return true
    }

    /// The request is over.
    mutating func release(_ number: RequestNumber) {
        guard let uid = self.users.removeValue(forKey: number) else { return }
        let left = self.counts[uid]! - 1
        self.counts[uid] = left == 0 ? nil : left
    }
}
