import JSON
import Messages
import SupervisorCore

/// A client as the world sees it.
struct SimulatedClient {
    /// Ids of requests that were sent and have had no last frame.
    var open: Set<RequestIdentifier> = []
    /// Which of those are prompts, and were asked for as a stream.
    var streams: Set<RequestIdentifier> = []
    var started: Set<RequestIdentifier> = []
    /// Bytes that wait for it.
    var backlog = 0
    /// Whether it takes what it is sent.
    var reads = true
    /// Whether the supervisor reads what it sends.
    var isRead = true
    var isClosed = false
    /// The supervisor closes it once its backlog is empty.
    var isClosing = false
    var lastID: Int64 = 0
    /// It began a frame of this length that it has not finished.
    var begunFrame: Int?
}

extension Simulation {
    mutating func connect() {
        guard self.isListening, self.clients.count < 2 * self.bounds.connections + 3 else { return }
        self.lastClient += 1
        let id = ConnectionID(self.lastClient)
        self.clients[id] = SimulatedClient()
        self.post(.clientConnected(id, PeerCredentials(uid: 1000, gid: 1000, pid: 1)))
    }

    mutating func clientActs() {
        guard let id = self.clients.keys.sorted(by: { $0.rawValue < $1.rawValue }).randomElement(using: &self.random) else {
            return
        }
        switch Int.random(in: 0..<100, using: &self.random) {
        case 0..<2: self.clientLeaves(id)
        case 2..<6: self.clients[id]!.reads.toggle()
        case 6..<26: self.clientTakes(id, all: self.chance(80))
        case 26..<29: self.clientBeginsFrame(id)
        case 29..<30: self.clientAnnouncesTooMuch(id)
        default: self.clientSends(id)
        }
    }

    /// In a world that behaves a client takes all it gets, and leaves when it is told to.
    mutating func clientBehaves(_ id: ConnectionID) {
        self.clients[id]!.reads = true
        self.clientTakes(id, all: true)
    }

    // MARK: What clients do

    private mutating func clientLeaves(_ id: ConnectionID) {
        self.mark("client left with \(self.clients[id]!.open.isEmpty ? "nothing" : "requests") open")
        self.clients[id] = nil
        self.post(.clientClosed(id))
    }

    private mutating func clientTakes(_ id: ConnectionID, all: Bool) {
        guard let client = self.clients[id], client.reads, client.backlog > 0 || client.isClosing else { return }
        self.clients[id]!.backlog = all ? 0 : client.backlog / 2
        if client.isClosing, self.clients[id]!.backlog == 0 {
            self.clients[id] = nil
            return self.post(.clientClosed(id))
        }
        self.post(.clientBacklog(id, bytes: self.clients[id]!.backlog, tookSome: true))
    }

    private mutating func clientBeginsFrame(_ id: ConnectionID) {
        guard let client = self.clients[id], client.isRead, !client.isClosing, client.begunFrame == nil else { return }
        let length = Int.random(in: 1...3 * self.bounds.memory / 2, using: &self.random)
        self.clients[id]!.begunFrame = length
        self.post(.clientFrameBegun(id, length: self.chance(10) ? nil : length))
    }

    private mutating func clientAnnouncesTooMuch(_ id: ConnectionID) {
        guard let client = self.clients[id], client.isRead, !client.isClosing else { return }
        self.post(.clientFrameTooLong(id, length: 1 << 30))
    }

