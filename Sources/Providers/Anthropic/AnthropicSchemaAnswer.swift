import JSON
import Messages

/// The text of an answer that must be JSON, kept to be looked at when the answer is there.
struct AnthropicSchemaAnswer {
    private var text: [UInt8] = []

    /// What was said before a tool was called is not the answer.
    mutating func beginAgain() { self.text = [] }

    mutating func append(_ text: JSONValue?, of block: AnthropicBlock) throws(RequestEnd) {
        guard block.kind == .text, let text = text?.string else { return }
        self.text += Array(text.utf8)
        guard self.text.count <= ProtocolBounds.lastFrame else {
            throw .failed(.answerTooLarge, "the answer is longer than \(ProtocolBounds.lastFrame) bytes")
        }
    }

    /// Throws unless the answer is whole, or is not to be the last: a model that calls tools says its JSON later.
    func expectValid(finishReason: String?) throws(RequestEnd) {
        switch finishReason {
        case "tool_use", "pause_turn": return
        case "max_tokens", "model_context_window_exceeded":
            throw .failed(
                .modelError,
                "the answer was cut off (\(finishReason ?? "")) before its JSON was complete; raise max_tokens")
        default:
            guard (try? JSONValue(parsing: self.text, bounds: .lenient)) != nil else {
                throw .failed(.modelError, "the answer is not the JSON that the schema asks for")
            }
        }
    }
}
