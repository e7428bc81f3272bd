import Messages

/// A connection to the daemon.
///
///     let client = try await BulkheadClient.connect()
///     for try await event in client.prompt(PromptRequest(prompt: "hello")) {
///         if case .text(let text) = event { print(text, terminator: "") }
///     }
///
/// Any number of tasks may use it at once; their requests share the connection. It closes when it and all its answers are
/// gone, or at ``close()``. A connection that has ended stays ended: connect again.
public final class BulkheadClient: Sendable {
    /// What may wait on a connection to be taken by its consumers, in bytes. At the bound the connection is read no further,
    /// for all its answers, until half of that is gone: an answer that nobody reads holds up the others, so read them in
    /// tasks of their own, cancel what you do not want, or use a connection for each.
    public static let bufferBound = 1 << 20

    /// The longest request that is sent, in bytes of JSON.
    public static let requestBound = ProtocolBounds.clientFrame
    /// The version of this library.
    public static let version = SoftwareVersion.current

    let connection: ClientConnection

    private init(connection: ClientConnection) { self.connection = connection }

    deinit { self.connection.end(.closed) }

    /// Connects to the daemon that listens at `path`.
    ///
    /// - Parameter path: `nil` means ``SocketPath/current``.
    /// - Throws: ``ClientError/cannotConnect(path:errno:)``.
    public static func connect(_ path: String? = nil) async throws(ClientError) -> BulkheadClient {
        BulkheadClient(
            connection: try await ConnectionThread.connect(to: path ?? SocketPath.current, bound: Self.bufferBound))
    }

    /// Sends a prompt, and returns its answer as it will come.
    public func prompt(_ request: PromptRequest) -> Answer {
        Answer(request: SentRequest(client: self, operation: .prompt(request)))
    }

    /// Sends a prompt and waits for the whole answer.
    public func complete(_ request: PromptRequest) async throws(ClientError) -> ClientEvent.Completion {
        var request = request
        request.stream = false
        return try await self.completion(of: .prompt(request))
    }

    /// Has the providers asked which models they have, which the daemon knows from then on; for an administrator.
    ///
    /// - Parameter provider: The one to ask; `nil` asks all that can be asked.
    /// - Returns: What became of each provider, in the order of the configuration.
    public func refreshModels(provider: String? = nil) async throws(ClientError) -> [RefreshedProvider] {
        let request = ModelsRequest(refresh: true, provider: provider)
        guard let refreshed = try await self.completion(of: .models(request)).refreshed else {
            throw .protocolViolation("an answer to a refresh of the models without 'refreshed'")
        }
        return try RefreshedProvider.list(decoding: refreshed)
    }

    /// How the daemon does.
    public func status() async throws(ClientError) -> DaemonStatus {
        guard let status = try await self.completion(of: .status).status else {
            throw .protocolViolation("an answer to 'status' without a status")
        }
        return try DaemonStatus(decoding: status)
    }

    /// Has the configuration read anew; for an administrator. It returns when new requests are admitted under it.
    ///
    /// - Throws: ``ClientError/configurationRefused(_:problems:)`` with everything that is wrong with it; then nothing has
    ///   changed.
    public func reload() async throws(ClientError) -> ReloadReport {
        guard let report = try await self.completion(of: .reload).reload else {
            throw .protocolViolation("an answer to 'reload' without a report")
        }
        return report
    }

    /// Tells the daemon to finish what is open, and to stop; for an administrator. A second one cuts short what is open.
    public func drain() async throws(ClientError) { _ = try await self.completion(of: .drain) }

    /// Asks for a sign of life, and returns how long it took.
    @discardableResult
    public func ping() async throws(ClientError) -> Duration {
        let clock = ContinuousClock()
        let start = clock.now
        _ = try await self.completion(of: .ping)
        return clock.now - start
    }

    /// Closes the connection. The daemon cancels what is open on it; here it fails with ``ClientError/closed``.
    public func close() { self.connection.end(.closed) }

    /// Sends a request and waits for its last frame.
    func completion(of operation: ClientRequest.Operation) async throws(ClientError) -> ClientEvent.Completion {
        let answer = Answer(request: SentRequest(client: self, operation: operation))
        for try await event in answer {
            if case .done(let completion) = event { return completion }
        }
        throw .cancelled
    }
}

/// A request that was sent. It is cancelled when nobody holds it any more before its last frame has come.
final class SentRequest: Sendable {
    /// Keeps the connection open.
    private let client: BulkheadClient
    let id: Int64

    init(client: BulkheadClient, operation: ClientRequest.Operation) {
        self.client = client
        self.id = client.connection.open(operation)
    }

    deinit { self.client.connection.release(self.id) }

    func next() async -> Delivery { await self.client.connection.next(self.id) }

    func cancel() { self.client.connection.cancel(self.id) }

    func abandon() { self.client.connection.abandon(self.id) }
}
