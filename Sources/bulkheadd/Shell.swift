import Glibc
import Libuv
import Logging
import Messages
import SupervisorCore

/// The thin shell around ``SupervisorCore``: it turns callbacks of libuv into events, and actions into calls. It
/// decides nothing.
///
/// A callback only queues events; ``drain()`` hands them to the core one by one, performs what it says, and writes what
/// that made. So no event interrupts another, and the queue, if it were recorded, could be replayed.
final class Shell {
    private let loop: Loop
    private let listener: Listener
    private let programs: ProgramTable
    private let configurationProgram: ChildProcess.Program
    private let notifySocket: NotifySocket?
    private var core: SupervisorCore
    private let timer: Timer
    private let log: Logger
    private let stateDirectory: String

    private var inbox: [Event] = []
    private var isDraining = false
    /// Channels with something to write, in the order in which they got it.
    private var unflushed: [() -> Void] = []
    /// Channels with frames that have been read and not told.
    private var undelivered: [Channel] = []
    private var clients: [ConnectionID: ClientConnection] = [:]
    private var workers: [WorkerID: ChildProcess] = [:]
    private var workerIDs: [ObjectIdentifier: WorkerID] = [:]
    private var reportsWritten: Set<SlotID> = []
    private var logger: ChildProcess?
    private var reader: ChildProcess?
    private var secrets: ChildProcess?
    private var hooks: [HookID: ChildProcess] = [:]
    private var hookIDs: [ObjectIdentifier: HookID] = [:]
    private var configurationLoader: ConfigurationLoader?
    private var lastConnection: UInt64 = 0
    private var hasWarnedOfGroups = false
    private(set) var exitCode: CInt = 0

    init(
        loop: Loop, listener: Listener, programs: ProgramTable, configurationProgram: ChildProcess.Program,
        notifySocket: NotifySocket?, configuration: ServiceConfiguration, log: Logger
    ) throws {
        self.loop = loop
        self.listener = listener
        self.programs = programs
        self.configurationProgram = configurationProgram
        self.notifySocket = notifySocket
        self.log = log
        self.stateDirectory = configuration.stateDirectory
        self.timer = try Timer(on: loop)
        self.core = SupervisorCore(
            configuration: configuration, seed: UInt64.random(in: 0...UInt64.max), processID: Int(getpid()),
            userID: Int(geteuid()))
    }

    func start() throws {
        try self.listener.listen { [unowned self] in self.acceptClient() }
        self.post(.start)
    }

    // MARK: Events

    /// Hands `event`, and all that follow from it, to the core.
    func post(_ event: Event) {
        self.inbox.append(event)
        self.drain()
    }

    func queue(_ event: Event) { self.inbox.append(event) }

    /// Tells more of the frames of `channel`, after all that is queued.
    func deliverLater(_ channel: Channel) { self.undelivered.append(channel) }

    /// Handles what is queued, and writes what came of it.
    func drain() {
        guard !self.isDraining else { return }
        self.isDraining = true
        repeat {
            var index = 0
            // What is queued together has happened together.
            let now = Now(
                instant: Instant(nanoseconds: Clock.monotonicNanoseconds), wallMilliseconds: Clock.wallMilliseconds)
            while index < self.inbox.count {
                for action in self.core.handle(self.inbox[index], at: now) { self.perform(action) }
                index += 1
            }
            self.inbox.removeAll(keepingCapacity: true)
            let writers = self.unflushed
            self.unflushed.removeAll(keepingCapacity: true)
            for write in writers { write() }
            // Only when all that came of the frames before is done, so that a client whose answers pile up is heard no further.
            if self.inbox.isEmpty {
                let channels = self.undelivered
                self.undelivered.removeAll(keepingCapacity: true)
                for channel in channels { channel.deliver() }
            }
        } while !self.inbox.isEmpty || !self.undelivered.isEmpty
        self.isDraining = false
    }

    // MARK: Actions

