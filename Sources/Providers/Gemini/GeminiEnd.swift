import JSON
import Messages

/// How Gemini ends an answer that is none, or that it did not let be said.
enum GeminiEnd {
    /// A prompt that was not answered at all.
    static func blockedPrompt(_ feedback: JSONValue) -> Failure? {
        guard let reason = feedback["blockReason"]?.string else { return nil }
        return Failure(
            .providerRejected,
            "the provider refused to answer the prompt: \(reason)"
                + Self.detail(feedback["blockReasonMessage"], ratings: feedback["safetyRatings"]))
    }

    /// A candidate that stopped for any reason but its end and the limit of tokens.
    ///
    /// What Google's filters stopped is `provider_rejected`, and what the model did wrong `model_error`: asking again would
    /// mostly come to the same.
    static func failure(_ reason: String, of candidate: JSONValue) -> Failure? {
        let detail = Self.detail(candidate["finishMessage"], ratings: candidate["safetyRatings"])
        switch reason {
        case "STOP", "MAX_TOKENS", "FINISH_REASON_UNSPECIFIED": return nil
        case "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "ESCALATION", "MODEL_ARMOR", "JAILBREAK":
            return Failure(.providerRejected, "the provider stopped the answer: \(reason)\(detail)")
        default:
            return Failure(.modelError, "the model ended without an answer: \(reason)\(detail)")
        }
    }

    /// What Google says about it, and the categories that it blocked.
    private static func detail(_ message: JSONValue?, ratings: JSONValue?) -> String {
        let blocked = (ratings?.array ?? []).filter { $0["blocked"]?.bool == true }.compactMap {
            $0["category"]?.string
        }
        let categories = blocked.isEmpty ? "" : " (\(blocked.joined(separator: ", ")))"
        guard let message = message?.string, !message.isEmpty else { return categories }
        return "\(categories): \(message)"
    }
}
