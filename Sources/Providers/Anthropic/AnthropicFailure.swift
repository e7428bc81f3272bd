import JSON
import Messages

/// Errors in the place of an answer, or after a part of it.
enum AnthropicFailure {
    /// - Parameter value: `{"type":"error","error":{"type":…,"message":…}}`
    static func inAnswer(_ value: JSONValue, key: String?) -> Failure {
        var failure = ProviderFailure.inAnswer(value, key: key)
        switch value["error"]?["type"]?.string {
        case "rate_limit_error": failure.code = .providerRateLimited
        case "authentication_error", "permission_error": failure.code = .providerAuthentication
        case "invalid_request_error", "not_found_error", "request_too_large", "billing_error":
            failure.code = .providerRejected
        default: failure.code = .providerError
        }
        return failure
    }

    /// The model, or who watches it, declined.
    static func refusal(_ details: JSONValue?) -> RequestEnd {
        let category = details?["category"]?.string.map { " (\($0))" } ?? ""
        let explanation = details?["explanation"]?.string.map { ": \($0)" } ?? ""
        return .failed(.modelError, "the model refused this request\(category)\(explanation)")
    }
}