    private func perform(_ action: Action) {
        switch action {
        case .send(let id, let payload):
            guard let client = self.clients[id] else { return }
            client.channel.send(payload)
            self.flushLater(client)
        case .pauseClient(let id): self.clients[id]?.channel.pause()
        case .resumeClient(let id): self.clients[id]?.channel.resume()
        case .closeClient(let id):
            guard let client = self.clients[id] else { return }
            client.channel.closeWhenWritten { [unowned self] in self.clientClosed(id) }
            self.flushLater(client)
        case .dropClient(let id): self.clients[id]?.channel.close { [unowned self] in self.clientClosed(id) }
        case .stopListening: self.listener.close()

        case .startWorker(let id, let provider, let slots): self.startWorker(id, provider: provider, slots: slots)
        case .sendWorker(let id, let payload): self.send(payload, to: self.workers[id], on: 0)
        case .sendSlot(let slot, let payload, let reportsWritten):
            if reportsWritten { self.reportsWritten.insert(slot) }
            self.send(payload, to: self.workers[slot.worker], on: slot.index + 1)
        case .pauseSlot(let slot): self.workers[slot.worker]?.pause(slot.index + 1)
        case .resumeSlot(let slot): self.workers[slot.worker]?.resume(slot.index + 1)
        case .closeWorker(let id): self.workers[id]?.closeChannels()
        case .killWorker(let id): self.workers[id]?.kill()

        case .startLogger(let durability): self.startLogger(durability)
        case .sendLogger(let payload): self.send(payload, to: self.logger, on: 0)
        case .closeLogger: self.logger?.closeChannels()
        case .killLogger: self.logger?.kill()

        case .startReader: self.startReader()
        case .sendReader(let payload): self.send(payload, to: self.reader, on: 0)
        case .closeReader: self.reader?.closeChannels()
        case .killReader: self.reader?.kill()

        case .startHook(let id, let name, let command): self.startHook(id, name: name, command: command)
        case .sendHook(let id, let payload): self.send(payload, to: self.hooks[id], on: 0)
        case .closeHook(let id): self.hooks[id]?.closeChannels()
        case .killHook(let id): self.hooks[id]?.kill()

        case .readConfiguration: self.readConfiguration()
        case .stopReadingConfiguration: self.configurationLoader?.kill()

        case .startSecrets(let frame, let masterKeyFile):
            self.startSecrets(frame, masterKeyFile: masterKeyFile)
        case .killSecrets: self.secrets?.kill()

        case .saveModels(let file): self.save(file, as: ListedModels.fileName, "the models of providers")
        case .saveKeyUse(let file): self.save(file, as: KeyUse.fileName, "the times at which keys were used")
        case .setTimer(let instant): self.setTimer(instant)
        case .notify(let state, let status): self.notify(state, status: status)
        case .log(let entry): self.log.log(entry)
        case .exit(let code):
            self.exitCode = CInt(code)
            self.loop.stop()
        }
    }

    private func setTimer(_ instant: Instant) {
        let now = Clock.monotonicNanoseconds
        // Rounded up: a timer that fires early would find nothing due, and be set again for nothing.
        let delay = instant.nanoseconds > now ? (instant.nanoseconds - now + 999_999) / 1_000_000 : 0
        self.timer.start(afterMilliseconds: delay) { [unowned self] in self.timerFired(due: instant) }
    }

    /// A loop fires its timers before it reads. When this process itself is late (it was stopped, or the machine is busy), what
    /// would have moved the deadline may be there already: it is read first, lest others be blamed for our delay.
    private func timerFired(due instant: Instant) {
        let isLate = Clock.monotonicNanoseconds > instant.nanoseconds + Self.toleratedDelayNanoseconds
        guard isLate else { return self.post(.timer) }
        self.timer.start(afterMilliseconds: 1) { [unowned self] in self.post(.timer) }
    }

    private static let toleratedDelayNanoseconds: UInt64 = 10_000_000

    /// - Parameter subject: What is in the file, for the operator's log.
    private func save(_ file: [UInt8], as name: String, _ subject: String) {
        do {
            try StateFile.write(file, to: "\(self.stateDirectory)/\(name)")
        } catch {
            self.log.warning("\(subject) could not be kept", metadata: ["reason": "\(error)"])
        }
    }

