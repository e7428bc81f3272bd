import Foundation
import JSON
import Messages
import Testing

/// A recorded exchange with Gemini, and what it should come to, worked out with Foundation's JSON alone.
struct GeminiRecording {
    let contentType: String
    let body: [UInt8]
    private(set) var parts: [Part] = []
    private(set) var finishReason: String?
    /// The reason that stopped it.
    private(set) var failure: String?
    private var usage: [String: Any] = [:]
    private var model: String?
    private let request: [String: Any]

    struct Part {
        var native: [String: Any]

        var kind: String {
            if self.native["functionCall"] != nil { return "call" }
            if self.native["text"] == nil { return "server" }
            return self.native["thought"] as? Bool == true ? "reasoning" : "text"
        }
        var text: String { self.native["text"] as? String ?? "" }
    }

    init(_ file: Data) throws {
        let recording = try Self.object(file)
        let body = recording["body"] as! String
        self.contentType = recording["content_type"] as! String
        self.body = Array(body.utf8)
        self.request = recording["request"] as! [String: Any]
        let isStreamed = self.contentType.contains("event-stream")
        let lines = body.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("data: ") }.map { $0.dropFirst(6) }
        for response in isStreamed ? lines.map(String.init) : [body] {
            self.read(try Self.object(Data(response.utf8)))
        }
    }

    private static func object(_ data: Data) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private mutating func read(_ response: [String: Any]) {
        self.usage = response["usageMetadata"] as? [String: Any] ?? self.usage
        self.model = response["modelVersion"] as? String ?? self.model
        let candidate = (response["candidates"] as! [[String: Any]])[0]
        let content = candidate["content"] as? [String: Any] ?? [:]
        self.parts += (content["parts"] as? [[String: Any]] ?? []).map(Part.init)
        guard let reason = candidate["finishReason"] as? String else { return }
        if reason == "STOP" || reason == "MAX_TOKENS" { self.finishReason = reason } else { self.failure = reason }
    }

    // MARK: The answer

    func expect(_ answer: AssembledAnswer, _ comment: Comment) {
        if let failure = self.failure {
            #expect(answer.failure?.code == .providerRejected, comment)
            #expect(answer.failure?.message.contains(failure) == true, comment)
            #expect(answer.failure?.code.isRetryable == false, comment)
        } else {
            #expect(answer.failure == nil, comment)
            #expect(answer.done?["finish_reason"]?.string == self.finishReason, comment)
            let model = self.model?.replacingOccurrences(of: "models/", with: "")
            #expect(answer.done?["resolved_model"]?.string == model, comment)
        }
        #expect(answer.text == self.parts.filter { $0.kind == "text" }.map(\.text).joined(), comment)
        #expect(answer.reasoning == self.parts.filter { $0.kind == "reasoning" }.map(\.text).joined(), comment)
        self.expectCalls(answer.calls.filter { !$0.isServerExecuted }, comment)
        let server = answer.parts.filter { part in
            switch part.content {
            case .toolCall(let call): call.isServerExecuted
            case .toolResult(let result): result.isServerExecuted
            case .text, .reasoning, .attachment: false
            }
        }
        #expect(server.count == self.parts.count { $0.kind == "server" }, comment)
        self.expectUsage(answer.usage, comment)
    }

    private func expectCalls(_ calls: [ToolCall], _ comment: Comment) {
        let expected = self.parts.compactMap { $0.native["functionCall"] as? [String: Any] }
        #expect(calls.map(\.name) == expected.map { $0["name"] as! String }, comment)
        for (call, expected) in zip(calls, expected) {
            let arguments = try? JSONSerialization.jsonObject(with: Data(call.arguments)) as? NSDictionary
            #expect(arguments == (expected["args"] as? NSDictionary ?? [:]), comment)
            #expect(expected["id"] as? String == (call.id.hasPrefix("tc_") ? nil : call.id), comment)
        }
    }

    private func expectUsage(_ usage: Usage?, _ comment: Comment) {
        func count(_ name: String) -> Int { (self.usage[name] as? NSNumber)?.intValue ?? 0 }
        #expect(usage?.input == count("promptTokenCount") + count("toolUsePromptTokenCount"), comment)
        #expect(usage?.output == count("candidatesTokenCount") + count("thoughtsTokenCount"), comment)
        // The provider's own sum.
        let sum = usage.flatMap { $0.input! + $0.output! }
        #expect(sum == count("totalTokenCount"), comment)
        let details = usage?.details.flatMap { try? JSONSerialization.jsonObject(with: Data($0)) as? NSDictionary }
        let rest = self.usage.filter { !["promptTokenCount", "totalTokenCount"].contains($0.key) }
        #expect(details == NSDictionary(dictionary: rest), comment)
    }

    // MARK: What goes back

    /// The parts as the next turn must have them: texts without a signature joined, thoughts without one left out.
    var partsToSendAgain: [NSDictionary] {
        var parts: [[String: Any]] = []
        var isJoinable = false
        for part in self.parts {
            let isSigned = part.native["thoughtSignature"] != nil
            if !isSigned, part.kind == "reasoning" || part.kind == "text" && part.text.isEmpty { continue }
            if !isSigned, isJoinable, part.kind == "text" {
                parts[parts.count - 1]["text"] = parts.last!["text"] as! String + part.text
            } else {
                parts.append(part.native)
            }
            isJoinable = !isSigned && part.kind == "text"
        }
        return parts.map { NSDictionary(dictionary: $0) }
    }

    /// The contents of the request, in the form that we give to theirs: thoughts without a signature are left out, and what
    /// a function returned has the name that the API suggests.
    var turns: [NSDictionary] {
        (self.request["contents"] as! [[String: Any]]).map { content in
            let parts = (content["parts"] as! [[String: Any]]).filter { part in
                part["thought"] as? Bool != true || part["thoughtSignature"] != nil
            }
            return [
                "role": content["role"]!,
                "parts": parts.map { part in
                    guard var response = part["functionResponse"] as? [String: Any] else { return part }
                    let returned = (response["response"] as! [String: Any])["return_value"]!
                    response["response"] = ["output": returned]
                    return ["functionResponse": response]
                },
            ]
        }
    }

    /// The same as messages.
    var history: [ModelMessage] {
        get throws {
            try self.turns.map { turn in
                let parts = try (turn["parts"] as! [[String: Any]]).map { part in
                    let value = try JSONValue(
                        parsing: Array(try JSONSerialization.data(withJSONObject: part)), bounds: .lenient)
                    return Self.messagePart(value)
                }
                let isResult = parts.contains { $0.type == "tool_result" && turn["role"] as? String == "user" }
                let role: ModelMessage.Role = isResult ? .tool : turn["role"] as? String == "user" ? .user : .assistant
                return ModelMessage(role, parts)
            }
        }
    }

    private static func messagePart(_ part: JSONValue) -> MessagePart {
        let metadata = part["thoughtSignature"].map {
            JSONValue.object([.init("gemini", .object([.init("thoughtSignature", $0)]))])
        }
        let native = JSONValue.object([.init("gemini", .object([.init("part", part)]))])
        if let call = part["functionCall"] {
            let content = ToolCall(
                id: call["id"]?.string ?? "", name: call["name"]!.string!, arguments: call["args"]!.serialized())
            return MessagePart(.toolCall(content), providerMetadata: metadata)
        }
        if let response = part["functionResponse"] {
            let result = ToolResult(
                name: "", output: response["response"]!["output"]!.string!, toolCallID: response["id"]?.string)
            return MessagePart(.toolResult(result))
        }
        if part["toolCall"] != nil {
            let call = ToolCall(id: "s", name: "s", arguments: Array("{}".utf8), isServerExecuted: true)
            return MessagePart(.toolCall(call), providerMetadata: native)
        }
        if part["toolResponse"] != nil {
            let result = ToolResult(name: "s", output: "", toolCallID: "s", isServerExecuted: true)
            return MessagePart(.toolResult(result), providerMetadata: native)
        }
        let text = part["text"]!.string!
        return MessagePart(part["thought"] == nil ? .text(text) : .reasoning(text), providerMetadata: metadata)
    }
}
