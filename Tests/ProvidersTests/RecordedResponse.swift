import Foundation
import JSON
import Messages
import Recordings
import Testing

/// A recorded response and its items, read with Foundation's JSON alone.
struct RecordedResponse {
    let recording: Recording
    let items: [[String: Any]]
    private let expected: ExpectedAnswer

    var failure: ExpectedAnswer.Failure? { self.expected.failure }

    init(_ recording: Recording) throws {
        self.recording = recording
        self.expected = try ExpectedAnswer(recording)
        let objects = try recording.objects()
        let response = recording.isStreamed ? objects.compactMap { $0["response"] as? [String: Any] }.last : objects[0]
        self.items = response?["output"] as? [[String: Any]] ?? []
        guard recording.isStreamed else { return }
        // The pieces are the text that the response at the end has.
        let pieces = objects.filter { $0["type"] as? String == "response.output_text.delta" }
        #expect(pieces.map { $0["delta"] as! String }.joined() == self.expected.text, "\(recording.name)")
    }

    private static func texts(_ item: [String: Any], _ name: String) -> [String] {
        (item[name] as? [[String: Any]] ?? []).compactMap { $0["text"] as? String }
    }

    func expect(_ answer: Outcome, isStreamed: Bool, _ comment: Comment) {
        self.expected.expect(answer, isStreamed: isStreamed, comment)
        guard self.failure == nil, isStreamed || !answer.parts.isEmpty else { return }
        let hidden = self.items.count { item in
            item["type"] as? String == "reasoning"
                && (Self.texts(item, "summary") + Self.texts(item, "content")).joined().isEmpty
        }
        let redacted = answer.parts.count { $0["event"]?.string == "metadata" && $0["redacted"]?.bool == true }
        #expect(redacted == hidden, comment)
    }

    // MARK: As history

    /// What of an item the provider is to see again.
    static func returned(_ item: [String: Any]) -> [String: Any]? {
        switch item["type"] as? String {
        case "message":
            let text = Self.texts(item, "content").joined()
            guard !text.isEmpty else { return nil }
            var message: [String: Any] = ["role": "assistant", "content": text]
            message["phase"] = item["phase"]
            return message
        case "reasoning":
            guard let encrypted = item["encrypted_content"] as? String else { return nil }
            return [
                "type": "reasoning", "id": item["id"]!, "summary": item["summary"]!, "encrypted_content": encrypted,
            ]
        case "function_call":
            return [
                "type": "function_call", "call_id": item["call_id"]!, "name": item["name"]!,
                "arguments": item["arguments"]!,
            ]
        default: return item
        }
    }

    /// Items without a difference in the spaces of arguments, and in the ciphertexts, of which a stream has one for each event.
    static func normalized(_ items: [Any]) -> NSArray {
        let items = items.map { item -> [String: Any] in
            var item = (item as! NSDictionary) as! [String: Any]
            if item["type"] as? String == "function_call", let arguments = item["arguments"] as? String {
                item["arguments"] = try? JSONSerialization.jsonObject(with: Data(arguments.utf8))
            }
            if item["type"] as? String == "reasoning" { item["encrypted_content"] = "…" }
            return item
        }
        func key(_ item: [String: Any]) -> String { item["type"] as? String ?? "" }
        // The list of an MCP server's tools may come at the end of a stream.
        return NSArray(
            array: items.filter { key($0) != "mcp_list_tools" }
                + items.filter { key($0) == "mcp_list_tools" }.sorted { ($0["id"] as! String) < ($1["id"] as! String) })
    }
}
