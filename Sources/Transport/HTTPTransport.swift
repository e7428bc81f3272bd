/// What a provider needs of HTTP: one exchange at a time, pulled by the provider's own thread.
///
///     idle ──start──▶ head ──nextPiece──▶ body ──nextPiece = nil──▶ idle
///       ▲               │                  │
///       └────finish─────┴──────finish──────┘      an error thrown by either call leads to idle, too
///
/// Every wait also ends when the request is cancelled, with ``TransportError/Kind/interrupted``.
public protocol HTTPTransport: AnyObject {
    /// Sends `request` and waits for the head of its response. Redirects are not followed.
    func start(_ request: HTTPRequest) throws(TransportError) -> HTTPResponseHead

    /// Waits for the next bytes of the body, never none; `nil` at its end.
    func nextPiece() throws(TransportError) -> [UInt8]?

    /// Leaves the exchange wherever it is. Without one this does nothing.
    func finish()
}

/// Why an exchange could not be finished.
public struct TransportError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Sendable, Equatable {
        /// The request was cancelled, or nobody waits for it any more.
        case interrupted
        /// The host has no address.
        case unresolved
        /// No connection within the time allowed, or none at all.
        case unconnected
        /// The encrypted connection could not be made, or the certificate is not trusted.
        case insecure
        /// The connection broke before the response was complete.
        case broken
        /// What came is not HTTP, or more of it than is allowed.
        case malformed
        /// The request cannot be sent: its URL or a header is not valid.
        case unusable
    }

    public var kind: Kind
    /// What happened, for people. It holds no header and no body.
    public var description: String

    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
