import Foundation
import JSON
import Messages
import Recordings
import Testing

/// A recorded exchange with Gemini, and what it should come to, worked out with Foundation's JSON alone.
struct GeminiRecording {
    let recording: Recording
    let expected: ExpectedAnswer
    private(set) var parts: [Part] = []
    private let request: [String: Any]

    var contentType: String { self.recording.contentType }
    var body: [UInt8] { self.recording.body }
    /// The reason that stopped it.
    var failure: String? { self.expected.failure?.message }

    struct Part {
        var native: [String: Any]

        var kind: String {
            if self.native["functionCall"] != nil { return "call" }
            if self.native["text"] == nil { return "server" }
            return self.native["thought"] as? Bool == true ? "reasoning" : "text"
        }
        var text: String { self.native["text"] as? String ?? "" }
    }

    init(_ recording: Recording) throws {
        self.recording = recording
        self.expected = try ExpectedAnswer(recording)
        self.request = try #require(try JSONSerialization.jsonObject(with: recording.request) as? [String: Any])
        for response in try recording.objects() {
            let candidate = (response["candidates"] as! [[String: Any]])[0]
            let content = candidate["content"] as? [String: Any] ?? [:]
            self.parts += (content["parts"] as? [[String: Any]] ?? []).map(Part.init)
        }
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
