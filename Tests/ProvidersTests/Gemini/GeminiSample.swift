import JSON
import Messages
import Providers
import Testing
import Transport

/// Requests to a provider of type gemini in this process.
enum GeminiSample {
    static func settings(_ baseURL: String = "http://upstream/v1beta") -> ProviderSettings {
        ProviderSettings(
            name: "p", kind: .gemini, models: [ModelDescription(id: "m"), ModelDescription(id: "gemini-2.5-flash")],
            baseURL: baseURL, connectTimeoutMilliseconds: 5000)
    }

    /// Runs a request over a prepared response.
    static func run(
        _ request: ModelRequest, over transport: FakeTransport, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> AssembledAnswer {
        let channel = RecordingChannel()
        var identifiers = ULIDGenerator()
        let environment = ProviderEnvironment(transport: transport, channel: channel) {
            var random = SystemRandomNumberGenerator()
            return identifiers.next(atMilliseconds: 1_700_000_000_000, using: &random)
        }
        var runner = RequestRunner(
            try ProviderRegistry.makeProvider(Self.settings(), in: environment), channel: channel)
        let isWritten = runner.run(request)
        #expect(isWritten && transport.isFinished, sourceLocation: sourceLocation)
        return try AssembledAnswer(channel.frames, sourceLocation: sourceLocation)
    }

    /// The answer to a body that is no stream.
    static func answer(
        to body: String, status: Int = 200, stream: Bool = true, schema: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> AssembledAnswer {
        var request = try request("hi", model: "m", stream: stream)
        request.schema = try schema.map { try JSONValue(parsing: $0) }
        return try Self.run(
            request, over: FakeTransport(status: status, pieces: [Array(body.utf8)]), sourceLocation: sourceLocation)
    }

    static func streamed(_ events: [String], stream: Bool = true) throws -> AssembledAnswer {
        let transport = FakeTransport(contentType: "text/event-stream", pieces: [Self.stream(events)])
        return try Self.run(try request("hi", model: "m", stream: stream), over: transport)
    }

    static func stream(_ events: [String]) -> [UInt8] { Array(events.map { "data: \($0)\r\n\r\n" }.joined().utf8) }

    /// A response of one candidate.
    static func response(_ parts: String, finish: String? = nil, more: String = "") -> String {
        let finish = finish.map { #","finishReason":"\#($0)""# } ?? ""
        return #"{"candidates":[{"content":{"role":"model","parts":[\#(parts)]}\#(finish),"index":0}]\#(more)}"#
    }

    /// The body that `request` becomes.
    static func body(of request: ModelRequest, sourceLocation: SourceLocation = #_sourceLocation) throws -> JSONValue {
        let transport = FakeTransport(pieces: [])
        let answer = try Self.run(request, over: transport, sourceLocation: sourceLocation)
        let sent = try #require(
            transport.requests.first, "\(answer.failure?.message ?? "")", sourceLocation: sourceLocation)
        return try JSONValue(parsing: sent.body)
    }

    /// Why `request` is not sent.
    static func refusal(of request: ModelRequest, sourceLocation: SourceLocation = #_sourceLocation) throws -> Failure {
        let transport = FakeTransport(pieces: [])
        let answer = try Self.run(request, over: transport, sourceLocation: sourceLocation)
        #expect(transport.requests.isEmpty, sourceLocation: sourceLocation)
        return try #require(answer.failure, sourceLocation: sourceLocation)
    }
}
