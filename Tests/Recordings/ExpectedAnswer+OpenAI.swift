import Foundation

// Chat completions and responses.
extension ExpectedAnswer {
    mutating func readChat(_ recording: Recording) throws {
        var pieces: [(id: String?, name: String?, arguments: String)] = []
        for object in try recording.objects() {
            self.resolvedModel = object["model"] as? String ?? self.resolvedModel
            let usage =
                object["usage"] as? [String: Any] ?? (object["x_groq"] as? [String: Any])?["usage"] as? [String: Any]
            if let usage { self.readUsage(usage, "prompt_tokens", "completion_tokens") }
            if let error = object["error"] as? [String: Any] {
                self.fail(error, status: error["status_code"] as? Int ?? recording.status)
                // Calls are told when they are whole, and these are not.
                return
            }
            guard let choices = object["choices"] as? [[String: Any]] else {
                self.failure = Failure(code: "provider_invalid_response", message: "no choices", isRetryable: true)
                return
            }
            for choice in choices {
                self.finishReason = choice["finish_reason"] as? String ?? self.finishReason
                let message = choice["message"] as? [String: Any] ?? choice["delta"] as? [String: Any] ?? [:]
                self.text += message["content"] as? String ?? ""
                self.reasoning += message["reasoning_content"] as? String ?? message["reasoning"] as? String ?? ""
                for (position, call) in (message["tool_calls"] as? [[String: Any]] ?? []).enumerated() {
                    let index = call["index"] as? Int ?? position
                    while pieces.count <= index { pieces.append((nil, nil, "")) }
                    let function = call["function"] as? [String: Any] ?? [:]
                    pieces[index].id = call["id"] as? String ?? pieces[index].id
                    pieces[index].name = function["name"] as? String ?? pieces[index].name
                    pieces[index].arguments += function["arguments"] as? String ?? ""
                }
            }
        }
        self.calls = try pieces.map { Call(id: $0.id, name: $0.name, arguments: try Self.arguments($0.arguments)) }
    }

    mutating func readResponses(_ recording: Recording) throws {
        // A stream ends with the response as a whole.
        let objects = try recording.objects()
        let ends = recording.isStreamed ? objects.compactMap { $0["response"] as? [String: Any] } : objects
        guard let response = ends.last else { throw UnreadableRecording(name: recording.name) }
        if let error = response["error"] as? [String: Any] { return self.fail(error, status: recording.status) }
        self.resolvedModel = response["model"] as? String
        if let usage = response["usage"] as? [String: Any] { self.readUsage(usage, "input_tokens", "output_tokens") }
        guard response["status"] as? String != "queued" else {
            self.failure = Failure(code: "provider_invalid_response", message: "queued", isRetryable: true)
            return
        }
        let reason = (response["incomplete_details"] as? [String: Any])?["reason"] as? String
        self.finishReason = reason ?? response["status"] as? String
        for item in response["output"] as? [[String: Any]] ?? [] {
            func texts(_ name: String) -> [String] {
                (item[name] as? [[String: Any]] ?? []).compactMap { $0["text"] as? String }
            }
            switch item["type"] as? String {
            case "message": self.text += texts("content").joined()
            case "reasoning": self.reasoning += (texts("summary") + texts("content")).joined(separator: "\n\n")
            case "function_call":
                let arguments = try Self.arguments(item["arguments"] as? String ?? "")
                self.calls.append(
                    Call(id: item["call_id"] as? String, name: item["name"] as? String, arguments: arguments))
            default: self.serverCalls?.append(Call(id: (item["call_id"] ?? item["id"]) as? String))
            }
        }
    }

    private mutating func readUsage(_ usage: [String: Any], _ input: String, _ output: String) {
        self.inputTokens = Self.count(usage[input])
        self.outputTokens = Self.count(usage[output])
        self.details = Self.details(usage, without: [input, output, "total_tokens"])
    }

    private mutating func fail(_ error: [String: Any], status: Int) {
        let isBusy = status == 429
        self.failure = Failure(
            code: isBusy ? "provider_rate_limited" : "provider_rejected", message: error["message"] as? String ?? "",
            isRetryable: isBusy)
    }
}
