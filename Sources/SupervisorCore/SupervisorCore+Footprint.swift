import Policy

/// What the core holds, for tests that assert its bounds.
public struct Footprint: Sendable, Equatable {
    public var connections: Int
    public var requests: Int
    public var chains: Int
    /// Prompts that continue a conversation and are not admitted yet.
    public var continuations: Int
    /// Requests that hooks are asked about and are not admitted yet.
    public var consultations: Int
    /// What hooks are asked, or told, or wait to be, in bytes: that of it which nobody else holds.
    public var hookBytes: Int
    /// Conversations that are being continued.
    public var conversations: Int
    /// Groups of requests, and the requests that belong to one or wait for its end.
    public var groups: Int
    public var groupMembers: Int
    /// Requests that go on though their clients have gone.
    public var finishing: Int
    /// Questions about the record.
    public var questions: Int
    public var workers: Int
    /// Those of all configurations under which something is open; how many of them are retired.
    public var providers: Int
    public var retiredProviders: Int
    /// The number of the present configuration, and how many before it something is open under.
    public var generation: Int
    public var formerGenerations: Int
    public var deadlines: Int
    public var queuePlaces: Int
    /// Openings and endings that wait for the logger, in bytes.
    public var logBytes: Int
    /// What of answers waits for the logger, in bytes.
    public var logOutput: Int
    /// What is reserved there for the endings of open requests, in bytes.
    public var logReserved: Int
    /// What large frames and queued requests hold, in bytes.
    public var memory: Int
    /// What of it requests hold that may be tried again, in bytes.
    public var kept: Int
    /// Requests that wait for their next attempt.
    public var waiting: Int
    /// Whether slots are not read since too much of answers waits for the logger.
    public var isLogBehind: Bool
    /// How many connections and requests of each caller are counted, by its name; and of the latter, how many there are.
    public var callerConnections: [String: Int]
    public var callerRequests: [String: Int]
    public var openOfCallers: [String: Int]
}

extension SupervisorCore {
    public var footprint: Footprint {
        Footprint(
            connections: self.connections.count, requests: self.requests.count, chains: self.chains.count,
            continuations: self.continuations.count, consultations: self.consultations.count,
            hookBytes: self.hooks.reduce(0) { $0 + $1.heldBytes }, conversations: self.conversations.count,
            groups: self.groups.count, groupMembers: self.memberships.count + self.groupEnds.count,
            finishing: self.finishing.count, questions: self.reader.questionCount, workers: self.workers.count,
            providers: self.providers.count { !$0.isGone }, retiredProviders: self.retiredProviders,
            generation: self.generation.number, formerGenerations: self.formerGenerations.count,
            deadlines: self.deadlines.count, queuePlaces: self.providers.reduce(0) { $0 + $1.queue.placeCount },
            logBytes: self.log.backlogBytes, logOutput: self.log.outputBytes, logReserved: self.log.reserved,
            memory: self.memoryInUse, kept: self.retryMemory.used,
            waiting: self.providers.reduce(0) { $0 + $1.retrying }, isLogBehind: self.areSlotsPausedForLog,
            callerConnections: self.callerConnections.counts, callerRequests: self.callerRequests.counts,
            openOfCallers: self.openOfCallers)
    }

    /// The requests of each caller, counted one by one.
    private var openOfCallers: [String: Int] {
        let terms = self.requests.mapValues(\.terms).merging(self.chains.mapValues(\.terms)) { $1 }
            .merging(self.continuations.mapValues(\.terms)) { $1 }
        return terms.values.reduce(into: [:]) { counts, terms in
            if let name = terms.caller.name { counts[name, default: 0] += 1 }
        }
    }
}
