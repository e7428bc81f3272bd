import JSON
import Messages
import Transport

/// What differs between the APIs of providers over HTTP: how a request is put, and how an answer is read.
///
/// Everything else is ``HTTPProvider``'s: the exchange itself, streams and bodies with their bounds, what goes wrong on the way.
protocol ProviderAPI {
    associatedtype Answer: ProviderAnswer

    /// How it is asked for embeddings; `nil` where it has none.
    static var embeddings: (any EmbeddingAPI.Type)? { get }

    /// What `request` is on the wire.
    ///
    /// - Throws: ``RequestEnd`` for what this API has no place for.
    static func call(_ request: ModelRequest) throws(RequestEnd) -> APICall

    /// The same, for an API that several types of provider speak, each in its way.
    static func call(_ request: ModelRequest, to kind: ProviderSettings.Kind) throws(RequestEnd) -> APICall

    /// What asks for the list of models, with `GET` and no body.
    ///
    /// - Parameter cursor: What the part before named as the next one; `nil` for the first.
    static func modelsCall(after cursor: String?, key: String?, to kind: ProviderSettings.Kind) -> APICall

    /// A part of that list; `nil` where this is none.
    static func modelPage(_ value: JSONValue) -> ModelPage?
}

extension ProviderAPI {
    static var embeddings: (any EmbeddingAPI.Type)? { nil }

    static func call(_ request: ModelRequest, to kind: ProviderSettings.Kind) throws(RequestEnd) -> APICall {
        try Self.call(request)
    }
}

/// A request as an API wants it.
struct APICall {
    /// What follows the base URL, with its slash and its query.
    var path: String
    /// The headers of the API's own, which carry the key; not those that every request has.
    var headers: [HTTPHeader]
    /// A JSON object, its members in order.
    var body: [JSONValue.Member]
}

/// What has been read of an answer, whole or in pieces.
protocol ProviderAnswer {
    /// Nothing has been read yet.
    init(_ context: AnswerContext)

    var usage: Usage? { get }
    /// Why the model stopped, in the provider's word.
    var finishReason: String? { get }
    /// The model that answered, as the provider names it.
    var resolvedModel: String? { get }
    /// Why an answer that follows a schema cannot be one, though the provider calls it done: it was cut short, say, or is a
    /// refusal. A clause that follows "the answer does not follow its schema: ".
    var flaw: String? { get }
    /// Whether the provider only paused, and the answer goes on in the next request.
    var isPaused: Bool { get }

    /// Reads a body that is one JSON value.
    ///
    /// - Throws: ``RequestEnd`` where it is no answer, or holds an error.
    mutating func readWhole(_ value: JSONValue, into output: AnswerOutput, key: String?) throws(RequestEnd)

    /// Reads an event of a stream; `false` if it was the last.
    mutating func read(_ event: ServerSentEvent, into output: AnswerOutput, key: String?) throws(RequestEnd) -> Bool

    /// Throws unless the stream that has ended held a whole answer.
    func expectComplete() throws(RequestEnd)

    /// Hands over what was kept to the end.
    mutating func finish(into output: AnswerOutput) throws(RequestEnd)
}

/// What an answer is an answer to, as far as that decides how it is read.
struct AnswerContext {
    var options: [JSONValue.Member]
    /// The type of the provider.
    var kind: ProviderSettings.Kind
    /// Makes the ids of tool calls that have none.
    var newIdentifier: () -> ULID
}

extension ProviderAnswer {
    var resolvedModel: String? { nil }
    var flaw: String? { nil }
    var isPaused: Bool { false }

    mutating func finish(into output: AnswerOutput) throws(RequestEnd) {}
}

/// The JSON of answers.
enum ProviderJSON {
    /// What an answer may nest: less than the frames that parts of it travel on in, which add a few levels.
    private static let bounds = JSONBounds(depth: 56, refusesLoneSurrogates: false)

    static func value(_ body: [UInt8], key: String?) throws(RequestEnd) -> JSONValue {
        do throws(JSONError) { return try JSONValue(parsing: body, bounds: Self.bounds) } catch {
            throw Self.unreadable(error, body, key: key)
        }
    }

    static func unreadable(_ error: JSONError, _ body: [UInt8], key: String?) -> RequestEnd {
        let beginning = String(decoding: body.prefix(4096), as: UTF8.self).withoutKey(key).prefix(200)
        // A web server's page, or a proxy's.
        let isPage = beginning.first { !$0.isWhitespace } == "<"
        let reason = isPage ? "it is a page and no JSON; check the provider's base_url" : "\(error) of its JSON"
        return .invalidResponse("\(reason). It begins: \(beginning)")
    }
}
