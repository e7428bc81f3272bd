import JSON
import Messages
import Transport

/// What differs between the APIs of providers over HTTP: how a request is put, and how an answer is read.
///
/// Everything else is ``HTTPProvider``'s: the exchange itself, streams and bodies with their bounds, what goes wrong on the way.
protocol ProviderAPI {
    associatedtype Answer: ProviderAnswer

    /// What `request` is on the wire.
    ///
    /// - Throws: ``RequestEnd`` for what this API has no place for.
    static func call(_ request: ModelRequest) throws(RequestEnd) -> APICall
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
    init()

    /// An answer that is read differently for what was asked.
    init(to request: ModelRequest)

    var usage: Usage? { get }
    /// Why the model stopped, in the provider's word.
    var finishReason: String? { get }
    /// The model that answered, as the provider names it.
    var resolvedModel: String? { get }

    /// Reads a body that is one JSON value.
    ///
    /// - Throws: ``RequestEnd`` where it is no answer, or holds an error.
    mutating func readWhole(_ value: JSONValue, into output: AnswerOutput, key: String?) throws(RequestEnd)

    /// Reads an event of a stream; `false` if it was the last.
    mutating func read(_ event: ServerSentEvent, into output: AnswerOutput, key: String?) throws(RequestEnd) -> Bool

    /// Throws unless the stream that has ended held a whole answer.
    func expectComplete() throws(RequestEnd)

    /// Hands over what was kept to the end.
    mutating func finish(into output: AnswerOutput, newIdentifier: () -> ULID) throws(RequestEnd)
}

extension ProviderAnswer {
    init(to request: ModelRequest) { self.init() }

    var resolvedModel: String? { nil }

    mutating func finish(into output: AnswerOutput, newIdentifier: () -> ULID) throws(RequestEnd) {}
}

/// The JSON of answers.
enum ProviderJSON {
    /// What an answer may nest: less than the frames that parts of it travel on in, which add a few levels.
    private static let bounds = JSONBounds(depth: 56, refusesLoneSurrogates: false)

    static func value(_ body: [UInt8], key: String?) throws(RequestEnd) -> JSONValue {
        do throws(JSONError) { return try JSONValue(parsing: body, bounds: Self.bounds) } catch {
            let beginning = String(decoding: body.prefix(4096), as: UTF8.self).withoutKey(key).prefix(200)
            throw .invalidResponse("\(error) of its JSON. It begins: \(beginning)")
        }
    }
}
