import Glibc

/// Keeps a number of requests open on a number of connections, and takes the time.
///
/// One thread, `poll`, and frames on bare sockets, without BulkheadClient. That library gives each connection a thread,
/// each request a task and each frame a value, which is right for a service and wrong here: on two cores the load would take
/// the processor that it wants to measure. The report names what the load itself takes, like any other process.
///
/// The load is closed: the next request of a place is made when the last one has ended. So the rate is what the daemon
/// can do with so many open, and a pause of the daemon shows in the samples of the requests that were open, not in those
/// that a steady stream of arrivals would have added.
struct LoadGenerator: ~Copyable {
    /// How long nothing may come while requests are open, in nanoseconds.
    private static let patience: UInt64 = 60_000_000_000

    private let template: PromptTemplate
    private let isStreamed: Bool
    private var connections: [LoadConnection] = []
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    private var nextNumber = 0

    init(_ workload: Workload, socket: String) throws(BenchError) {
        self.template = PromptTemplate(workload, run: UInt64.random(in: 0...UInt64.max))
        self.isStreamed = workload.isStreamed
        for _ in 0..<workload.connections {
            let descriptor = try LocalSocket.connect(to: socket)
            LocalSocket.setNonBlocking(descriptor)
            self.connections.append(LoadConnection(descriptor: descriptor, depth: workload.depth))
        }
    }

    deinit {
        for connection in self.connections { close(connection.descriptor) }
    }

    /// Sends requests until the bound, and waits for all answers.
    mutating func run(_ bound: LoadBound) throws(BenchError) -> LoadTally {
        var tally = LoadTally(requests: bound.requests, isStreamed: self.isStreamed)
        var left = bound.requests
        let start = Clock.now
        let deadline = bound.nanoseconds.map { start + $0 } ?? .max
        var lastAnswer = start
        for index in self.connections.indices { self.fill(index, at: Clock.now, &left) }

        while self.connections.contains(where: { $0.openCount > 0 }) {
            try Interruption.check()
            var polls = self.connections.map { connection in
                let events = POLLIN | (connection.hasOutgoing ? POLLOUT : 0)
                return pollfd(
                    fd: connection.isBroken ? -1 : connection.descriptor, events: Int16(events), revents: 0)
            }
            guard poll(&polls, nfds_t(polls.count), 100) > 0 else {
                guard Clock.now - lastAnswer < Self.patience else {
                    throw BenchError("no answer for \(Self.patience / 1_000_000_000) s")
                }
                continue
            }
            for index in polls.indices where polls[index].revents != 0 {
                if polls[index].revents & Int16(POLLOUT) != 0 { self.connections[index].flush() }
                self.connections[index].read(&self.buffer, into: &tally)
                lastAnswer = Clock.now
                if lastAnswer >= deadline { left = 0 }
                self.fill(index, at: lastAnswer, &left)
            }
        }
        tally.elapsed = lastAnswer - start
        return tally
    }

    private mutating func fill(_ index: Int, at now: UInt64, _ left: inout Int) {
        var number = self.nextNumber
        self.connections[index].fill(self.template, at: now) {
            guard left > 0 else { return nil }
            left -= 1
            number += 1
            return number
        }
        self.nextNumber = number
    }
}
