import JSON
import Messages
import Transport

/// The request of a chat completion.
enum ChatRequest {
    /// What the request says itself, so that no option may.
    private static let ownNames = ["model", "messages", "stream", "stream_options"]

    static func http(
        _ request: ModelRequest, baseURL: String, connectTimeoutMilliseconds: Int
    ) throws(RequestEnd) -> HTTPRequest {
        var headers = [
            HTTPHeader("content-type", "application/json"),
            HTTPHeader("accept", "application/json, text/event-stream"),
            HTTPHeader("user-agent", "bulkhead/\(SoftwareVersion.current)"),
        ]
        if let key = request.key {
            guard !key.isEmpty, key.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
                throw .failed(
                    .providerAuthentication, "the provider's key is empty or holds a line break; set it again")
            }
            headers.append(HTTPHeader("authorization", "Bearer \(key)"))
        }
        return HTTPRequest(
            url: baseURL + "/chat/completions", headers: headers, body: try Self.body(request),
            connectTimeoutMilliseconds: connectTimeoutMilliseconds)
    }

    static func body(_ request: ModelRequest) throws(RequestEnd) -> [UInt8] {
        var members: [JSONValue.Member] = [
            .init("model", .string(request.model)),
            .init("messages", .array(try ChatMessages(request).values)),
            .init("stream", .bool(request.stream)),
        ]
        if request.stream { members.append(.init("stream_options", .object([.init("include_usage", .bool(true))]))) }
        for option in request.options {
            guard !Self.ownNames.contains(option.name) else {
                throw .failed(
                    .invalidOptions,
                    "option '\(option.name)' cannot be set: the request's own fields decide it. "
                        + "Every other option goes to the provider as it is.")
            }
            members.append(option)
        }
        return JSONValue.object(members).serialized()
    }
}
