import Messages
import SupervisorCore

extension [CallerSettings] {
    /// In half of the worlds one caller of two users, of which one is in its group, with small limits; root is none.
    static func drawn(using random: inout SeededGenerator) -> [CallerSettings] {
        func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        guard draw(0...1) == 0 else { return [] }
        return [
            CallerSettings(
                name: "few", users: [1000], groups: [SimulatedClient.group],
                maximumConnections: draw(0...1) == 0 ? draw(1...6) : nil,
                maximumRequests: draw(0...1) == 0 ? draw(1...8) : nil)
        ]
    }
}

// What callers have at once.
extension Simulation {
    /// Every end of a request or a connection must have been counted, and nobody has more than it may.
    mutating func checkCallers() {
        let footprint = self.core.footprint
        if footprint.callerRequests != footprint.openOfCallers {
            self.fail("requests are miscounted: \(footprint.callerRequests) are \(footprint.openOfCallers)")
        }
        for caller in self.configuration.policy.callers {
            let connections = footprint.callerConnections[caller.name, default: 0]
            let open = self.clients.values.count {
                caller.users.contains($0.uid) || !$0.groups.isEmpty && !caller.groups.isEmpty
            }
            if connections > open {
                self.fail("connections of '\(caller.name)' are counted that are closed: \(connections)")
            }
            if let limit = caller.maximumConnections, connections > limit {
                self.fail("a caller has too many connections")
            }
            if let limit = caller.maximumRequests, footprint.callerRequests[caller.name, default: 0] > limit {
                self.fail("a caller has too many requests")
            }
        }
    }

    /// A client was told that its caller has as many as it may.
    mutating func callerIsRefused(_ failure: Failure) {
        guard let caller = self.configuration.policy.callers.first else { return }
        let footprint = self.core.footprint
        if failure.message.contains("max_connections") {
            self.mark("caller has its connections")
            if footprint.callerConnections[caller.name] != caller.maximumConnections {
                self.fail("a connection was refused, and its caller has fewer than it may")
            }
        } else if failure.message.contains("max_requests") {
            self.mark("caller has its requests")
            if footprint.callerRequests[caller.name] != caller.maximumRequests {
                self.fail("a request was refused, and its caller has fewer than it may")
            }
        }
    }
}
