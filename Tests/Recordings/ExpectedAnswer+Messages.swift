import Foundation

extension ExpectedAnswer {
    mutating func readMessages(_ recording: Recording) throws {
        let objects = try recording.objects()
        let message = try recording.isStreamed ? Self.message(objects) : objects[0]
        if let error = message["error"] as? [String: Any] {
            let text = "HTTP \(recording.status): \(error["message"] as? String ?? "")"
            self.failure = Failure(code: "provider_rejected", message: text, isRetryable: false)
            return
        }
        self.finishReason = message["stop_reason"] as? String
        self.resolvedModel = message["model"] as? String
        for block in message["content"] as? [[String: Any]] ?? [] {
            self.text += block["type"] as? String == "text" ? block["text"] as? String ?? "" : ""
            self.reasoning += block["type"] as? String == "thinking" ? block["thinking"] as? String ?? "" : ""
            guard let type = block["type"] as? String, type.hasSuffix("tool_use") else { continue }
            let call = Call(
                id: block["id"] as? String, name: block["name"] as? String, arguments: block["input"] as? NSDictionary)
            if type == "tool_use" { self.calls.append(call) } else { self.serverCalls?.append(call) }
        }
        let usage = message["usage"] as? [String: Any] ?? [:]
        self.inputTokens = Self.count(usage["input_tokens"])
        self.outputTokens = Self.count(usage["output_tokens"])
        let usual = usage["service_tier"] as? String == "standard" ? ["service_tier"] : []
        self.details = Self.details(usage, without: ["input_tokens", "output_tokens", "inference_geo"] + usual)
    }

    /// Puts a stream together.
    private static func message(_ events: [[String: Any]]) throws -> [String: Any] {
        var message: [String: Any] = [:]
        var content: [[String: Any]] = []
        var arguments = ""
        for event in events {
            let delta = event["delta"] as? [String: Any] ?? [:]
            switch event["type"] as? String {
            case "message_start": message = event["message"] as? [String: Any] ?? [:]
            case "content_block_start":
                content.append(event["content_block"] as? [String: Any] ?? [:])
                arguments = ""
            case "content_block_delta":
                for name in ["text", "thinking"] {
                    guard let more = delta[name] as? String else { continue }
                    content[content.count - 1][name] = (content[content.count - 1][name] as? String ?? "") + more
                }
                arguments += delta["partial_json"] as? String ?? ""
            case "content_block_stop":
                if !arguments.isEmpty { content[content.count - 1]["input"] = try Self.arguments(arguments) }
            case "message_delta":
                message.merge(delta) { $1 }
                let usage = message["usage"] as? [String: Any] ?? [:]
                message["usage"] = usage.merging(event["usage"] as? [String: Any] ?? [:]) { $1 }
            default: break
            }
        }
        message["content"] = content
        return message
    }
}
