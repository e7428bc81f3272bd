import Foundation
import JSON
import Messages
import Testing

/// A recorded response, and what it should come to, worked out with Foundation's JSON alone.
struct RecordedResponse {
    let isStream: Bool
    let body: [UInt8]
    private(set) var items: [[String: Any]] = []
    private(set) var failure: (code: ErrorCode, message: String)?
    private var finishReason: String?
    private var usage: [String: Any]?
    private var streamedText = ""

    init(_ file: Data) throws {
        let recording = try Self.object(file)
        let body = try #require(recording["body"] as? String)
        self.body = Array(body.utf8)
        self.isStream = try #require(recording["content_type"] as? String).contains("event-stream")
        guard self.isStream else {
            self.read(try Self.object(Data(body.utf8)), status: (recording["status"] as? NSNumber)?.intValue ?? 0)
            return
        }
        for line in body.split(whereSeparator: \.isNewline) where line.hasPrefix("data:") {
            let data = line.dropFirst(5).drop { $0 == " " }
            guard data != "[DONE]" else { continue }
            let event = try Self.object(Data(data.utf8))
            self.streamedText +=
                event["type"] as? String == "response.output_text.delta" ? event["delta"] as! String : ""
            if event["type"] as? String == "response.completed" {
                self.read(try #require(event["response"] as? [String: Any]), status: 200)
            }
        }
    }

    private static func object(_ data: Data) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private mutating func read(_ response: [String: Any], status: Int) {
        self.usage = response["usage"] as? [String: Any]
        if let error = response["error"] as? [String: Any] {
            self.failure = (status == 429 ? .providerRateLimited : .providerRejected, error["message"] as! String)
        } else if response["status"] as? String == "queued" {
            self.failure = (.providerInvalidResponse, "queued")
        }
        self.items = response["output"] as? [[String: Any]] ?? []
        let incomplete = response["incomplete_details"] as? [String: Any]
        self.finishReason = incomplete?["reason"] as? String ?? response["status"] as? String
    }

    private static func texts(_ item: [String: Any], _ name: String) -> [String] {
        (item[name] as? [[String: Any]] ?? []).compactMap { $0["text"] as? String }
    }

    func expect(_ answer: Outcome, isStreamed: Bool, _ comment: Comment) {
        if let failure = self.failure {
            #expect(answer.failure?.code == failure.code, comment)
            #expect(answer.failure?.message.contains(failure.message) == true, comment)
            #expect(answer.failure?.code.isRetryable == (failure.code == .providerInvalidResponse), comment)
            return
        }
        #expect(answer.failure == nil, comment)
        #expect(answer.finishReason == self.finishReason, comment)
        let text = self.items.filter { $0["type"] as? String == "message" }.flatMap { Self.texts($0, "content") }
            .joined()
        #expect(answer.text == text, comment)
        #expect(!self.isStream || text == self.streamedText, comment)
        let reasoning = self.items.filter { $0["type"] as? String == "reasoning" }.map {
            (Self.texts($0, "summary") + Self.texts($0, "content")).joined(separator: "\n\n")
        }
        #expect(answer.reasoning == reasoning.joined(), comment)
        self.expectCalls(answer, comment)
        #expect(answer.usage?.input == (self.usage?["input_tokens"] as? NSNumber)?.intValue, comment)
        #expect(answer.usage?.output == (self.usage?["output_tokens"] as? NSNumber)?.intValue, comment)
        let details = answer.usage?.details.flatMap { try? Self.object(Data($0)) } ?? [:]
        for (name, member) in [
            ("input_tokens_details", "cached_tokens"), ("output_tokens_details", "reasoning_tokens"),
        ] {
            let recorded = ((self.usage?[name] as? [String: Any])?[member] as? NSNumber)?.intValue ?? 0
            let counted = ((details[name] as? [String: Any])?[member] as? NSNumber)?.intValue ?? 0
            #expect(counted == recorded, comment)
        }
        guard isStreamed || !answer.parts.isEmpty else { return }
        let redacted = answer.parts.count { $0["event"]?.string == "metadata" && $0["redacted"]?.bool == true }
        #expect(redacted == reasoning.count { $0.isEmpty }, comment)
    }

    private func expectCalls(_ answer: Outcome, _ comment: Comment) {
        // In a stream, an item without an end of its own is told at the end.
        let types = ["message", "reasoning"]
        let calls = self.items.filter { !types.contains($0["type"] as! String) }
        #expect(answer.toolCallIDs.sorted() == calls.map { ($0["call_id"] ?? $0["id"]) as! String }.sorted(), comment)
        for call in calls where call["type"] as? String == "function_call" {
            let place = answer.toolCallIDs.firstIndex(of: call["call_id"] as! String) ?? 0
            #expect(answer.toolCalls[place][0] == call["name"] as? String, comment)
            let arguments = try? JSONSerialization.jsonObject(with: Data((call["arguments"] as! String).utf8))
            let actual = try? JSONSerialization.jsonObject(with: Data(answer.toolCalls[place][1].utf8))
            #expect(actual as? NSDictionary == arguments as? NSDictionary, comment)
        }
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
