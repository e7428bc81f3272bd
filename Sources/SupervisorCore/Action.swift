public import Messages

/// What the shell must now do, in order. Payloads are framed by the shell.
public enum Action: Sendable, Equatable {
    // MARK: Clients
    case send(ConnectionID, [UInt8])
    case pauseClient(ConnectionID)
    case resumeClient(ConnectionID)
    /// Read no more, and close once what was sent has left; then post ``Event/clientClosed(_:)``.
    case closeClient(ConnectionID)
    /// Close at once, whatever has not left; then post ``Event/clientClosed(_:)``.
    case dropClient(ConnectionID)
    case stopListening

    // MARK: Workers
    /// Start a process with this many slots, and post ``Event/workerStarted(_:pid:)`` or why not.
    case startWorker(WorkerID, provider: String, slots: Int)
    /// Write on the control channel.
    case sendWorker(WorkerID, [UInt8])
    case sendSlot(SlotID, [UInt8], reportsWritten: Bool)
    case pauseSlot(SlotID)
    case resumeSlot(SlotID)
    /// Close all channels: a worker ends by itself then.
    case closeWorker(WorkerID)
    /// Send SIGKILL. Its channels are no longer read.
    case killWorker(WorkerID)

    // MARK: The logger
    case startLogger(ServiceConfiguration.Durability)
    case sendLogger([UInt8])
    /// Close its channel: it commits what it was sent, and ends.
    case closeLogger
    case killLogger

    // MARK: The reader
    case startReader
    case sendReader([UInt8])
    /// Close its channel: it ends.
    case closeReader
    case killReader

    // MARK: Hooks
    /// Start a process, and post ``Event/hookStarted(_:pid:)`` or why not.
    case startHook(HookID, name: String, command: [String])
    case sendHook(HookID, [UInt8])
    /// Close its channel once what was sent has left: it ends.
    case closeHook(HookID)
    /// Send SIGKILL to it and to what it has started. Its channel is no longer read.
    case killHook(HookID)

    // MARK: The configuration
    /// Have it read anew, and post ``Event/configurationRead(_:)`` or ``Event/configurationNotRead(reason:)`` when the process
    /// that does it has ended.
    case readConfiguration
    /// Kill that process.
    case stopReadingConfiguration

    /// Keep what providers listed as their models, for the next start (``ListedModels``). What cannot be kept is a warning.
    case saveModels([UInt8])

    // MARK: Secrets
    /// Start the process that works on the store of secrets, and write it this one frame.
    case startSecrets([UInt8], masterKeyFile: String?)
    case killSecrets
    /// Keep when keys were last used, for the next start (``KeyUse``). What cannot be kept is a warning.
    case saveKeyUse([UInt8])

    /// Tell the service manager, if there is one. It is told ``ServiceState/ready`` first and once more after each
    /// ``ServiceState/reloading``, and nothing after ``ServiceState/stopping``.
    case notify(ServiceState, status: String)
    /// Post ``Event/timer`` at this instant, and forget the one set before.
    case setTimer(Instant)
    case log(LogEntry)
    /// All is over.
    case exit(code: Int)
}

/// What a service manager is told of the daemon's life (sd_notify(3)).
public enum ServiceState: Sendable, Equatable {
    /// Everything that is to run has started, or has failed to.
    case ready
    /// The configuration is read anew; everything serves on.
    case reloading
    /// No more clients are accepted.
    case stopping
}

/// A line for the operator: a static message, and data in fields. Nothing of a prompt, an answer or a key is in it.
public struct LogEntry: Sendable, Equatable {
    public enum Level: Sendable { case info, warning, error }

    public var level: Level
    public var message: String
    public var fields: [String: String]

    public init(_ level: Level, _ message: StaticString, _ fields: [String: String] = [:]) {
        self.level = level
        self.message = message.description
        self.fields = fields
    }
}
