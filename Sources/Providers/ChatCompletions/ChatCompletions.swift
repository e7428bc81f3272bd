import JSON
import Messages
import Transport

/// `POST /chat/completions`: OpenAI's first API, which many others speak.
enum ChatCompletions: ProviderAPI {
    typealias Answer = ChatAnswer

    /// What the request says itself, so that no option may.
    private static let ownNames = ["model", "messages", "stream", "stream_options"]

    static func call(_ request: ModelRequest) throws(RequestEnd) -> APICall {
        APICall(
            path: "/chat/completions",
            headers: request.key.map { [HTTPHeader("authorization", "Bearer \($0)")] } ?? [],
            body: try Self.body(request))
    }

    static func body(_ request: ModelRequest) throws(RequestEnd) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = [
            .init("model", .string(request.model)),
            .init("messages", .array(try ChatMessages(request).values)),
            .init("stream", .bool(request.stream)),
        ]
        if request.stream { members.append(.init("stream_options", .object([.init("include_usage", .bool(true))]))) }
        return try request.options.added(to: members, except: Self.ownNames)
    }
}
