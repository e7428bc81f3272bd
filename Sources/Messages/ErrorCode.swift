/// Why a request failed: a closed list (proto/PROTOCOL.md, "Errors").
///
/// The text beside a code is for people and may change; the code is for programs and may not.
public enum ErrorCode: String, CaseIterable, Sendable {
    // The connection: the answer's id is null and the connection closes.
    case invalidFrame = "invalid_frame"
    case invalidJSON = "invalid_json"
    case duplicateID = "duplicate_id"
    case tooManyConnections = "too_many_connections"
    case connectionTimeout = "connection_timeout"

    // The request, refused at the door: nothing ran, no row was written.
    case invalidRequest = "invalid_request"
    case unknownOperation = "unknown_op"
    case notSupported = "not_supported"
    case unknownModel = "unknown_model"
    case noKey = "no_key"
    case notAllowed = "not_allowed"
    case hookFailed = "hook_failed"
    case notFound = "not_found"
    case invalidConfiguration = "invalid_configuration"
    case tooManyRequests = "too_many_requests"
    case overloaded
    case providerUnavailable = "provider_unavailable"
    case logUnavailable = "log_unavailable"
    case secretsUnavailable = "secrets_unavailable"
    case shuttingDown = "shutting_down"

    // The request, after it was admitted.
    case cancelled
    case timeout
    case workerCrashed = "worker_crashed"
    case workerHung = "worker_hung"
    case workerMisbehaved = "worker_misbehaved"
    case answerTooLarge = "answer_too_large"
    case chainLimitExceeded = "chain_limit_exceeded"

    // What the model or its provider said.
    case modelError = "model_error"
    case invalidOptions = "invalid_options"
    case providerUnreachable = "provider_unreachable"
    case providerAuthentication = "provider_authentication"
    case providerRateLimited = "provider_rate_limited"
    case providerRejected = "provider_rejected"
    case providerError = "provider_error"
    case providerInvalidResponse = "provider_invalid_response"

    /// Whether the same request may succeed later, unchanged.
    public var isRetryable: Bool {
        switch self {
        case .tooManyConnections, .connectionTimeout, .tooManyRequests, .overloaded, .providerUnavailable,
            .logUnavailable, .hookFailed,
            .shuttingDown, .timeout, .workerCrashed, .workerHung, .workerMisbehaved, .providerUnreachable,
            .providerRateLimited, .providerError, .providerInvalidResponse:
            true
        case .invalidFrame, .invalidJSON, .duplicateID, .invalidRequest, .unknownOperation, .notSupported,
            .unknownModel,
            .noKey, .notAllowed, .notFound, .secretsUnavailable, .invalidConfiguration, .cancelled, .answerTooLarge,
            .chainLimitExceeded,
            .modelError,
            .invalidOptions,
            .providerAuthentication,
            .providerRejected:
            false
        }
    }

    /// Whether a worker may end a request with this code. The others are the supervisor's to say.
    public var mayComeFromWorker: Bool {
        switch self {
        case .cancelled, .timeout, .answerTooLarge, .modelError, .invalidOptions, .providerUnreachable,
            .providerAuthentication, .providerRateLimited, .providerRejected, .providerError, .providerInvalidResponse:
            true
        default:
            false
        }
    }
}
