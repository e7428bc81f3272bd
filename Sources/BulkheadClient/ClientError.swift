public import Messages

/// Why there is no answer, or no more of it.
public enum ClientError: Error, Equatable, Sendable {
    /// Nobody could be reached at `path`; `errno` says why.
    case cannotConnect(path: String, errno: CInt)
    /// The daemon ended the request, or refused it, and says why.
    case failure(Failure)
    /// A configuration was not taken: why, and each thing that is wrong with it, by file, line and column.
    case configurationRefused(Failure, problems: [String])
    /// The connection ended before the request did: the daemon stopped, or was stopped.
    case daemonGone
    /// What came over the connection is not the protocol. The connection is closed.
    case protocolViolation(String)
    /// The request is longer than a frame may be. Nothing was sent.
    case requestTooLong(bytes: Int)
    /// The task that waited was cancelled; the request was cancelled with it.
    case cancelled
    /// ``BulkheadClient/close()`` was called.
    case closed

    /// Whether the same request may succeed later, unchanged.
    public var isRetryable: Bool {
        switch self {
        case .cannotConnect, .daemonGone: true
        case .failure(let failure), .configurationRefused(let failure, _): failure.code.isRetryable
        case .protocolViolation, .requestTooLong, .cancelled, .closed: false
        }
    }
}

extension ClientError: CustomStringConvertible {
    /// What happened, where, and what to do next.
    public var description: String {
        switch self {
        case .cannotConnect(let path, let errno):
            "cannot connect to '\(path)': \(String(systemError: errno)). \(Self.advice(errno))"
        case .failure(let failure), .configurationRefused(let failure, _):
            "\(failure.code.rawValue): \(failure.message)"
        case .daemonGone:
            "the daemon closed the connection before the answer was complete. Its log says why; "
                + "how the request ended is on record once the daemon has started again"
        case .protocolViolation(let reason):
            "the daemon sent what this client cannot read: \(reason). Are daemon and client of the same version?"
        case .requestTooLong(let bytes):
            "the request has \(bytes) bytes, and a frame holds at most \(ProtocolBounds.clientFrame); send less"
        case .cancelled: "the request was cancelled"
        case .closed: "the connection was closed by this program"
        }
    }
}
