import JSON
import Messages
import Transport

/// Makes failures of what providers say about them.
enum ProviderFailure {
    /// A response whose status is not 2xx.
    static func refused(_ head: HTTPResponseHead, body: [UInt8], key: String?) -> Failure {
        let value = try? JSONValue(parsing: body, bounds: .lenient)
        var message =
            value.flatMap(Self.message)
            ?? String(decoding: body, as: UTF8.self).withoutKey(key)
            .prefixed(200)
        if (300..<400).contains(head.status) {
            message = "redirects are not followed; check the provider's base_url"
            if let location = head.header("location") {
                message += " (it points to \(location.withoutKey(key).prefixed(200)))"
            }
        }
        if message.isEmpty { message = "no message" }
        let details = value.map(GoogleErrorDetails.init)
        return Failure(
            details?.code ?? Self.code(status: head.status), "HTTP \(head.status): \(message)".withoutKey(key),
            retryAfterMilliseconds: head.retryAfterMilliseconds ?? details?.retryAfterMilliseconds)
    }

    /// An error in the place of an answer, or after a part of it.
    static func inAnswer(_ value: JSONValue, key: String?) -> Failure {
        let error = value["error"] ?? value
        let status = ["status_code", "code", "status"].lazy
            .compactMap { error[$0]?.integer ?? error[$0]?.string.flatMap(Int.init) }
            .first { (400..<600).contains($0) }
        let message = Self.message(value) ?? value.text().withoutKey(key).prefixed(200)
        let details = GoogleErrorDetails(value)
        return Failure(
            details.code ?? status.map(Self.code(status:)) ?? .providerError,
            "the provider answered with an error: \(message)".withoutKey(key),
            retryAfterMilliseconds: details.retryAfterMilliseconds)
    }

    static func code(status: Int) -> ErrorCode {
        switch status {
        case 401, 403: .providerAuthentication
        case 429: .providerRateLimited
        case 500...: .providerError
        default: .providerRejected
        }
    }

    /// The sentence in the body of an error: they differ from provider to provider in where it is.
    private static func message(_ value: JSONValue) -> String? {
        // Google wraps its errors into an array.
        let value = value[0] ?? value
        let error = value["error"] ?? .null
        let candidates = [error["message"], error, value["message"], value["detail"], error["type"], error["code"]]
        let message = candidates.lazy.compactMap { $0.flatMap(Self.sentence) }.first
        // OpenRouter says here what the provider behind it said.
        guard let raw = error["metadata"]?["raw"]?.string, !raw.isEmpty else { return message }
        return message.map { "\($0): \(raw)" } ?? raw
    }

    /// A string; of a list of problems, as some web frameworks send it, its JSON.
    private static func sentence(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): text.isEmpty ? nil : text
        case .array(let elements): elements.isEmpty ? nil : value.text()
        case .null, .bool, .number, .object: nil
        }
    }
}

extension String {
    fileprivate func prefixed(_ length: Int) -> String { String(self.prefix(length)) }
}
