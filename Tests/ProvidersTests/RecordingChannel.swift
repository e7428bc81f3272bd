import JSON
import Messages
import Providers
import Testing
import Transport

/// A slot's channel that keeps what is written to it.
final class RecordingChannel: SlotChannel {
    private(set) var frames: [[UInt8]] = []

    func write(_ payload: [UInt8]) { self.frames.append(payload) }
    func flush() {}
    func wait(milliseconds: Int) {}
    func writeUnframed(_ bytes: [UInt8]) { self.frames.append(bytes) }
}

/// What a request came to, as its client would see it.
struct Outcome: Equatable {
    var text = ""
    var reasoning = ""
    /// Names and arguments.
    var toolCalls: [[String]] = []
    var toolCallIDs: [String] = []
    /// Everything that was said, in its order: events of a stream, or the events of an answer that says more than its texts.
    var parts: [JSONValue] = []
    /// The kinds of the events, in order.
    var events: [String] = []
    var usage: Usage?
    var finishReason: String?
    var providerRequestID: String?
    var failure: Failure?
    /// All of them, as they came.
    var frames: [JSONValue] = []

    /// Reads the frames of one request; the supervisor must accept every one of them.
    init(_ frames: [[UInt8]], sourceLocation: SourceLocation = #_sourceLocation) throws {
        for frame in frames {
            let envelope = try SlotEventEnvelope(decoding: frame)
            let value = try JSONValue(parsing: frame)
            let kind = value["event"]?.string ?? ""
            self.frames.append(value)
            self.events.append(kind)
            switch envelope.kind {
            case .output:
                self.read(output: value, kind: kind)
                self.parts.append(value)
            case .done(let outcome):
                (self.usage, self.finishReason) = (outcome.usage, outcome.finishReason)
                self.providerRequestID = outcome.providerRequestID
                self.text += value["text"]?.string ?? ""
                self.reasoning += value["reasoning"]?.string ?? ""
                for call in value["tool_calls"]?.array ?? [] { self.read(output: call, kind: "tool_call") }
                self.parts += value["events"]?.array ?? []
            case .models: Issue.record("a list of models", sourceLocation: sourceLocation)
            case .progress: break
            case .error(let failure, let usage): (self.failure, self.usage) = (failure, usage)
            }
        }
        let lasts = self.events.count { $0 == "done" || $0 == "error" }
        #expect(lasts == 1, "one last frame", sourceLocation: sourceLocation)
        #expect(["done", "error"].contains(self.events.last), "it is the last", sourceLocation: sourceLocation)
    }

    /// The answer as a message of the conversation that it continues.
    var message: ModelMessage {
        get throws {
            var parts: [MessagePart] = []
            var isOpen = false
            for event in self.parts {
                switch event["event"]?.string {
                case "text", "reasoning":
                    let (kind, text) = (event["event"]!.string!, event["text"]!.string!)
                    if isOpen, let last = parts.last, last.type == kind {
                        parts[parts.count - 1].content = last.content.adding(text)
                    } else {
                        parts.append(MessagePart(kind == "text" ? .text(text) : .reasoning(text)))
                    }
                    isOpen = true
                case "metadata":
                    let metadata = try PartMetadata(event)
                    if parts.last?.type != metadata.target.rawValue { parts.append(MessagePart(.reasoning(""))) }
                    if case .reasoning(let text, _) = parts[parts.count - 1].content {
                        parts[parts.count - 1].content = .reasoning(text, isRedacted: metadata.isRedacted)
                    }
                    parts[parts.count - 1].providerMetadata = metadata.providerMetadata
                    isOpen = false
                case let kind?:
                    var members = (event.members ?? []).filter { $0.name != "event" }
                    members.append(.init("type", .string(kind)))
                    parts.append(try MessagePart(.object(members)))
                    isOpen = false
                case nil: break
                }
            }
            return ModelMessage(.assistant, parts)
        }
    }

    private mutating func read(output value: JSONValue, kind: String) {
        switch kind {
        case "text": self.text += value["text"]?.string ?? ""
        case "reasoning": self.reasoning += value["text"]?.string ?? ""
        case "tool_result", "metadata": break
        default:
            self.toolCalls.append([value["name"]?.string ?? "", value["arguments"]?.text() ?? ""])
            self.toolCallIDs.append(value["tool_call_id"]?.string ?? "")
        }
    }
}

