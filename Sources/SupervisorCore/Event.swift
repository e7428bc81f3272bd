public import Messages

/// What happened. Events are data: they can be queued, recorded and replayed.
public enum Event: Sendable {
    /// The first event: start the logger and the workers.
    case start

    // MARK: Clients
    case clientConnected(ConnectionID, PeerCredentials)
    /// A whole frame arrived; its payload.
    case clientFrame(ConnectionID, [UInt8])
    /// Part of a frame arrived. `length` is what its header announced, once that is here.
    case clientFrameBegun(ConnectionID, length: Int?)
    /// A header announced more than a frame may hold. Nothing more will be read.
    case clientFrameTooLong(ConnectionID, length: Int)
    /// This many bytes of output wait in this process. Posted from the write on that could not take all, after each later one,
    /// up to the one that leaves none. `tookSome`: the client has taken some since the last time.
    case clientBacklog(ConnectionID, bytes: Int, tookSome: Bool)
    /// The connection is closed, by the client or by ``Action/closeClient(_:)``.
    case clientClosed(ConnectionID)

    // MARK: Workers
    case workerStarted(WorkerID, pid: Int)
    case workerFailedToStart(WorkerID, reason: String)
    /// A frame on the control channel.
    case workerReport(WorkerID, [UInt8])
    case slotEvent(SlotID, [UInt8])
    /// Part of a frame arrived whose header announced `length` bytes.
    case slotFrameBegun(SlotID, length: Int)
    /// A request that was sent with `reportsWritten` has left this process.
    case slotWritten(SlotID)
    /// A frame on the control channel was longer than allowed.
    case workerBrokeProtocol(WorkerID, reason: String)
    /// A frame of the slot was longer than allowed.
    case slotBrokeProtocol(SlotID, reason: String)
    /// The process has ended, and all that it wrote on channels that are read has been posted.
    case workerExited(WorkerID, TerminationStatus)

    // MARK: The logger
    case loggerStarted(pid: Int)
    case loggerFailedToStart(reason: String)
    case loggerReply([UInt8])
    case loggerBrokeProtocol(reason: String)
    case loggerExited(TerminationStatus)

    // MARK: The reader
    case readerStarted(pid: Int)
    case readerFailedToStart(reason: String)
    case readerReply([UInt8])
    case readerBrokeProtocol(reason: String)
    case readerExited(TerminationStatus)

    // MARK: Secrets
    /// The frame of the process that works on the store of secrets.
    case secretsAnswered([UInt8])
    case secretsBrokeProtocol(reason: String)
    /// That process has ended, or could not be started.
    case secretsEnded(reason: String)

    // MARK: Hooks
    case hookStarted(HookID, pid: Int)
    case hookFailedToStart(HookID, reason: String)
    case hookAnswer(HookID, [UInt8])
    case hookBrokeProtocol(HookID, reason: String)
    case hookExited(HookID, TerminationStatus)

    // MARK: The configuration
    /// Read it anew: SIGHUP.
    case reload
    /// What ``Action/readConfiguration`` has led to. The process that read it has ended.
    case configurationRead(ConfigurationReply)
    /// The same, where it ended without an answer.
    case configurationNotRead(reason: String)

    /// The instant of ``Action/setTimer(_:)`` has come.
    case timer
    /// Finish what is open, and stop.
    case drain
}

/// How a process ended.
public enum TerminationStatus: Sendable, Equatable, CustomStringConvertible {
    case exited(code: Int)
    case signalled(Int)

    public var description: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .signalled(let signal): Self.names[signal].map { "signal \(signal), \($0)" } ?? "signal \(signal)"
        }
    }

    /// signal(7), Linux on x86 and ARM.
    private static let names = [
        1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
        9: "SIGKILL", 11: "SIGSEGV", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ",
        31: "SIGSYS",
    ]
}
