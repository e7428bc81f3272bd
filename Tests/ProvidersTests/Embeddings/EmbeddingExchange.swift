import JSON
import Messages
import Providers
import Testing
import Transport

/// A provider of embeddings that answers each request as a test says, and keeps what it was asked.
final class EmbeddingTransport: HTTPTransport {
    private let respond: (Int, JSONValue) -> (status: Int, body: String)
    private(set) var requests: [HTTPRequest] = []
    private(set) var openCount = 0
    private var body: [UInt8]?

    /// - Parameter respond: Gets the number of the request, from 0, and its body.
    init(_ respond: @escaping (Int, JSONValue) -> (status: Int, body: String)) { self.respond = respond }

    /// The bodies of what was asked.
    var bodies: [JSONValue] { self.requests.compactMap { try? JSONValue(parsing: $0.body) } }

    func start(_ request: HTTPRequest) -> HTTPResponseHead {
        let number = self.requests.count
        self.requests.append(request)
        self.openCount += 1
        let response = self.respond(number, (try? JSONValue(parsing: request.body)) ?? .null)
        self.body = Array(response.body.utf8)
        return HTTPResponseHead(
            status: response.status,
            headers: [HTTPHeader("content-type", "application/json"), HTTPHeader("x-request-id", "req_\(number)")],
            retryAfterMilliseconds: nil)
    }

    func nextPiece() throws(TransportError) -> [UInt8]? { self.body.take() }
    func finish() { self.openCount -= 1 }
}

/// What a request for embeddings came to.
struct EmbeddingOutcome {
    /// The vectors as they were written.
    var vectors: [String] = []
    var usage: Usage?
    var providerRequestID: String?
    var resolvedModel: String?
    var failure: Failure?
    /// How many batches were said to be done before the end.
    var progressCount = 0

    init(_ frames: [[UInt8]], of count: Int) throws {
        for frame in frames {
            let envelope = try SlotEventEnvelope(decoding: frame, embeddingsOf: count)
            switch envelope.kind {
            case .progress: self.progressCount += 1
            case .done(let outcome):
                self.usage = outcome.usage
                self.providerRequestID = outcome.providerRequestID
                self.resolvedModel = outcome.resolvedModel
                let elements = try #require(
                    try JSONObject(frame, bounds: JSONBounds(nodes: .max))["embeddings"]?.elements)
                self.vectors = elements.map { String(decoding: $0.raw, as: UTF8.self) }
            case .error(let failure, let usage):
                (self.failure, self.usage) = (failure, usage)
                self.providerRequestID = failure.providerRequestID
            case .output, .models: Issue.record("embeddings have no output")
            }
        }
        #expect(self.failure != nil || self.vectors.count == count)
    }
}

/// Asks a provider of a type for the vectors of `input`.
func embed(
    _ input: [String], _ kind: ProviderSettings.Kind, over transport: any HTTPTransport, model: String = "m",
    options: String = "{}", key: String? = nil, channel: RecordingChannel = RecordingChannel()
) throws -> EmbeddingOutcome {
    let settings = ProviderSettings(
        name: "p", kind: kind, models: [ModelDescription(id: model)], baseURL: "http://upstream/v1")
    let environment = ProviderEnvironment(transport: transport, channel: channel) {
        ULID("01arz3ndektsv4rrffq69g5fav")!
    }
    var runner = RequestRunner(try ProviderRegistry.makeProvider(settings, in: environment), channel: channel)
    let isWritten = runner.run(
        EmbeddingRequest(
            request: ULID("01arz3ndektsv4rrffq69g5fav")!, model: model, input: input,
            options: try JSONValue(parsing: options).members ?? [], key: key))
    #expect(isWritten)
    return try EmbeddingOutcome(channel.frames, of: input.count)
}

/// An answer in the form of OpenAI's: the vector of a text is what `vector` makes of it, its usage a token for each.
func openAIAnswer(to body: JSONValue, _ vector: (String) -> String = { "[\($0.utf8.count).0]" }) -> String {
    let texts = body["input"]?.array?.compactMap(\.string) ?? []
    let data = texts.enumerated().map { #"{"object":"embedding","index":\#($0),"embedding":\#(vector($1))}"# }
    let count = texts.count
    return #"{"object":"list","model":"m","data":[\#(data.joined(separator: ","))],"#
        + #""usage":{"prompt_tokens":\#(count),"total_tokens":\#(count)}}"#
}
