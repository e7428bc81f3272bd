import Foundation

extension ExpectedAnswer {
    mutating func readGemini(_ recording: Recording) throws {
        self.serverCalls = nil
        self.serverPartCount = 0
        var usage: [String: Any] = [:]
        for response in try recording.objects() {
            usage = response["usageMetadata"] as? [String: Any] ?? usage
            let model = response["modelVersion"] as? String ?? self.resolvedModel
            self.resolvedModel = model?.replacingOccurrences(of: "models/", with: "")
            let candidate = (response["candidates"] as? [[String: Any]])?.first ?? [:]
            let content = candidate["content"] as? [String: Any] ?? [:]
            for part in content["parts"] as? [[String: Any]] ?? [] { self.read(part) }
            guard let reason = candidate["finishReason"] as? String else { continue }
            if reason == "STOP" || reason == "MAX_TOKENS" {
                self.finishReason = reason
            } else {
                self.failure = Failure(code: "provider_rejected", message: reason, isRetryable: false)
            }
        }
        func sum(_ names: String...) -> Int { names.reduce(0) { $0 + (Self.count(usage[$1]) ?? 0) } }
        self.inputTokens = sum("promptTokenCount", "toolUsePromptTokenCount")
        self.outputTokens = sum("candidatesTokenCount", "thoughtsTokenCount")
        self.details = NSDictionary(
            dictionary: usage.filter { !["promptTokenCount", "totalTokenCount"].contains($0.key) })
        // The provider's own sum is the second opinion on ours.
        if sum("totalTokenCount") != self.inputTokens! + self.outputTokens! {
            throw UnreadableRecording(name: recording.name)
        }
    }

    private mutating func read(_ part: [String: Any]) {
        if let call = part["functionCall"] as? [String: Any] {
            let arguments = call["args"] as? NSDictionary ?? [:]
            self.calls.append(Call(id: call["id"] as? String, name: call["name"] as? String, arguments: arguments))
        } else if let text = part["text"] as? String {
            if part["thought"] as? Bool == true { self.reasoning += text } else { self.text += text }
        } else {
            self.serverPartCount! += 1
        }
    }
}