    private mutating func clientSends(_ id: ConnectionID) {
        guard let client = self.clients[id], client.isRead, !client.isClosing else { return }
        self.clients[id]!.begunFrame = nil
        let openID = client.open.sorted { "\($0)" < "\($1)" }.randomElement(using: &self.random)
        self.clients[id]!.lastID += 1
        let newID = RequestIdentifier.number(self.clients[id]!.lastID)
        switch Int.random(in: 0..<100, using: &self.random) {
        case 0..<62:
            self.clientPrompts(id, newID)
        case 62..<76:
            guard let target = self.chance(85) ? openID : .text("nobody") else { return }
            self.send(id, ClientRequest(id: newID, operation: .cancel(target: target)), expecting: newID)
        case 76..<82: self.send(id, ClientRequest(id: newID, operation: .ping), expecting: newID)
        case 82..<84: self.send(id, ClientRequest(id: newID, operation: .status), expecting: newID)
        case 84..<86: self.send(id, ClientRequest(id: newID, operation: .models), expecting: newID)
        case 86..<88:
            guard let openID else { return }
            self.post(.clientFrame(id, ClientRequest(id: openID, operation: .ping).encoded))
        case 88..<90: self.sendText(id, #"{"id":\#(client.lastID + 1),"op":"pronpt"}"#, expecting: newID)
        case 90..<92: self.sendText(id, #"{"id":\#(client.lastID + 1),"op":"prompt","promt":"x"}"#, expecting: newID)
        case 92..<94: self.sendText(id, #"{"id":\#(client.lastID + 1),"op":"chain"}"#, expecting: newID)
        case 94..<96: self.sendText(id, #"{"id":\#(client.lastID + 1),"op":"prompt","model":"none"}"#, expecting: newID)
        case 96..<97: self.sendText(id, "[1]", expecting: nil)
        case 97..<98: self.sendText(id, #"{"op":"ping"}"#, expecting: nil)
        default: self.sendText(id, #"{"id":1,"id":2}"#, expecting: nil)
        }
    }

    private mutating func clientPrompts(_ id: ConnectionID, _ newID: RequestIdentifier) {
        let provider = Int.random(in: 0..<self.configuration.providers.count, using: &self.random)
        let model = [nil, "m\(provider)", "alias\(provider)", "k\(provider)"].randomElement(using: &self.random)!
        let length = self.chance(90) ? 10 : Int.random(in: 100...self.bounds.memory, using: &self.random)
        var prompt = PromptRequest(
            prompt: String(repeating: "x", count: length), model: model, stream: self.chance(70))
        if self.chance(10) { prompt.timeoutMilliseconds = Int.random(in: 1...500, using: &self.random) }
        if prompt.stream { self.clients[id]!.streams.insert(newID) }
        self.send(id, ClientRequest(id: newID, operation: .prompt(prompt)), expecting: newID)
    }

    private mutating func send(_ id: ConnectionID, _ request: ClientRequest, expecting: RequestIdentifier) {
        self.clients[id]!.open.insert(expecting)
        self.post(.clientFrame(id, request.encoded))
    }

    private mutating func sendText(_ id: ConnectionID, _ text: String, expecting: RequestIdentifier?) {
        if let expecting { self.clients[id]!.open.insert(expecting) }
        self.post(.clientFrame(id, Array(text.utf8)))
    }

    // MARK: What is done to clients

    mutating func clientReceives(_ id: ConnectionID, _ payload: [UInt8]) {
        guard let client = self.clients[id], !client.isClosing else { return self.fail("a frame was sent to a client that is gone") }
        guard let event = try? ClientEvent(decoding: payload) else {
            return self.fail("a client cannot read: \(String(decoding: payload.prefix(200), as: UTF8.self))")
        }
        self.checkRecord(of: event)
        guard let requestID = event.id else { return self.markFatal(event) }
        guard client.open.contains(requestID) else { return self.fail("request \(requestID) was answered after its last frame") }
        if event.isLast {
            self.clients[id]!.open.remove(requestID)
            self.clients[id]!.streams.remove(requestID)
            self.clients[id]!.started.remove(requestID)
        } else if case .start = event.event {
            if !self.clients[id]!.started.insert(requestID).inserted { self.fail("request \(requestID) started twice") }
        } else if !client.started.contains(requestID) {
            self.fail("request \(requestID) was answered before it started")
        }
        self.clients[id]!.backlog += payload.count + 4
        if !client.reads { self.followUps.append(.clientBacklog(id, bytes: self.clients[id]!.backlog, tookSome: false)) } else { self.clients[id]!.backlog = client.backlog }
        self.markAnswer(event, isStreamed: client.streams.contains(requestID))
    }

    private mutating func markFatal(_ event: ClientEvent) {
        guard case .error(let failure, _, _) = event.event else { return self.fail("a frame without an id is no error") }
        self.mark(failure.code.rawValue)
    }

    private mutating func markAnswer(_ event: ClientEvent, isStreamed: Bool) {
        switch event.event {
        case .error(let failure, _, _): self.mark(failure.code.rawValue)
        case .done(let completion) where completion.request != nil: self.mark(isStreamed ? "done, streamed" : "done, whole")
        default: break
        }
    }

    /// Under `durability: commit` nothing leaves before its row is on disk.
    private mutating func checkRecord(of event: ClientEvent) {
        let name: String? = switch event.event {
        case .done(let completion): completion.request
        case .error(_, let request, _): request
        default: nil
        }
        guard let name, self.configuration.durability == .commit else { return }
        guard self.logger.rows[name]?.ends == 1 else { return self.fail("the last frame of \(name) left before its row was on disk") }
    }

    mutating func clientIsRead(_ id: ConnectionID, _ isRead: Bool) {
        guard let client = self.clients[id] else { return self.fail("a client that is gone was paused or resumed") }
        guard client.isRead != isRead else { return self.fail("a client was \(isRead ? "resumed" : "paused") twice") }
        self.clients[id]!.isRead = isRead
        self.mark(isRead ? "client read again" : "client not read")
        if isRead, client.begunFrame != nil, client.backlog == 0 { self.mark("large frame waited for memory") }
    }

    mutating func clientIsClosed(_ id: ConnectionID, atOnce: Bool) {
        guard let client = self.clients[id] else { return self.fail("a client that is gone was closed") }
        if atOnce { self.mark("client dropped") } else if client.isClosing { self.fail("a client was closed twice") }
        self.clients[id]!.isClosing = true
        if atOnce || client.backlog == 0 {
            self.clients[id] = nil
            self.followUps.append(.clientClosed(id))
        }
    }
}
