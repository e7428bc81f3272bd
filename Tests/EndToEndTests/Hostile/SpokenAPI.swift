import Foundation
import TestUpstream

/// One of the APIs that providers speak, with the smallest answers in it.
struct SpokenAPI: Sendable {
    /// Of the provider, and of its only model.
    let name: String
    private let type: String
    /// What follows the upstream's address in `base_url`.
    private let base: String
    /// Where requests for a streamed answer arrive, and those for a whole one.
    let streamedPath: String
    let wholePath: String
    /// The events that come before any text.
    let beginning: [String]
    /// The event that says "one ".
    let text: String
    /// The events that end the answer.
    let end: [String]
    /// Whether the last event of ``end`` tells that nothing follows. Otherwise the end of the body does.
    let hasEndMark: Bool
    /// An answer "hello" that is one JSON text.
    let whole: String

    var paths: Set<String> { [self.streamedPath, self.wholePath] }

    /// A line of the configuration's `providers`.
    func configuration(at address: String, key: String = "KEY", more: String = "") -> String {
        "  \(self.name): {type: \(self.type), base_url: \"\(address)\(self.base)\", models: [\(self.name)], key: \(key), slots: 1, retries: 0\(more)}"
    }

    static let all = [chatCompletions, responses, messages, gemini]

    static let chatCompletions = SpokenAPI(
        name: "chat", type: "openai-compatible", base: "/v1", streamedPath: "/v1/chat/completions",
        wholePath: "/v1/chat/completions", beginning: [],
        text: #"{"choices":[{"delta":{"content":"one "}}]}"#,
        end: [#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#, "[DONE]"], hasEndMark: true,
        whole: #"{"choices":[{"message":{"content":"hello"},"finish_reason":"stop"}]}"#)

    static let responses = SpokenAPI(
        name: "responses", type: "openai", base: "/v1", streamedPath: "/v1/responses", wholePath: "/v1/responses",
        beginning: [#"{"type":"response.created","response":{"model":"responses"}}"#],
        text: #"{"type":"response.output_text.delta","output_index":0,"delta":"one "}"#,
        end: [#"{"type":"response.completed","response":{"model":"responses","status":"completed","output":[]}}"#],
        hasEndMark: true,
        whole:
            #"{"status":"completed","output":[{"id":"m","type":"message","content":[{"type":"output_text","text":"hello"}]}]}"#
    )

    static let messages = SpokenAPI(
        name: "messages", type: "anthropic", base: "", streamedPath: "/v1/messages", wholePath: "/v1/messages",
        beginning: [
            #"{"type":"message_start","message":{"model":"messages","usage":{"input_tokens":1,"output_tokens":1}}}"#,
            #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        ],
        text: #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"one "}}"#,
        end: [
            #"{"type":"content_block_stop","index":0}"#,
            #"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#,
            #"{"type":"message_stop"}"#,
        ],
        hasEndMark: true,
        whole: #"{"type":"message","content":[{"type":"text","text":"hello"}],"stop_reason":"end_turn"}"#)

    static let gemini = SpokenAPI(
        name: "gemini", type: "gemini", base: "/v1beta",
        streamedPath: "/v1beta/models/gemini:streamGenerateContent",
        wholePath: "/v1beta/models/gemini:generateContent", beginning: [],
        text: #"{"candidates":[{"content":{"parts":[{"text":"one "}],"role":"model"}}]}"#,
        end: [#"{"candidates":[{"content":{"parts":[],"role":"model"},"finishReason":"STOP"}]}"#], hasEndMark: false,
        whole: #"{"candidates":[{"content":{"parts":[{"text":"hello"}],"role":"model"},"finishReason":"STOP"}]}"#)

    // MARK: Answers

    /// A stream that has said "one ", and then goes on as `steps` say.
    func afterText(_ steps: [UpstreamResponse.Step], headers: [(name: String, value: String)] = []) -> UpstreamResponse
    {
        .events(self.beginning + [self.text], headers: headers, then: steps)
    }

    /// The bytes of a whole stream that says "one ".
    var stream: [UInt8] {
        Array((self.beginning + [self.text] + self.end).map { "data: \($0)\n\n" }.joined().utf8)
    }
}
