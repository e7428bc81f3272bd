import JSON
import Messages

/// What the details of an error say that its status and its headers do not (google.rpc, "error_details.proto").
///
/// Google's APIs send them, its OpenAI-compatible one too:
/// `{"error":{"code":429,"message":"…","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.5s"}]}}`.
/// An error of anyone else has none of this.
struct GoogleErrorDetails {
    /// The code of a key that is none: Google answers it with 400, as it does a request that is wrong.
    private(set) var code: ErrorCode?
    private(set) var retryAfterMilliseconds: Int?

    init(_ body: JSONValue) {
        for detail in (body[0] ?? body)["error"]?["details"]?.array ?? [] {
            switch detail["@type"]?.string {
            case "type.googleapis.com/google.rpc.RetryInfo":
                self.retryAfterMilliseconds = detail["retryDelay"]?.string.flatMap(Self.milliseconds)
            case "type.googleapis.com/google.rpc.ErrorInfo" where detail["reason"]?.string == "API_KEY_INVALID":
                self.code = .providerAuthentication
            default: break
            }
        }
    }

    /// A duration as Protocol Buffers write it in JSON, in seconds: `34.074824224s`. What is less than a millisecond counts
    /// as one.
    private static func milliseconds(_ duration: String) -> Int? {
        guard duration.hasSuffix("s"), let seconds = Double(duration.dropLast()), seconds >= 0 else { return nil }
        return Int(min((seconds * 1000).rounded(.up), Double(Failure.maximumRetryAfterMilliseconds)))
    }
}
