import JSON
import Messages

/// Makes failures of the errors that the Responses API sends in the place of an answer, or after a part of it.
enum ResponsesFailure {
    static func of(_ error: JSONValue, key: String?) -> Failure {
        let failure = ProviderFailure.inAnswer(.object([.init("error", error)]), key: key)
        return Failure(Self.code(error["code"]?.string ?? error["type"]?.string) ?? failure.code, failure.message)
    }

    /// By the API's own word for what went wrong; `nil` where a status says more.
    private static func code(_ name: String?) -> ErrorCode? {
        switch name {
        case "rate_limit_exceeded", "insufficient_quota": .providerRateLimited
        case "invalid_api_key": .providerAuthentication
        case "server_error", "vector_store_timeout", "timeout": .providerError
        case let name? where name.hasPrefix("invalid_") || name.hasPrefix("image_") || name.hasPrefix("unsupported_"):
            .providerRejected
        case "context_length_exceeded", "empty_image_file", "failed_to_download_image", "data_residency_mismatch",
            "bio_policy", "misalignment_policy_violation", "content_policy_violation":
            .providerRejected
        default: nil
        }
    }
}