    private func notify(_ state: ServiceState, status: String) {
        do { try self.notifySocket?.tell(state, status: status) } catch {
            self.log.warning("the service manager could not be told", metadata: ["reason": "\(error)"])
        }
    }

    private func send(_ payload: [UInt8], to child: ChildProcess?, on channel: Int) {
        guard let child else { return }
        child.send(payload, on: channel)
        self.unflushed.append { child.flush(channel) }
    }

    private func flushLater(_ client: ClientConnection) {
        guard !client.isFlushPending else { return }
        client.isFlushPending = true
        self.unflushed.append {
            client.isFlushPending = false
            client.channel.flush()
        }
    }

    // MARK: Clients

    private func acceptClient() {
        do {
            let (pipe, peer) = try self.listener.accept(on: self.loop)
            self.lastConnection += 1
            let id = ConnectionID(self.lastConnection)
            let client = ClientConnection(id, pipe, shell: self)
            self.clients[id] = client
            try client.channel.startReading()
            if peer.hasMoreGroups { self.warnOfGroups(peer.credentials) }
            self.post(.clientConnected(id, peer.credentials))
        } catch {
            self.log.log(LogEntry(.warning, "a client could not be accepted", ["reason": "\(error)"]))
        }
    }

    /// Says once that clients may not be taken for whom their groups make them.
    private func warnOfGroups(_ peer: PeerCredentials) {
        guard !self.hasWarnedOfGroups else { return }
        self.hasWarnedOfGroups = true
        self.log.warning(
            "a client is in more groups than are read: those with the largest numbers count for nothing",
            metadata: ["uid": "\(peer.uid)", "groups_read": "\(peer.groups.count)"])
    }

    /// The client has gone by itself: nothing more can be told to it.
    func clientEnded(_ id: ConnectionID) {
        guard let client = self.clients[id] else { return }
        client.channel.close { [unowned self] in self.clientClosed(id) }
    }

    private func clientClosed(_ id: ConnectionID) {
        guard self.clients.removeValue(forKey: id) != nil else { return }
        self.post(.clientClosed(id))
    }

    // MARK: Children

    private func startWorker(_ id: WorkerID, provider: String, slots: Int) {
        do {
            let child = try ChildProcess(
                self.programs.worker(provider: provider, slots: slots), on: self.loop, delegate: self)
            self.workers[id] = child
            self.workerIDs[ObjectIdentifier(child)] = id
            self.queue(.workerStarted(id, pid: child.pid))
        } catch {
            self.queue(.workerFailedToStart(id, reason: "\(error)"))
        }
    }

    private func startLogger(_ durability: ServiceConfiguration.Durability) {
        do {
            let child = try ChildProcess(self.programs.logger(durability), on: self.loop, delegate: self)
            self.logger = child
            self.queue(.loggerStarted(pid: child.pid))
        } catch {
            self.queue(.loggerFailedToStart(reason: "\(error)"))
        }
    }

    private func startHook(_ id: HookID, name: String, command: [String]) {
        do {
            let child = try ChildProcess(
                self.programs.hook(name: name, command: command), on: self.loop, delegate: self)
            self.hooks[id] = child
            self.hookIDs[ObjectIdentifier(child)] = id
            self.queue(.hookStarted(id, pid: child.pid))
        } catch {
            self.queue(.hookFailedToStart(id, reason: "\(error)"))
        }
    }

    private func startReader() {
        do {
            let child = try ChildProcess(self.programs.reader, on: self.loop, delegate: self)
            self.reader = child
            self.queue(.readerStarted(pid: child.pid))
        } catch {
            self.queue(.readerFailedToStart(reason: "\(error)"))
        }
    }

    private func startSecrets(_ frame: [UInt8], masterKeyFile: String?) {
        do {
            let child = try ChildProcess(
                self.programs.secrets(masterKeyFile: masterKeyFile), on: self.loop, delegate: self)
            self.secrets = child
            self.send(frame, to: child, on: 0)
        } catch {
            self.queue(.secretsEnded(reason: "\(error)"))
        }
    }

