/// What the upstream does with a request: a status, headers, and then one step after the other.
public struct UpstreamResponse: Sendable {
    public enum Step: Sendable {
        /// Sends a piece of the body.
        case send([UInt8])
        /// Sends a piece of the body so many times, or until the client goes away.
        case sendAgain([UInt8], times: Int)
        /// Sends a piece of the body byte by byte, with a pause after each.
        case trickle([UInt8], pauseMilliseconds: Int32)
        /// Sends bytes as they are, outside of the body's framing; before any other step, instead of a head.
        case sendRaw([UInt8])
        /// Waits until a test opens the gate, the client goes away, or the upstream stops.
        case wait(UpstreamGate)
        /// Sends nothing more, and waits until the client goes away or the upstream stops.
        case silence
        /// Closes the connection in the middle of the body.
        case close
        /// Resets the connection (RST).
        case reset
        /// Sends the body that was received.
        case echo
    }

    /// How the end of the body shows.
    public enum Framing: Sendable {
        /// `Content-Length`, counted over the pieces; not with ``Step/echo``.
        case length
        case chunked
        /// The connection closes.
        case untilClose
    }

    public var status: Int
    public var headers: [(name: String, value: String)]
    public var framing: Framing
    public var steps: [Step]

    public init(
        status: Int = 200, headers: [(name: String, value: String)] = [], framing: Framing = .chunked, steps: [Step]
    ) {
        self.status = status
        self.headers = headers
        self.framing = framing
        self.steps = steps
    }

    /// A JSON text, with its length.
    public static func json(
        _ text: String, status: Int = 200, headers: [(name: String, value: String)] = []
    ) -> UpstreamResponse {
        UpstreamResponse(
            status: status, headers: [("content-type", "application/json")] + headers, framing: .length,
            steps: [.send(Array(text.utf8))])
    }

    /// A stream of server-sent events: one piece for each of `data`, and what `steps` say after them.
    public static func events(
        _ data: [String], headers: [(name: String, value: String)] = [], then steps: [Step] = []
    ) -> UpstreamResponse {
        UpstreamResponse(
            headers: [("content-type", "text/event-stream")] + headers, framing: .chunked,
            steps: data.map { .event($0) } + steps)
    }
}

extension UpstreamResponse.Step {
    /// A piece that is one server-sent event.
    public static func event(_ data: String) -> UpstreamResponse.Step { .send(Array("data: \(data)\n\n".utf8)) }
}

/// Holds a response back until a test lets it go on.
public final class UpstreamGate: Sendable {
    private let state = Monitor((isOpen: false, waiting: 0))

    public init() {}

    public func open() { self.state.withLock { $0.isOpen = true } }

    /// Waits until so many responses wait here; `false` if they do not within a generous time.
    public func awaitWaiting(_ count: Int = 1) -> Bool { self.state.wait(seconds: 60) { $0.waiting >= count } }

    /// Whether a response waits here.
    public var hasWaiting: Bool { self.state.withLock { $0.waiting > 0 } }

    var isOpen: Bool { self.state.withLock { $0.isOpen } }
    func arrive() { self.state.withLock { $0.waiting += 1 } }
    func leave() { self.state.withLock { $0.waiting -= 1 } }
}

/// A request as the upstream received it.
public struct UpstreamRequest: Sendable {
    public var method: String
    /// The path with its query.
    public var target: String
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]
    /// The number of the connection it came on, from 0.
    public var connection: Int

    /// The value of the first field `name`, which must be lowercase.
    public func header(_ name: String) -> String? { self.headers.first { $0.name.lowercased() == name }?.value }
}
