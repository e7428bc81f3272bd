import JSON
import Messages
import Transport

/// Any API that answers `POST /chat/completions` as OpenAI's does.
///
/// How the answer is read follows from its content type, not from what was asked: a provider may stream what it was
/// asked for whole, and the other way round.
struct OpenAICompatible: Provider {
    let models: [ModelDescription]
    private let baseURL: String
    private let connectTimeoutMilliseconds: Int
    private let environment: ProviderEnvironment

    /// The longest body that is no stream, in bytes.
    static let bodyBound = 16 << 20
    /// How much of the body of an error is read, in bytes.
    static let errorBodyBound = 64 << 10

    init(_ settings: ProviderSettings, in environment: ProviderEnvironment) throws(UnusableSettings) {
        guard let baseURL = settings.baseURL, !baseURL.isEmpty else {
            throw UnusableSettings("a provider of type openai-compatible needs a base_url")
        }
        self.models = settings.models
        self.baseURL = baseURL
        self.connectTimeoutMilliseconds = settings.connectTimeoutMilliseconds
        self.environment = environment
    }

    mutating func run(_ request: ModelRequest, into output: AnswerOutput) throws(RequestEnd) -> SlotCompletion {
        let http = try ChatRequest.http(
            request, baseURL: self.baseURL, connectTimeoutMilliseconds: self.connectTimeoutMilliseconds)
        let head = try self.transported { transport throws(TransportError) in try transport.start(http) }
        // A stream is left at its last event, an error in its middle.
        defer { self.environment.transport.finish() }
        let requestID = head.header("x-request-id") ?? head.header("request-id")
        var answer = ChatAnswer()
        do throws(RequestEnd) {
            try self.read(head, into: &answer, output, key: request.key)
            for call in answer.toolCalls {
                let id = call.id.isEmpty ? ToolCall.newID(self.environment.newIdentifier) : call.id
                try output.toolCall(ToolCall(id: id, name: call.name, arguments: call.encodedArguments))
            }
        } catch {
            guard case .failed(var failure, _) = error else { throw error }
            failure.providerRequestID = requestID?.truncated(toUTF8Length: 128)
            throw .failed(failure, usage: answer.usage)
        }
        return SlotCompletion(usage: answer.usage, finishReason: answer.finishReason, providerRequestID: requestID)
    }

    private func read(
        _ head: HTTPResponseHead, into answer: inout ChatAnswer, _ output: AnswerOutput, key: String?
    ) throws(RequestEnd) {
        guard (200..<300).contains(head.status) else {
            throw .failed(ChatFailure.refused(head, body: try self.errorBody(), key: key))
        }
        if head.header("content-type")?.lowercased().contains("text/event-stream") == true {
            try self.readStream(into: &answer, output, key: key)
        } else {
            try answer.readWhole(try ChatAnswer.value(try self.body(), key: key), into: output, key: key)
        }
    }

    private func readStream(into answer: inout ChatAnswer, _ output: AnswerOutput, key: String?) throws(RequestEnd) {
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

    private func body() throws(RequestEnd) -> [UInt8] {
        var body: [UInt8] = []
        while let piece = try self.nextPiece() {
            body += piece
            guard body.count <= Self.bodyBound else {
                throw .invalidResponse("it is longer than \(Self.bodyBound) bytes")
            }
        }
        return body
    }

    /// The beginning of an error's body. One that breaks off takes nothing from what the status says.
    private func errorBody() throws(RequestEnd) -> [UInt8] {
        var body: [UInt8] = []
        do throws(RequestEnd) {
            while body.count < Self.errorBodyBound, let piece = try self.nextPiece() { body += piece }
        } catch {
            if case .cancelled = error { throw error }
        }
        return Array(body.prefix(Self.errorBodyBound))
    }

    private func nextPiece() throws(RequestEnd) -> [UInt8]? {
        try self.transported(hasAnswerBegun: true) { transport throws(TransportError) in try transport.nextPiece() }
    }

    private func transported<Result>(
        hasAnswerBegun: Bool = false, _ body: (any HTTPTransport) throws(TransportError) -> Result
    ) throws(RequestEnd) -> Result {
        // The transport may wait for the provider: what it has said already is to leave first.
        try self.environment.channel.flush()
        do throws(TransportError) { return try body(self.environment.transport) } catch {
            switch error.kind {
            case .interrupted: throw .cancelled
            case .unresolved, .unconnected, .insecure:
                throw .failed(.providerUnreachable, "the provider cannot be reached: \(error)")
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