extension MessagePart.Content {
    fileprivate func adding(_ more: String) -> Self {
        switch self {
        case .text(let text): .text(text + more)
        case .reasoning(let text, let isRedacted): .reasoning(text + more, isRedacted: isRedacted)
        case .attachment, .toolCall, .toolResult: self
        }
    }
}

/// Runs one request with a provider of its own.
func outcome(
    of request: ModelRequest, _ settings: ProviderSettings, over transport: any HTTPTransport = NoTransport(),
    sourceLocation: SourceLocation = #_sourceLocation
) throws -> Outcome {
    try run(request, settings, over: transport, RecordingChannel(), sourceLocation: sourceLocation)
}

/// The same, with the frames kept in `channel`.
func run(
    _ request: ModelRequest, _ settings: ProviderSettings, over transport: any HTTPTransport,
    _ channel: RecordingChannel,
    sourceLocation: SourceLocation = #_sourceLocation
) throws -> Outcome {
    var identifiers = ULIDGenerator()
    let environment = ProviderEnvironment(transport: transport, channel: channel) {
        var random = SystemRandomNumberGenerator()
        return identifiers.next(atMilliseconds: 1_700_000_000_000, using: &random)
    }
    var runner = RequestRunner(try ProviderRegistry.makeProvider(settings, in: environment), channel: channel)
    let isWritten = runner.run(request)
    #expect(isWritten, sourceLocation: sourceLocation)
    return try Outcome(channel.frames, sourceLocation: sourceLocation)
}

/// A request for `model` with a fixed id.
func request(
    _ prompt: String, model: String, stream: Bool = true, system: String? = nil, options: String = "{}",
    key: String? = nil
) throws -> ModelRequest {
    ModelRequest(
        request: ULID("01arz3ndektsv4rrffq69g5fav")!, model: model, stream: stream, prompt: prompt, system: system,
        options: try JSONValue(parsing: options).members ?? [], key: key)
}

/// The body of the request that a provider makes of `request`.
func body(
    of request: ModelRequest, _ kind: ProviderSettings.Kind, sourceLocation: SourceLocation = #_sourceLocation
) throws -> JSONValue {
    let transport = FakeTransport(pieces: [])
    let settings = ProviderSettings(
        name: "p", kind: kind, models: [ModelDescription(id: request.model)], baseURL: "http://upstream/v1")
    let answer = try outcome(of: request, settings, over: transport, sourceLocation: sourceLocation)
    let sent = try #require(
        transport.requests.first, "\(answer.failure?.message ?? "")", sourceLocation: sourceLocation)
    return try JSONValue(parsing: sent.body)
}

/// For providers that need no network.
final class NoTransport: HTTPTransport {
    func start(_ request: HTTPRequest) throws(TransportError) -> HTTPResponseHead {
        throw TransportError(.unconnected, "there is no network here")
    }
    func nextPiece() throws(TransportError) -> [UInt8]? { nil }
    func finish() {}
}

/// A transport that gives one prepared response, in pieces of a given size.
final class FakeTransport: HTTPTransport {
    private let head: HTTPResponseHead
    private var pieces: [[UInt8]]
    private let failure: TransportError?
    private(set) var requests: [HTTPRequest] = []
    private(set) var isFinished = true

    /// - Parameters:
    ///   - failure: Thrown after the last piece.
    init(
        status: Int = 200, contentType: String? = "application/json", headers: [HTTPHeader] = [],
        retryAfterMilliseconds: Int? = nil, pieces: [[UInt8]], failure: TransportError? = nil
    ) {
        let type = contentType.map { [HTTPHeader("Content-Type", $0)] } ?? []
        self.head = HTTPResponseHead(
            status: status, headers: type + headers, retryAfterMilliseconds: retryAfterMilliseconds)
        self.pieces = pieces
        self.failure = failure
    }

    func start(_ request: HTTPRequest) -> HTTPResponseHead {
        self.requests.append(request)
        self.isFinished = false
        return self.head
    }

    func nextPiece() throws(TransportError) -> [UInt8]? {
        if !self.pieces.isEmpty { return self.pieces.removeFirst() }
        self.isFinished = true
        if let failure = self.failure { throw failure }
        return nil
    }

    func finish() { self.isFinished = true }
}

extension Array<UInt8> {
    /// The bytes in pieces of so many.
    func pieces(of size: Int) -> [[UInt8]] {
        stride(from: 0, to: self.count, by: size).map { Array(self[$0..<Swift.min($0 + size, self.count)]) }
    }
}
