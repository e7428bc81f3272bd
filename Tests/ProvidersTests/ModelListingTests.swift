import JSON
import Messages
import Testing
import Transport

@testable import Providers

/// What providers list as their models.
@Suite struct ModelListingTests {
    /// Lists the models of a provider whose answers are these bodies, one after the other.
    private static func list(
        _ kind: ProviderSettings.Kind, _ bodies: [String], key: String? = "k", status: Int = 200
    ) throws -> (models: [ModelDescription], requests: [HTTPRequest]) {
        let transport = PagedTransport(bodies: bodies, status: status)
        let settings = ProviderSettings(name: "p", kind: kind, baseURL: "https://p.example/v1")
        let environment = ProviderEnvironment(
            transport: transport, channel: RecordingChannel(), newIdentifier: { ULID("01arz3ndektsv4rrffq69g5fav")! })
        var provider = try ProviderRegistry.makeProvider(settings, in: environment)
        let models = try provider.listModels(key: key)
        #expect(transport.isIdle)
        return (models, transport.requests)
    }

    private static func facts(_ text: String) throws -> ModelFacts {
        try ModelFacts(decoding: try JSONValue(parsing: text))
    }

    @Test(arguments: [ProviderSettings.Kind.openAI, .openAICompatible, .groq])
    func chatCompletionsHaveIdsAndPerhapsLimits(kind: ProviderSettings.Kind) throws {
        let body = """
            {"data":[{"id":"a","object":"model"},{"id":"b","context_window":131072,"max_completion_tokens":32768},
            {"id":"a"},{"id":"with space"},{"id":""},{"no":1},{"id":"c","context_length":-1,"max_model_len":7}]}
            """
        let (models, requests) = try Self.list(kind, [body])
        #expect(models.map(\.id) == ["a", "b", "c"])
        #expect(models[0].facts == ModelFacts())
        #expect(models[1].facts == (try Self.facts(#"{"context":131072,"max_output":32768}"#)))
        #expect(models[2].facts == (try Self.facts(#"{"context":7}"#)))
        #expect(requests.map(\.url) == ["https://p.example/v1/models"])
        #expect(requests[0].method == "GET" && requests[0].body.isEmpty)
        #expect(requests[0].headers.contains(HTTPHeader("authorization", "Bearer k")))
    }

    @Test func mistralSaysWhatItsModelsCan() throws {
        let body =
            #"{"data":[{"id":"e","max_context_length":8192,"capabilities":{"completion_chat":false,"function_calling":false}}]}"#
        let (models, _) = try Self.list(.mistral, [body])
        #expect(models[0].facts == (try Self.facts(#"{"prompts":false,"tools":false,"context":8192}"#)))
    }

