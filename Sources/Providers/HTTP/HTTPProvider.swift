import JSON
import Messages
import Transport

/// A provider that is asked over HTTP, in the way of `API`.
///
/// How the answer is read follows from its content type, not from what was asked: a provider may stream what it was
/// asked for whole, and the other way round.
struct HTTPProvider<API: ProviderAPI>: Provider {
    let models: [ModelDescription]
    let kind: ProviderSettings.Kind
    let baseURL: String
    let connectTimeoutMilliseconds: Int
    let environment: ProviderEnvironment

    init(_ settings: ProviderSettings, in environment: ProviderEnvironment) throws(UnusableSettings) {
        guard let baseURL = settings.baseURL, !baseURL.isEmpty else {
            throw UnusableSettings("a provider of type \(settings.kind.rawValue) needs a base_url")
        }
        self.models = settings.models
        self.kind = settings.kind
        self.baseURL = baseURL
        self.connectTimeoutMilliseconds = settings.connectTimeoutMilliseconds
        self.environment = environment
    }

    /// A provider may have models that nobody here has heard of.
    func serves(_ model: String) -> Bool { true }

    mutating func run(_ request: ModelRequest, into output: AnswerOutput) throws(RequestEnd) -> SlotCompletion {
        var asked = request
        asked.facts = self.models.first { $0.id == request.model }?.facts ?? ModelFacts()
        // What comes whole is told in one piece to who wants a stream.
        if asked.facts.can(.streaming) == false { asked.stream = false }
        let http = try self.request(asked)
        let head = try self.transported { transport throws(TransportError) in try transport.start(http) }
        // A stream is left at its last event, an error in its middle.
        defer { self.environment.transport.finish() }
        let requestID = self.requestID(head)
        var answer = API.Answer(
            AnswerContext(
                options: request.options, kind: self.kind,
                newIdentifier: self.environment.newIdentifier))
        do throws(RequestEnd) {
            try self.read(head, into: &answer, output, key: request.key)
            try answer.finish(into: output)
            if request.schema != nil, !answer.isPaused, let flaw = answer.flaw ?? output.flaw {
                throw .failed(.modelError, "the answer does not follow its schema: \(flaw)")
            }
        } catch {
            guard case .failed(var failure, _) = error else { throw error }
            failure.providerRequestID = requestID
            throw .failed(failure, usage: answer.usage)
        }
        let resolved = answer.resolvedModel
        return SlotCompletion(
            usage: answer.usage, finishReason: answer.finishReason, providerRequestID: requestID,
            resolvedModel: resolved == request.model ? nil : resolved)
    }

    private func request(_ request: ModelRequest) throws(RequestEnd) -> HTTPRequest {
        try self.httpRequest(try API.call(request, to: self.kind), key: request.key)
    }

    /// The provider's own name for the exchange.
    func requestID(_ head: HTTPResponseHead) -> String? {
        (head.header("x-request-id") ?? head.header("request-id"))?.truncated(toUTF8Length: 128)
    }

