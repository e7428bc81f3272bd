import Glibc

/// A provider on the loopback interface that does what a test tells it, well or badly.
///
/// It speaks HTTP/1.1 and keeps connections open. Each connection has a thread. A path answers as it was scripted last;
/// a path without a script answers 404.
///
///     let upstream = try TestUpstream()
///     upstream.script("/v1/chat/completions", .events(["…"], then: [.wait(gate), .event("[DONE]")]))
///     … upstream.url("/v1") …
///     #expect(upstream.awaitRequests(1))
///     upstream.stop()
public final class TestUpstream: Sendable {
    public let port: UInt16
    private let listener: CInt
    private let state = Monitor(State())

    struct State {
        var scripts: [String: @Sendable (UpstreamRequest) -> UpstreamResponse] = [:]
        var requests: [UpstreamRequest] = []
        var acceptedConnections = 0
        var openConnections: Set<CInt> = []
        var mostOpenConnections = 0
        var threads = 0
        var isStopped = false
    }

    /// Listens on a free port of 127.0.0.1.
    public init() throws(UpstreamError) {
        self.listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = self.listener
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && listen(listener, 512) == 0
                    && getsockname(listener, address, &length) == 0
            }
        }
        self.port = UInt16(bigEndian: address.sin_port)
        guard isListening else { throw UpstreamError(errno: errno) }
        self.state.withLock { $0.threads += 1 }
        startThread { self.accept() }
    }

    /// `http://127.0.0.1:PORT` and `path`.
    public func url(_ path: String = "") -> String { "http://127.0.0.1:\(self.port)\(path)" }

    /// Says how every request for `path` is answered from now on.
    public func script(_ path: String, _ response: UpstreamResponse) { self.script(path) { _ in response } }

    /// Says how every request for `path` is answered from now on, each by what it is.
    public func script(_ path: String, _ respond: @escaping @Sendable (UpstreamRequest) -> UpstreamResponse) {
        self.state.withLock { $0.scripts[path] = respond }
    }

    /// What has been received so far, in order.
    public var requests: [UpstreamRequest] { self.state.withLock { $0.requests } }
    /// How many connections were ever accepted.
    public var acceptedConnections: Int { self.state.withLock { $0.acceptedConnections } }
    /// How many connections are open.
    public var openConnections: Int { self.state.withLock { $0.openConnections.count } }
    /// How many connections were open at once, at most.
    public var mostOpenConnections: Int { self.state.withLock { $0.mostOpenConnections } }

    /// Waits until so many requests have been received; `false` if they do not come within a generous time.
    public func awaitRequests(_ count: Int) -> Bool { self.state.wait(seconds: 60) { $0.requests.count >= count } }

    /// Waits until no more than so many connections are open; `false` if that does not come within a generous time.
    public func awaitOpenConnections(atMost count: Int) -> Bool {
        self.state.wait(seconds: 60) { $0.openConnections.count <= count }
    }

    /// Closes everything and waits for the threads.
    public func stop() {
        let wasStopped = self.state.withLock { state in
            defer { state.isStopped = true }
            for descriptor in state.openConnections { shutdown(descriptor, CInt(SHUT_RDWR)) }
            return state.isStopped
        }
        guard !wasStopped else { return }
        shutdown(self.listener, CInt(SHUT_RDWR))
        _ = self.state.wait(seconds: 60) { $0.threads == 0 }
        close(self.listener)
    }

    // MARK: Threads

    private func accept() {
        while true {
            let descriptor = Glibc.accept(self.listener, nil, nil)
            guard descriptor >= 0 else {
                if errno == EINTR || errno == ECONNABORTED { continue }
                break
            }
            // Programs that a test starts must not hold it open.
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            let number = self.state.withLock { state -> Int? in
                guard !state.isStopped else { return nil }
                state.openConnections.insert(descriptor)
                state.mostOpenConnections = max(state.mostOpenConnections, state.openConnections.count)
                state.threads += 1
                state.acceptedConnections += 1
                return state.acceptedConnections - 1
            }
            guard let number else {
                close(descriptor)
                break
            }
            startThread { self.serve(descriptor, number: number) }
        }
        self.state.withLock { $0.threads -= 1 }
    }

    private func serve(_ descriptor: CInt, number: Int) {
        var one: CInt = 1
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
        var connection = UpstreamConnection(descriptor: descriptor, number: number) {
            self.state.withLock { $0.isStopped }
        }
        while let request = connection.readRequest() {
            let path = String(request.target.prefix { $0 != "?" })
            let respond = self.state.withLock { state in
                state.requests.append(request)
                return state.scripts[path]
            }
            let response = respond?(request) ?? .json(#"{"error":{"message":"no such path"}}"#, status: 404)
            guard connection.write(response, to: request) else { break }
        }
        self.state.withLock { state in
            // Under the lock, so that stop() never shuts a descriptor down that has become something else.
            close(descriptor)
            state.openConnections.remove(descriptor)
            state.threads -= 1
        }
    }
}

/// A system call of the upstream failed.
public struct UpstreamError: Error, CustomStringConvertible {
    public var errno: CInt
    public var description: String { "test upstream: \(String(cString: strerror(self.errno)))" }
}

/// Runs `body` on a thread of its own.
func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let context = Unmanaged.passRetained(Box(body))
    let code = pthread_create(
        &thread, nil,
        { context in
            Unmanaged<Box>.fromOpaque(context!).takeRetainedValue().body()
            return nil
        }, context.toOpaque())
    precondition(code == 0, "no thread")
    pthread_detach(thread)
}
