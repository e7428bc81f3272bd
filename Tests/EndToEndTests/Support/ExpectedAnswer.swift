import Foundation
import JSON
import Testing

/// What a recorded body says, read by another reader of JSON than Bulkhead's and in the plainest way.
struct ExpectedAnswer: Equatable {
    var text = ""
    var reasoning = ""
    var toolCalls: [Call] = []
    var finishReason: String?
    var inputTokens: Int?
    var outputTokens: Int?
    /// The error that ends it.
    var failure: Failure?

    struct Call: Equatable {
        var id: String?
        var name = ""
        /// As the provider wrote them, read.
        var arguments: NSDictionary = [:]
        fileprivate var pieces = ""
    }

    struct Failure: Equatable {
        var code: String
        /// What the message holds: the provider's own words.
        var message: String
        var isRetryable: Bool
    }

    init(_ recording: Recording) throws {
        if recording.contentType.contains("event-stream") {
            try self.readStream(recording)
        } else {
            try self.readWhole(recording)
        }
        for index in self.toolCalls.indices where !self.toolCalls[index].pieces.isEmpty {
            let text = Data(self.toolCalls[index].pieces.utf8)
            self.toolCalls[index].arguments = try #require(
                try JSONSerialization.jsonObject(with: text) as? NSDictionary)
            self.toolCalls[index].pieces = ""
        }
    }

    private mutating func readWhole(_ recording: Recording) throws {
        let body = try Self.object(recording.body)
        if let error = body["error"] as? [String: Any] {
            self.failure = try Self.failure(error, status: recording.status)
        } else if let choice = (body["choices"] as? [[String: Any]])?.first {
            try self.read(choice, message: "message")
            self.readUsage(body)
        } else {
            self.failure = Failure(code: "provider_invalid_response", message: "no choices", isRetryable: true)
        }
    }

    private mutating func readStream(_ recording: Recording) throws {
        for line in String(decoding: recording.body, as: UTF8.self).components(separatedBy: "\n")
        where line.hasPrefix("data: ") && line != "data: [DONE]" {
            let event = try Self.object(Data(line.dropFirst(6).utf8))
            self.readUsage(event)
            if let error = event["error"] as? [String: Any] {
                self.failure = try Self.failure(error, status: try #require(error["status_code"] as? Int))
                // Calls are told when they are whole, and these are not.
                self.toolCalls = []
                return
            }
            for choice in event["choices"] as? [[String: Any]] ?? [] { try self.read(choice, message: "delta") }
        }
    }

    private mutating func read(_ choice: [String: Any], message: String) throws {
        if let reason = choice["finish_reason"] as? String { self.finishReason = reason }
        guard let message = choice[message] as? [String: Any] else { return }
        self.text += message["content"] as? String ?? ""
        self.reasoning += message["reasoning_content"] as? String ?? message["reasoning"] as? String ?? ""
        for (position, call) in (message["tool_calls"] as? [[String: Any]] ?? []).enumerated() {
            let index = call["index"] as? Int ?? position
            while self.toolCalls.count <= index { self.toolCalls.append(Call()) }
            if let id = call["id"] as? String { self.toolCalls[index].id = id }
            let function = try #require(call["function"] as? [String: Any])
            if let name = function["name"] as? String { self.toolCalls[index].name = name }
            self.toolCalls[index].pieces += function["arguments"] as? String ?? ""
        }
    }

    private mutating func readUsage(_ body: [String: Any]) {
        let usage = body["usage"] as? [String: Any] ?? (body["x_groq"] as? [String: Any])?["usage"] as? [String: Any]
        guard let usage else { return }
        self.inputTokens = usage["prompt_tokens"] as? Int
        self.outputTokens = usage["completion_tokens"] as? Int
    }

    private static func object(_ data: Data) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private static func failure(_ error: [String: Any], status: Int) throws -> Failure {
        let message = try #require(error["message"] as? String)
        return switch status {
        case 429: Failure(code: "provider_rate_limited", message: message, isRetryable: true)
        case 400: Failure(code: "provider_rejected", message: message, isRetryable: false)
        default: throw UnknownStatus(status: status)
        }
    }

    struct UnknownStatus: Error { let status: Int }
}