    func httpRequest(_ call: APICall, key: String?) throws(RequestEnd) -> HTTPRequest {
        if let key {
            guard !key.isEmpty, key.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
                throw .failed(
                    .providerAuthentication, "the provider's key is empty or holds a line break; set it again")
            }
        }
        let headers = [
            HTTPHeader("content-type", "application/json"),
            HTTPHeader("accept", "application/json, text/event-stream"),
            HTTPHeader("user-agent", "bulkhead/\(SoftwareVersion.current)"),
        ]
        return HTTPRequest(
            url: self.baseURL + call.path, headers: headers + call.headers,
            body: JSONValue.object(call.body).serialized(),
            connectTimeoutMilliseconds: self.connectTimeoutMilliseconds)
    }

    private func read(
        _ head: HTTPResponseHead, into answer: inout API.Answer, _ output: AnswerOutput, key: String?
    ) throws(RequestEnd) {
        guard (200..<300).contains(head.status) else {
            let body = Self.encoding(of: head) == nil ? try self.errorBody() : []
            throw .failed(ProviderFailure.refused(head, body: body, key: key))
        }
        if let encoding = Self.encoding(of: head) {
            throw .invalidResponse("it is compressed ('\(encoding)'), though nothing but plain text was asked for")
        }
        if head.header("content-type")?.lowercased().contains("text/event-stream") == true {
            try self.readStream(into: &answer, output, key: key)
        } else {
            guard let body = try self.body() else {
                throw .invalidResponse("it is longer than \(HTTPBounds.body) bytes")
            }
            try answer.readWhole(try ProviderJSON.value(body, key: key), into: output, key: key)
        }
    }

    /// How the body is compressed, which no request asks for; `nil` if it is not.
    private static func encoding(of head: HTTPResponseHead) -> String? {
        guard let encoding = head.header("content-encoding")?.lowercased(), !["", "identity"].contains(encoding) else {
            return nil
        }
        return encoding.truncated(toUTF8Length: 64)
    }

    private func readStream(into answer: inout API.Answer, _ output: AnswerOutput, key: String?) throws(RequestEnd) {
        var reader = ServerSentEventReader()
        while let piece = try self.nextPiece() {
            reader.append(piece)
            while let event = try Self.next(&reader) {
                guard try answer.read(event, into: output, key: key) else { return try answer.expectComplete() }
            }
        }
        if let event = reader.finish() { _ = try answer.read(event, into: output, key: key) }
        try answer.expectComplete()
    }

    private static func next(_ reader: inout ServerSentEventReader) throws(RequestEnd) -> ServerSentEvent? {
        do throws(EventTooLong) { return try reader.next() } catch {
            throw .invalidResponse("an event of its stream is longer than \(ServerSentEventReader.eventBound) bytes")
        }
    }

    /// The whole body; `nil` for one that is longer than ``HTTPBounds/body``.
    func body() throws(RequestEnd) -> [UInt8]? {
        var body: [UInt8] = []
        while let piece = try self.nextPiece() {
            body += piece
            guard body.count <= HTTPBounds.body else { return nil }
        }
        return body
    }

    /// The beginning of an error's body. One that breaks off takes nothing from what the status says.
    func errorBody() throws(RequestEnd) -> [UInt8] {
        var body: [UInt8] = []
        do throws(RequestEnd) {
            while body.count < HTTPBounds.errorBody, let piece = try self.nextPiece() { body += piece }
        } catch {
            if case .cancelled = error { throw error }
        }
        return Array(body.prefix(HTTPBounds.errorBody))
    }

    private func nextPiece() throws(RequestEnd) -> [UInt8]? {
        try self.transported(hasAnswerBegun: true) { transport throws(TransportError) in try transport.nextPiece() }
    }

    func transported<Result>(
        hasAnswerBegun: Bool = false, _ body: (any HTTPTransport) throws(TransportError) -> Result
    ) throws(RequestEnd) -> Result {
        // The transport may wait for the provider: what it has said already is to leave first.
        try self.environment.channel.flush()
        do throws(TransportError) { return try body(self.environment.transport) } catch {
            switch error.kind {
            case .interrupted: throw .cancelled
            case .unresolved, .unconnected:
                throw .failed(.providerUnreachable, "the provider cannot be reached: \(error)")
            case .insecure:
                throw .failed(
                    .providerUnreachable,
                    "no connection to the provider can be trusted: \(error); check the provider's base_url, and the "
                        + "certificates that this machine trusts")
            case .broken where hasAnswerBegun: throw .invalidResponse("the connection broke in its middle: \(error)")
            case .broken: throw .failed(.providerUnreachable, "the connection to the provider broke: \(error)")
            case .malformed: throw .invalidResponse("\(error)")
            case .unusable:
                throw .failed(.providerRejected, "the request cannot be sent: \(error); check the provider's base_url")
            }
        }
    }
}

extension RequestEnd {
    static func invalidResponse(_ reason: String) -> RequestEnd {
        .failed(.providerInvalidResponse, "the provider's answer cannot be used: \(reason)")
    }
}

/// How much of a response is read, in bytes.
enum HTTPBounds {
    /// The longest body that is no stream.
    static let body = 16 << 20
    /// How much of the body of an error is read.
    static let errorBody = 64 << 10
}
