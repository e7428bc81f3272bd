import JSON
import Messages
import SupervisorCore

/// A client's question about the record.
struct SimulatedLookup {
    let order: Int
    let arrivedAt: Instant
    var wasCancelled = false
    /// What the reader answered.
    var rows: [UInt8]?
}

extension Simulation {
    func visibleUID(of id: ConnectionID) -> Int? { self.clients[id].flatMap { $0.uid == 0 ? nil : $0.uid } }

    /// A question, which carries its key to the reader.
    mutating func drawnLookup(_ key: SimulatedPrompt.Key) -> ClientRequest {
        self.lastLookup += 1
        self.lookups[key] = SimulatedLookup(order: self.lastLookup, arrivedAt: self.now)
        let id = RequestIdentifier.number(key.id)
        if self.chance(50) {
            var logs = LogsRequest()
            logs.before = key.text
            logs.limit = Int.random(in: 1...5, using: &self.random)
            return ClientRequest(id: id, operation: .logs(logs))
        }
        var requests = RequestsRequest()
        requests.before = key.text
        requests.limit = Int.random(in: 1...5, using: &self.random)
        return ClientRequest(id: id, operation: .requests(requests))
    }

    /// The reader is asked. Returns whose question it is.
    mutating func pageIsAskedFor(_ text: String?, uid: Int?) -> SimulatedPrompt.Key? {
        guard let key = text.flatMap({ SimulatedPrompt.Key($0) }), let lookup = self.lookups[key] else {
            self.fail("the reader was asked what nobody asked")
            return nil
        }
        if uid != self.visibleUID(of: key.connection) { self.fail("a page was asked for in another's name") }
        if lookup.wasCancelled { self.fail("a page was asked for after it was cancelled") }
        if self.clients[key.connection]?.isBlocked ?? true {
            self.fail("a page was asked for, and its client takes no output")
        }
        for (other, waiting) in self.lookups where waiting.order < lookup.order {
            if self.clients[other.connection].map({ !$0.isBlocked }) ?? false {
                self.fail("question \(key.text) overtook \(other.text)")
            }
        }
        return key
    }

    mutating func lookupIsAnswered(_ key: SimulatedPrompt.Key, _ event: ClientEvent) {
        let lookup = self.lookups.removeValue(forKey: key)!
        switch event.event {
        case .done(let completion):
            self.mark("page answered")
            if lookup.rows == nil || completion.rows?.serialized() != lookup.rows {
                self.fail("question \(key.text) was not answered as the reader said")
            }
        case .error(let failure, _, _):
            self.mark("question: \(failure.code.rawValue)")
            switch failure.code {
            case .cancelled: if !lookup.wasCancelled { self.fail("a question was cancelled by nobody") }
            case .logUnavailable:
                if self.now < lookup.arrivedAt + self.bounds.questionTimeout { self.checkReaderIsToBlame(key) }
            case .shuttingDown: if !self.isDraining { self.fail("a question ended in a drain that nobody began") }
            case .tooManyRequests, .overloaded:
                if lookup.arrivedAt != self.now { self.fail("a question was refused after its arrival") }
            case .invalidRequest: if self.reader.said?.key != key { self.fail("a question was refused by nobody") }
            default: self.fail("a question ended with \(failure)")
            }
        case .start, .text, .reasoning, .toolCall, .toolResult, .metadata, .round, .unknown:
            self.fail("a question was answered as a prompt")
        }
    }

    mutating func checkReaderIsToBlame(_ key: SimulatedPrompt.Key) {
        if self.readerFaults[key, default: 0] >= 2 { return self.mark("question given up") }
        if self.reader.failedStarts >= 3 { return self.mark("questions given up for want of a reader") }
        self.fail("\(key.text) blames a reader that did nothing to it")
    }
}
