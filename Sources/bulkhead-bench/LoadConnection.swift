import Framing
import Glibc
import Messages

/// One connection of the load, with its open requests. A request's id is its place among them, so that an answer finds
/// its request without a search.
struct LoadConnection {
    let descriptor: CInt
    private(set) var openCount = 0
    private(set) var isBroken = false
    private var open: [OpenRequest?]
    private var decoder = FrameDecoder(maximumPayloadLength: ProtocolBounds.answerFrame)
    private var outgoing: [UInt8] = []
    private var sentCount = 0

    private struct OpenRequest {
        var startedAt: UInt64
        var hasOutput = false
    }

    init(descriptor: CInt, depth: Int) {
        self.descriptor = descriptor
        self.open = Array(repeating: nil, count: depth)
    }

    var hasOutgoing: Bool { self.sentCount < self.outgoing.count }

    /// Fills the free places with requests, as long as `nextNumber` has some, and sends them.
    mutating func fill(_ template: PromptTemplate, at now: UInt64, _ nextNumber: () -> Int?) {
        guard !self.isBroken else { return }
        for place in self.open.indices where self.open[place] == nil {
            guard let number = nextNumber() else { break }
            template.append(number: number, id: place, to: &self.outgoing)
            self.open[place] = OpenRequest(startedAt: now)
            self.openCount += 1
        }
        self.flush()
    }

    /// Sends what the kernel takes.
    mutating func flush() {
        while self.hasOutgoing {
            switch LocalSocket.send(self.outgoing[self.sentCount...], to: self.descriptor) {
            case .bytes(let count): self.sentCount += count
            case .wait: return
            case .ended:
                self.isBroken = true
                return
            }
        }
        self.outgoing.removeAll(keepingCapacity: true)
        self.sentCount = 0
    }

    /// Reads once and counts what has come.
    mutating func read(_ buffer: inout [UInt8], into tally: inout LoadTally) {
        switch LocalSocket.receive(into: &buffer, from: self.descriptor) {
        case .wait: break
        case .ended: self.isBroken = true
        case .bytes(let count):
            let now = Clock.now
            self.decoder.append(buffer[..<count])
            do {
                while let payload = try self.decoder.next() {
                    self.count(try AnswerFrame(payload), at: now, into: &tally)
                }
            } catch {
                tally.requestFailed("unreadable_answer", count: self.openCount)
                self.forgetAll()
            }
        }
        if self.isBroken {
            tally.requestFailed("connection_lost", count: self.openCount)
            self.forgetAll()
        }
    }

    /// Counts the requests that nobody will answer any more.
    private mutating func forgetAll() {
        self.isBroken = true
        self.openCount = 0
        for place in self.open.indices { self.open[place] = nil }
    }

    private mutating func count(_ frame: AnswerFrame, at now: UInt64, into tally: inout LoadTally) {
        switch frame {
        case .start, .other: break
        case .chunk(let id):
            tally.chunkArrived()
            guard self.open.indices.contains(id), let request = self.open[id], !request.hasOutput else { return }
            self.open[id]!.hasOutput = true
            tally.firstChunkArrived(after: now - request.startedAt)
        case .done(let id, let inputTokens, let outputTokens):
            guard let request = self.take(id) else { return tally.requestFailed("unknown_id") }
            tally.requestEnded(
                after: now - request.startedAt, inputTokens: inputTokens, outputTokens: outputTokens)
        case .error(nil, let code):
            tally.requestFailed(code, count: self.openCount)
            self.forgetAll()
        case .error(let id?, let code):
            tally.requestFailed(self.take(id) == nil ? "unknown_id" : code)
        }
    }

    private mutating func take(_ id: Int) -> OpenRequest? {
        guard self.open.indices.contains(id), let request = self.open[id] else { return nil }
        self.open[id] = nil
        self.openCount -= 1
        return request
    }
}
