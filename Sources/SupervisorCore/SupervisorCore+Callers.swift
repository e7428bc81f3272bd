import Messages
import Policy

// How many connections and open requests a caller may have at once, all of its users together.
//
// One that is refused at once does not count. A request is a prompt, a chain or a request for embeddings, from its admission, or from when it began to wait for its
// conversation, until its end is on record; also after its client has gone. Questions about the record have bounds of their
// own.
extension SupervisorCore {
    /// Why the caller may have no more connections; `nil` where it may.
    func refusalOfConnection(by caller: Caller?) -> Failure? {
        guard let name = caller?.name, let limit = caller?.settings?.maximumConnections,
            self.callerConnections[name] >= limit
        else { return nil }
        return Failure(
            .tooManyConnections,
            "the caller '\(name)' has \(limit) connections, as many as it may ('max_connections'); close one of them, or try again later"
        )
    }

    /// Counts a request that is about to begin as its caller's.
    ///
    /// - Throws: If it has as many as it may.
    mutating func takeRequest(_ number: RequestNumber, of caller: Caller) throws(Failure) {
        guard let name = caller.name else { return }
        if let limit = caller.settings?.maximumRequests, self.callerRequests[name] >= limit {
            throw Failure(
                .tooManyRequests,
                "the caller '\(name)' has \(limit) requests open, as many as it may ('max_requests'); wait for one of them to end"
            )
        }
        self.callerRequests.take(number, by: name)
    }
}