    private func readConfiguration() {
        do {
            self.configurationLoader = try ConfigurationLoader(self.configurationProgram, on: self.loop) {
                [unowned self] outcome in
                self.configurationLoader = nil
                switch outcome {
                case .reply(let reply): self.post(.configurationRead(reply))
                case .failed(let reason): self.post(.configurationNotRead(reason: reason))
                }
            }
        } catch {
            self.queue(.configurationNotRead(reason: "bulkhead-config could not be started: \(error)"))
        }
    }
}

extension Shell: ChildProcess.Delegate {
    func child(_ child: ChildProcess, channel: Int, received payload: [UInt8]) {
        if child === self.logger { return self.queue(.loggerReply(payload)) }
        if child === self.reader { return self.queue(.readerReply(payload)) }
        if child === self.secrets { return self.queue(.secretsAnswered(payload)) }
        if let hook = self.hookIDs[ObjectIdentifier(child)] { return self.queue(.hookAnswer(hook, payload)) }
        guard let id = self.workerIDs[ObjectIdentifier(child)] else { return }
        self.queue(
            channel == 0 ? .workerReport(id, payload) : .slotEvent(SlotID(worker: id, index: channel - 1), payload))
    }

    func child(_ child: ChildProcess, channel: Int, beganFrame length: Int) {
        guard channel > 0, let id = self.workerIDs[ObjectIdentifier(child)] else { return }
        self.queue(.slotFrameBegun(SlotID(worker: id, index: channel - 1), length: length))
    }

    func child(_ child: ChildProcess, channel: Int, broke reason: String) {
        if child === self.logger { return self.queue(.loggerBrokeProtocol(reason: reason)) }
        if child === self.reader { return self.queue(.readerBrokeProtocol(reason: reason)) }
        if child === self.secrets { return self.queue(.secretsBrokeProtocol(reason: reason)) }
        if let hook = self.hookIDs[ObjectIdentifier(child)] {
            return self.queue(.hookBrokeProtocol(hook, reason: reason))
        }
        guard let id = self.workerIDs[ObjectIdentifier(child)] else { return }
        self.queue(
            channel == 0
                ? .workerBrokeProtocol(id, reason: reason)
                : .slotBrokeProtocol(SlotID(worker: id, index: channel - 1), reason: reason))
    }

    func child(_ child: ChildProcess, wroteAllOf channel: Int) {
        guard channel > 0, let id = self.workerIDs[ObjectIdentifier(child)] else { return }
        let slot = SlotID(worker: id, index: channel - 1)
        if self.reportsWritten.remove(slot) != nil { self.queue(.slotWritten(slot)) }
    }

    func child(_ child: ChildProcess, exited status: ExitStatus) {
        if child === self.logger {
            self.logger = nil
            return self.post(.loggerExited(TerminationStatus(status)))
        }
        if child === self.reader {
            self.reader = nil
            return self.post(.readerExited(TerminationStatus(status)))
        }
        if child === self.secrets {
            self.secrets = nil
            return self.post(.secretsEnded(reason: "\(TerminationStatus(status))"))
        }
        if let hook = self.hookIDs.removeValue(forKey: ObjectIdentifier(child)) {
            self.hooks[hook] = nil
            return self.post(.hookExited(hook, TerminationStatus(status)))
        }
        guard let id = self.workerIDs.removeValue(forKey: ObjectIdentifier(child)) else { return }
        self.workers[id] = nil
        self.reportsWritten = self.reportsWritten.filter { $0.worker != id }
        self.post(.workerExited(id, TerminationStatus(status)))
    }

    func childFinishedReading(_ child: ChildProcess) { self.drain() }
}

extension TerminationStatus {
    fileprivate init(_ status: ExitStatus) {
        switch status {
        case .exited(let code): self = .exited(code: Int(code))
        case .signalled(let signal): self = .signalled(Int(signal))
        }
    }
}

extension Logger {
    func log(_ entry: LogEntry) {
        let level: Level =
            switch entry.level {
            case .info: .info
            case .warning: .warning
            case .error: .error
            }
        self.log(level: level, "\(entry.message)", metadata: entry.fields.mapValues { .string($0) })
    }
}
