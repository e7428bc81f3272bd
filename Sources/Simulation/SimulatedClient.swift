import JSON
import Messages
import SupervisorCore

/// A client as the world sees it.
struct SimulatedClient {
    let uid: Int
    /// A user group that one of the users is in.
    static let group = 77
    var groups: [Int] { self.uid == 1001 ? [Self.group] : [] }
    /// Ids of requests that were sent and have had no last frame.
    var open: Set<RequestIdentifier> = []
    /// Its requests for the ends of groups.
    var groupEnds: [RequestIdentifier: SimulatedGroupEnd] = [:]
    /// Those of them that ask for a reload.
    var reloads: Set<RequestIdentifier> = []
    /// The names under which prompts started.
    var started: [RequestIdentifier: String] = [:]
    /// Bytes that wait for it.
    var backlog = 0
    /// So much waits that its slots are not to be read; so much that it itself is not.
    var isBlocked = false
    var isFull = false
    /// When it last took something, or something began to wait.
    var lastTook = Instant(nanoseconds: 0)
    /// Whether it takes what it is sent.
    var reads = true
    /// Whether the supervisor reads what it sends.
    var isRead = true
    /// The supervisor closes it once its backlog is empty, since then.
    var closingSince: Instant?
    var isClosing: Bool { self.closingSince != nil }
    var lastID: Int64 = 0
    /// It has sent no whole frame.
    var isSilent = true
    /// It began a frame that it has not finished.
    var hasBegunFrame = false
    /// How long it has been about its frame, or its first one, while it was read; and since when.
    var frameTime = Duration.zero
    var frameTimeSince: Instant?
}

extension Simulation {
    mutating func connect() {
        guard self.isListening, self.clients.count < 2 * self.bounds.connections + 3 else { return }
        self.lastClient += 1
        let id = ConnectionID(self.lastClient)
        let uid = [0, 1000, 1000, 1001].randomElement(using: &self.random)!
        let client = SimulatedClient(uid: uid)
        self.clients[id] = client
        self.clients[id]!.frameTimeSince = self.now
        self.post(.clientConnected(id, PeerCredentials(uid: uid, gid: 1000, pid: 1, groups: client.groups)))
    }