    @Test func openRouterIsTold() throws {
        let (models, requests) = try Self.list(
            .openRouter, [#"{"data":[{"id":"x/y","context_length":5,"top_provider":{"max_completion_tokens":3}}]}"#],
            key: nil)
        #expect(models[0].facts == (try Self.facts(#"{"context":5,"max_output":3}"#)))
        #expect(requests[0].headers.contains(HTTPHeader("x-title", "Bulkhead")))
        #expect(!requests[0].headers.contains { $0.name == "authorization" })
    }

    @Test func anthropicsListHasParts() throws {
        let first = """
            {"data":[{"id":"claude-next","max_input_tokens":1000000,"max_tokens":128000,
            "capabilities":{"structured_outputs":{"supported":true},"thinking":{"supported":false}}}],"has_more":true,"last_id":"claude next"}
            """
        let (models, requests) = try Self.list(
            .anthropic, [first, #"{"data":[{"id":"claude-older"}],"has_more":false,"last_id":"claude-older"}"#])
        #expect(models.map(\.id) == ["claude-next", "claude-older"])
        #expect(
            models[0].facts
                == (try Self.facts(#"{"context":1000000,"max_output":128000,"schema":true,"reasoning":false}"#)))
        #expect(
            requests.map(\.url) == [
                "https://p.example/v1/v1/models?limit=1000",
                "https://p.example/v1/v1/models?limit=1000&after_id=claude%20next",
            ])
        #expect(requests[1].headers.contains(HTTPHeader("x-api-key", "k")))
        #expect(requests[1].headers.contains(HTTPHeader("anthropic-version", "2023-06-01")))
    }

    @Test func geminisListHasPartsAndMethods() throws {
        let first = """
            {"models":[{"name":"models/gemini-x","inputTokenLimit":1048576,"outputTokenLimit":65536,"thinking":true,
            "supportedGenerationMethods":["generateContent","countTokens"]}],"nextPageToken":"a/b=="}
            """
        let second =
            #"{"models":[{"name":"models/embed-x","supportedGenerationMethods":["embedContent"]}],"nextPageToken":""}"#
        let (models, requests) = try Self.list(.gemini, [first, second])
        #expect(models.map(\.id) == ["gemini-x", "embed-x"])
        #expect(
            models[0].facts
                == (try Self.facts(
                    #"{"prompts":true,"embeddings":false,"reasoning":true,"context":1048576,"max_output":65536}"#)))
        #expect(models[1].facts == (try Self.facts(#"{"prompts":false,"embeddings":true}"#)))
        #expect(requests[1].url == "https://p.example/v1/models?pageSize=1000&pageToken=a%2Fb%3D%3D")
        #expect(requests[1].headers.contains(HTTPHeader("x-goog-api-key", "k")))
    }

    @Test func aListThatNeverEndsIsLeft() throws {
        let page = #"{"data":[{"id":"same"}],"has_more":true,"last_id":"same"}"#
        let (models, requests) = try Self.list(.anthropic, Array(repeating: page, count: 60))
        #expect(models.map(\.id) == ["same"])
        #expect(requests.count == 50)
    }

    @Test func noMoreThanTheBoundAreTaken() throws {
        let ids = (0..<2_500).map { #"{"id":"m\#($0)"}"# }.joined(separator: ",")
        #expect(try Self.list(.openAI, ["{\"data\":[\(ids)]}"]).models.count == 2_000)
    }

    @Test(arguments: [
        (200, #"{"models":[]}"#, ErrorCode.providerInvalidResponse), (200, "[", .providerInvalidResponse),
        (401, #"{"error":{"message":"bad k"}}"#, .providerAuthentication), (404, "", .providerRejected),
        (503, "", .providerError), (302, "", .providerRejected),
    ])
    func whatIsNoListIsAnError(status: Int, body: String, code: ErrorCode) {
        #expect {
            _ = try Self.list(.openAI, [body], status: status)
        } throws: { error in
            guard case .failed(let failure, _)? = error as? RequestEnd else { return false }
            return failure.code == code && !failure.message.contains("bad k")
        }
    }

    /// A slot writes one frame, a list or an error.
    @Test func aSlotAnswersWithOneEvent() throws {
        let channel = RecordingChannel()
        let environment = ProviderEnvironment(
            transport: PagedTransport(bodies: [#"{"data":[{"id":"a"}]}"#, ""], status: 200), channel: channel,
            newIdentifier: { ULID("01arz3ndektsv4rrffq69g5fav")! })
        let settings = ProviderSettings(name: "p", kind: .openAI, baseURL: "https://p.example/v1")
        var runner = RequestRunner(try ProviderRegistry.makeProvider(settings, in: environment), channel: channel)
        let listing = ModelListing(request: ULID("01arz3ndektsv4rrffq69g5fav")!, key: "k")
        let answered = [runner.list(listing), runner.list(listing)]
        #expect(answered == [true, true])
        let events = try channel.frames.map { try SlotEventEnvelope(decoding: $0).kind }
        #expect(events.count == 2)
        #expect(events[0] == .models([ModelDescription(id: "a")]))
        guard case .error(let failure, nil) = events[1] else {
            Issue.record("no error")
            return
        }
        #expect(failure.code == .providerInvalidResponse)
    }
}

/// Answers each request with the next of its bodies.
private final class PagedTransport: HTTPTransport {
    private var bodies: [String]
    private let status: Int
    private var rest: [UInt8]?
    private(set) var requests: [HTTPRequest] = []

    init(bodies: [String], status: Int) {
        self.bodies = bodies
        self.status = status
    }

    var isIdle: Bool { self.rest == nil }

    func start(_ request: HTTPRequest) throws(TransportError) -> HTTPResponseHead {
        self.requests.append(request)
        self.rest = Array(self.bodies.removeFirst().utf8)
        return HTTPResponseHead(status: self.status, headers: [HTTPHeader("content-type", "application/json")])
    }

    func nextPiece() throws(TransportError) -> [UInt8]? {
        defer { self.rest = [] }
        return self.rest?.isEmpty == true ? nil : self.rest
    }

    func finish() { self.rest = nil }
}
