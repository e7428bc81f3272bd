import Framing
import Messages

/// Many requests on one connection, without the connection: bytes to send come out, payloads received go in.
///
/// It is a value that performs no I/O. `Waiter` is whatever stands for a consumer that waits; who is to be woken, and with
/// what, is returned.
///
/// Frames wait here until their consumer takes them. When what waits reaches ``bound``, ``isPaused`` asks for the reading
/// to stop until half of it is gone. So a connection holds at most ``bound``, one frame and one read's worth of answers;
/// beyond that the daemon's own back-pressure holds, and the model waits.
struct Multiplexer<Waiter: Sendable>: Sendable {
    /// A consumer to wake, and what it gets.
    struct Resumption: Sendable {
        var waiter: Waiter
        var delivery: Delivery
    }

    /// What may wait to be taken before the reading stops, in bytes of ``AnswerFrame/cost``.
    let bound: Int
    /// Whether the connection should not be read now.
    private(set) var isPaused = false
    /// Why the connection ended; `nil` while it lives.
    private(set) var ending: ClientError?

    private var requests: [Int64: OpenRequest<Waiter>] = [:]
    private var lastID: Int64 = 0
    private var waitingCost = 0
    private var outgoing: [UInt8] = []

    init(bound: Int) { self.bound = bound }

    var hasOutgoing: Bool { !self.outgoing.isEmpty }
    /// How many requests are neither ended nor forgotten; for tests.
    var count: Int { self.requests.count }

    /// Gives up the bytes that are to be sent.
    mutating func takeOutgoing() -> [UInt8] {
        defer { self.outgoing = [] }
        return self.outgoing
    }

    // MARK: The consumer's side

    /// Sends a request and returns its id. Where it cannot be sent, it has failed already, as its consumer will see.
    mutating func open(_ operation: ClientRequest.Operation) -> Int64 {
        self.lastID += 1
        let id = self.lastID
        if let ending = self.ending {
            self.requests[id] = OpenRequest(phase: .failed(ending))
            return id
        }
        let payload = ClientRequest(id: .number(id), operation: operation).encoded
        if payload.count > ProtocolBounds.clientFrame {
            self.requests[id] = OpenRequest(phase: .failed(.requestTooLong(bytes: payload.count)))
        } else {
            self.requests[id] = OpenRequest()
            FrameEncoder.append(payload, to: &self.outgoing)
        }
        return id
    }

    /// Returns what the consumer of `id` gets now, or keeps `waiter` and returns `nil`.
    mutating func take(_ id: Int64, waiter: Waiter) -> Delivery? {
        guard var request = self.requests[id] else { preconditionFailure("request \(id) was released") }
        precondition(request.waiter == nil, "an answer is read by one task at a time")
        let delivery = request.next()
        if case .success(let frame?) = delivery { self.subtract(frame.cost) }
        if delivery == nil { request.waiter = waiter }
        self.requests[id] = request
        return delivery
    }

    /// Asks the daemon to end `id`, whose consumer goes on until the last frame.
    mutating func cancel(_ id: Int64) {
        guard self.ending == nil, let request = self.requests[id], !request.hasEnded, !request.cancelWasSent else {
            return
        }
        self.requests[id]?.cancelWasSent = true
        let cancel = self.open(.cancel(target: .number(id)))
        self.requests[cancel]?.isReleased = true
    }

    /// Cancels `id` for a consumer that waits no longer: what comes until its last frame is dropped.
    mutating func abandon(_ id: Int64) -> Resumption? {
        self.cancel(id)
        guard var request = self.requests[id] else { return nil }
        request.isAbandoned = true
        self.subtract(request.drop())
        let waiter = request.waiter.take()
        self.requests[id] = request
        return waiter.map { Resumption(waiter: $0, delivery: .failure(.cancelled)) }
    }

    /// Forgets `id`, at once or when its last frame has come. Nobody may ask for it again.
    mutating func release(_ id: Int64) {
        _ = self.abandon(id)
        self.requests[id]?.isReleased = true
        if self.requests[id]?.hasEnded == true { self.requests[id] = nil }
    }

    // MARK: The connection's side

    /// Sorts in a frame's payload.
    ///
    /// - Throws: What the connection ends with.
    mutating func receive(_ payload: [UInt8]) throws(ClientError) -> Resumption? {
        let frame: ClientEvent
        do { frame = try ClientEvent(decoding: payload) } catch { throw .protocolViolation("\(error)") }
        guard let id = frame.id else {
            guard case .error(let failure, _, _) = frame.event else {
                throw .protocolViolation("an event without the id of a request")
            }
            throw .failure(failure)
        }
        guard case .number(let number) = id, var request = self.requests[number], !request.hasEnded else {
            throw .protocolViolation("an event for a request that is not open")
        }
        if frame.isLast { request.complete() }
        guard !request.isReleased || !frame.isLast else {
            self.requests[number] = nil
            return nil
        }
        guard !request.isAbandoned, !request.isReleased else {
            self.requests[number] = request
            return nil
        }
        let answer = AnswerFrame(event: frame.event, payload: payload, problems: frame.problems)
        let waiter = request.waiter.take()
        if waiter == nil {
            request.append(answer)
            self.waitingCost += answer.cost
            if self.waitingCost >= self.bound { self.isPaused = true }
        }
        self.requests[number] = request
        return waiter.map { Resumption(waiter: $0, delivery: .success(answer)) }
    }

    /// Ends the connection: what has come can still be taken, and then every open request fails with `error`.
    mutating func end(_ error: ClientError) -> [Resumption] {
        guard self.ending == nil else { return [] }
        self.ending = error
        self.outgoing = []
        var resumptions: [Resumption] = []
        for (id, var request) in self.requests where !request.hasEnded {
            request.fail(error)
            if let waiter = request.waiter.take() {
                resumptions.append(Resumption(waiter: waiter, delivery: .failure(error)))
            }
            self.requests[id] = request.isReleased ? nil : request
        }
        return resumptions
    }

    private mutating func subtract(_ cost: Int) {
        self.waitingCost -= cost
        if self.waitingCost <= self.bound / 2 { self.isPaused = false }
    }
}