    mutating func clientActs() {
        // Those whose chains wait for results have their turn more often: few chains would come to a third round.
        let owing = self.chains.filter { !$0.value.owed.isEmpty }.map(\.key.connection)
        let ids = !owing.isEmpty && self.chance(40) ? owing : Array(self.clients.keys)
        guard let id = ids.sorted(by: { $0.rawValue < $1.rawValue }).randomElement(using: &self.random) else { return }
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

    mutating func clientLeaves(_ id: ConnectionID) {
        self.mark("client left with \(self.clients[id]!.open.isEmpty ? "nothing" : "requests") open")
        self.clientIsGone(id)
        self.post(.clientClosed(id))
    }

    private mutating func clientIsGone(_ id: ConnectionID) {
        self.promptsAreAbandoned(of: id)
        self.clients[id] = nil
    }

    private mutating func clientTakes(_ id: ConnectionID, all: Bool) {
        guard let client = self.clients[id], client.reads, client.backlog > 0 || client.isClosing else { return }
        self.clients[id]!.backlog = all ? 0 : client.backlog / 2
        if client.isClosing, self.clients[id]!.backlog == 0 {
            self.clientIsGone(id)
            return self.post(.clientClosed(id))
        }
        self.clients[id]!.lastTook = self.now
        self.post(.clientBacklog(id, bytes: self.clients[id]!.backlog, tookSome: true))
    }

    private mutating func clientBeginsFrame(_ id: ConnectionID) {
        guard let client = self.clients[id], client.isRead, !client.isClosing, !client.hasBegunFrame else { return }
        let length = Int.random(in: 1...3 * self.bounds.memory / 2, using: &self.random)
        self.clients[id]!.hasBegunFrame = true
        if !client.isSilent { (self.clients[id]!.frameTime, self.clients[id]!.frameTimeSince) = (.zero, self.now) }
        self.post(.clientFrameBegun(id, length: self.chance(10) ? nil : length))
    }

    private mutating func clientAnnouncesTooMuch(_ id: ConnectionID) {
        guard let client = self.clients[id], client.isRead, !client.isClosing else { return }
        self.post(.clientFrameTooLong(id, length: 1 << 30))
    }

    private mutating func clientSends(_ id: ConnectionID) {
        guard let client = self.clients[id], client.isRead, !client.isClosing else { return }
        let openID = client.open.sorted { "\($0)" < "\($1)" }.randomElement(using: &self.random)
        self.clients[id]!.lastID += 1
        let newID = RequestIdentifier.number(self.clients[id]!.lastID)
        let owes = self.chains.contains { $0.key.connection == id && !$0.value.owed.isEmpty }
        if owes, self.chance(75) { return self.clientSendsResults(id, newID) }
        if self.chance(6) { return self.clientBeginsOrEndsGroup(id, newID) }
        switch Int.random(in: 0..<100, using: &self.random) {
        case 0..<35:
            self.clientPrompts(id, client.lastID + 1)
        case 35..<46:
            self.clientBeginsChain(id, client.lastID + 1)
        case 46..<54:
            self.clientSendsResults(id, newID)
        case 54..<62:
            let key = SimulatedPrompt.Key(connection: id, id: client.lastID + 1)
            self.send(id, self.drawnLookup(key), expecting: newID)
            self.checkCount(of: id)
        case 62..<76:
            guard let target = self.chance(85) ? openID : .text("nobody") else { return }
            if case .number(let number) = target { self.cancelInHand = .init(connection: id, id: number) }
            self.send(id, ClientRequest(id: newID, operation: .cancel(target: target)), expecting: newID)
            self.cancelInHand = nil
        case 76:
            self.clients[id]!.reloads.insert(newID)
            self.send(id, ClientRequest(id: newID, operation: .reload), expecting: newID)
        case 77: if self.chance(self.clients[id]!.uid == 0 ? 1 : 30) { self.clientDrains(id, newID) }
        case 78: self.send(id, ClientRequest(id: newID, operation: .ping), expecting: newID)
        case 79..<81: self.send(id, ClientRequest(id: newID, operation: self.drawnQuestion()), expecting: newID)
        case 81..<83 where client.uid == 0 || self.chance(10):
            let action = self.drawnSecretsAction()
            self.send(id, ClientRequest(id: newID, operation: .secrets(action)), expecting: newID)
        case 81..<86:
            self.send(
                id, ClientRequest(id: newID, operation: .models(ModelsRequest(refresh: self.chance(90)))),
                expecting: newID)
        case 86..<88:
            guard let openID else { return }
            self.sendText(
                id, String(decoding: ClientRequest(id: openID, operation: .ping).encoded, as: UTF8.self), expecting: nil
            )
        case 88..<90: self.sendText(id, #"{"id":\#(client.lastID + 1),"op":"pronpt"}"#, expecting: newID)
        case 90..<92: self.sendText(id, #"{"id":\#(client.lastID + 1),"op":"prompt","promt":"x"}"#, expecting: newID)
        case 92..<94: self.sendText(id, #"{"id":\#(client.lastID + 1),"op":"usage"}"#, expecting: newID)
        case 94..<96: self.sendText(id, #"{"id":\#(client.lastID + 1),"op":"prompt","model":"none"}"#, expecting: newID)
        case 96..<97: self.sendText(id, "[1]", expecting: nil)
        case 97..<98: self.sendText(id, #"{"op":"ping"}"#, expecting: nil)
        default: self.sendText(id, #"{"id":1,"id":2}"#, expecting: nil)
        }
    }

    private mutating func clientDrains(_ id: ConnectionID, _ newID: RequestIdentifier) {
        if self.clients[id]!.uid == 0 { self.isDraining = true }
        self.send(id, ClientRequest(id: newID, operation: .drain), expecting: newID)
    }

    mutating func clientSendsPrompt(_ id: ConnectionID) {
        guard let client = self.clients[id], client.isRead, !client.isClosing else { return }
        self.clients[id]!.lastID += 1
        self.clientPrompts(id, client.lastID + 1)
    }

    private mutating func clientPrompts(_ id: ConnectionID, _ newID: Int64) {
        guard !self.chance(20) else { return self.clientEmbeds(id, newID) }
        let provider = self.drawnProvider()
        let model = [nil, "m\(provider)", "alias\(provider)", "k\(provider)"].randomElement(using: &self.random)!
        let length = self.chance(90) ? 10 : Int.random(in: 100...self.bounds.memory, using: &self.random)
        let key = SimulatedPrompt.Key(connection: id, id: newID)
        let system = [nil, nil, "", "be brief", "be long"].randomElement(using: &self.random)!
        var prompt = PromptRequest(
            prompt: key.text + " " + String(repeating: "x", count: length), system: system, model: model,
            stream: self.chance(70))
        if self.chance(10) { prompt.timeoutMilliseconds = Int.random(in: 1...500, using: &self.random) }
        prompt.conversation = self.drawnConversation()
        if self.chance(20) { prompt.mandate.purpose = "finish" }
        let asked = self.drawGroup(of: key, &prompt.mandate, model: model)
        self.prompts[key] = SimulatedPrompt(
            arrivedAt: self.now, isStreamed: prompt.stream, system: system, namedModel: asked, model: "", provider: 0,
            conversation: prompt.conversation, timeout: prompt.timeoutMilliseconds.map { .milliseconds($0) })
        self.prompts[key]!.configuration = self.configurations.count - 1
        self.prompts[key]!.finishes = self.finishes(key, prompt.mandate)
        if let conversation = prompt.conversation {
            if self.lines[conversation] != nil { self.mark("prompts wait in one line") }
            self.lines[conversation, default: []].append(key)
        } else {
            self.comesToTheDoor(key)
        }
        self.send(id, ClientRequest(id: .number(newID), operation: .prompt(prompt)), expecting: .number(newID))
        self.checkCount(of: id)
        if self.isDraining, self.prompts[key] != nil { self.fail("a prompt was admitted after the drain began") }
    }

    /// The conversation that a prompt continues, if it does: one of the newest, or one that is not there.
    mutating func drawnConversation() -> String? {
        guard self.chance(45) else { return nil }
        if self.chance(8) { return "nowhere \(Int.random(in: 0...1, using: &self.random))" }
        return self.conversations.suffix(12).randomElement(using: &self.random)
    }

    mutating func checkCount(of id: ConnectionID) {
        let prompts =
            self.prompts.keys.count { $0.connection == id }
            + self.chains.count { $0.key.connection == id && $0.value.owingSince != nil }
        let lookups = self.lookups.keys.count { $0.connection == id }
        if prompts + lookups > self.bounds.requestsPerConnection {
            self.fail("too many requests of one client are open")
        }
        if lookups > self.bounds.questionsPerConnection { self.fail("too many questions of one client are open") }
    }

    /// What is answered at once.
    private mutating func drawnQuestion() -> ClientRequest.Operation {
        let identity = self.chance(30) ? Identity(uid: Int.random(in: 0...3, using: &self.random)) : nil
        let purpose = self.chance(30) ? "finish" : nil
        switch Int.random(in: 0..<5, using: &self.random) {
        case 0: return .status
        case 1: return .whoami
        case 2: return .purposes
        case 3: return .models(ModelsRequest(purpose: purpose, identity: identity, all: self.chance(50)))
        default:
            return .explain(
                ExplainRequest(
                    mandate: Mandate(purpose: purpose), operation: self.chance(30) ? .embed : .prompt,
                    identity: identity))
        }
    }

    mutating func send(_ id: ConnectionID, _ request: ClientRequest, expecting: RequestIdentifier) {
        self.sendText(id, String(decoding: request.encoded, as: UTF8.self), expecting: expecting)
    }

    private mutating func sendText(_ id: ConnectionID, _ text: String, expecting: RequestIdentifier?) {
        if let expecting { self.clients[id]!.open.insert(expecting) }
        self.clients[id]!.hasBegunFrame = false
        self.clients[id]!.isSilent = false
        self.clients[id]!.frameTimeSince = nil
        self.post(.clientFrame(id, Array(text.utf8)))
    }

    // MARK: What is done to clients

    mutating func clientReceives(_ id: ConnectionID, _ payload: [UInt8]) {
        guard let client = self.clients[id], !client.isClosing else {
            return self.fail("a frame was sent to a client that is gone")
        }
        guard let event = try? ClientEvent(decoding: payload) else {
            return self.fail("a client cannot read: \(String(decoding: payload.prefix(200), as: UTF8.self))")
        }
        if case .error(let failure, _, _) = event.event { self.callerIsRefused(failure) }
        guard let requestID = event.id else { return self.markFatal(event, id) }
        guard client.open.contains(requestID) else {
            return self.fail("request \(requestID) was answered after its last frame")
        }
        if case .number(let number) = requestID, self.prompts[.init(connection: id, id: number)] != nil {
            self.promptIsAnswered(.init(connection: id, id: number), event)
        } else if case .number(let number) = requestID, self.chains[.init(connection: id, id: number)] != nil {
            self.chainIsAnswered(.init(connection: id, id: number), event)
        } else if case .number(let number) = requestID, self.lookups[.init(connection: id, id: number)] != nil {
            self.lookupIsAnswered(.init(connection: id, id: number), event)
        } else {
            self.otherIsAnswered(id, event)
        }
        if event.isLast {
            self.clients[id]!.open.remove(requestID)
            self.clients[id]!.started[requestID] = nil
        }
        guard !client.reads else { return }
        if client.backlog == 0 { self.clients[id]!.lastTook = self.now }
        self.clients[id]!.backlog += payload.count + 4
        self.followUps.append(.clientBacklog(id, bytes: self.clients[id]!.backlog, tookSome: false))
    }

    private mutating func markFatal(_ event: ClientEvent, _ id: ConnectionID) {
        guard case .error(let failure, _, _) = event.event else {
            return self.fail("a frame without an id is no error")
        }
        self.mark(failure.code.rawValue)
        if failure.code == .connectionTimeout, let client = self.clients[id], !self.isFrameLate(client) {
            self.fail("a frame was called late that was not")
        }
    }

    private func isFrameLate(_ client: SimulatedClient) -> Bool {
        let running = client.isRead ? client.frameTimeSince.map { $0.duration(to: self.now) } ?? .zero : .zero
        let isExpected = client.frameTimeSince != nil || !client.isRead
        return isExpected
            && client.frameTime + running
                >= (client.isSilent ? self.bounds.firstFrameTimeout : self.bounds.frameTimeout)
    }

    /// What must have happened by now to a client, and has not: checked when the core's timers have fired.
    func lateness(of client: SimulatedClient) -> String? {
        if let since = client.closingSince {
            return since + self.bounds.lingerTimeout < self.now ? "a client lingers" : nil
        }
        if client.isRead, client.frameTimeSince != nil, self.isFrameLate(client) {
            return "a frame is late and its connection open"
        }
        guard client.backlog > 0, client.lastTook + self.bounds.stallTimeout < self.now else { return nil }
        return "a client that takes nothing was not dropped"
    }

    mutating func clientIsRead(_ id: ConnectionID, _ isRead: Bool) {
        guard let client = self.clients[id] else { return self.fail("a client that is gone was paused or resumed") }
        guard client.isRead != isRead else { return self.fail("a client was \(isRead ? "resumed" : "paused") twice") }
        self.clients[id]!.isRead = isRead
        self.mark(isRead ? "client read again" : "client not read")
        if isRead, client.hasBegunFrame, client.backlog == 0 { self.mark("large frame waited for memory") }
        guard let since = client.frameTimeSince else { return }
        if !isRead { self.clients[id]!.frameTime += since.duration(to: self.now) }
        self.clients[id]!.frameTimeSince = self.now
    }

    mutating func clientIsClosed(_ id: ConnectionID, atOnce: Bool) {
        guard let client = self.clients[id] else { return self.fail("a client that is gone was closed") }
        if atOnce {
            self.mark("client dropped")
            let lingers = client.closingSince.map { $0 + self.bounds.lingerTimeout <= self.now } ?? false
            let stalls = client.backlog > 0 && client.lastTook + self.bounds.stallTimeout <= self.now
            if !lingers, !stalls, self.clients.count <= 2 * self.bounds.connections {
                self.fail("a client was dropped without a reason")
            }
        } else if client.isClosing {
            self.fail("a client was closed twice")
        }
        self.clients[id]!.closingSince = self.now
        self.promptsAreAbandoned(of: id)
        if atOnce || client.backlog == 0 {
            self.clientIsGone(id)
            self.followUps.append(.clientClosed(id))
        }
    }
}
