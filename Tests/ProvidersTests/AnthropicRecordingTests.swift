import BlockingChannel
import Foundation
import JSON
import Messages
import Testing

/// Every recorded exchange with the Messages API, served again by another program: the answer must be what the recording
/// holds, and what the next request says of it must be what the recorded message was.
@Suite struct AnthropicRecordingTests {
    /// - Parameter chunk: How long the pieces are in which a body arrives, in bytes; 0 for whole.
    @Test(
        .enabled(if: SharedFolder.holds("tools/replay-upstream"), "the shared folder is not here"),
        arguments: [0, 7, 1])
    func everyRecordedMessageIsGivenAsItWasRecordedAndGoesBack(chunk: Int) throws {
        let shared = try #require(SharedFolder.url)
        let upstream = try ReplayUpstream(shared.appendingPathComponent("tools/replay-upstream"), chunk: chunk)
        let folder = shared.appendingPathComponent("recordings/messages")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
        var kinds: [String: Int] = [:]
        for file in files.sorted() {
            let name = String(file.dropLast(5))
            let recording = try RecordedMessage(try Data(contentsOf: folder.appendingPathComponent(file)))
            for kind in recording.kinds { kinds[kind, default: 0] += 1 }
            let peer = SlotPeer(AnthropicExchange.settings("\(upstream.url)/r/messages/\(name)", model: "m"))
            for (number, isStreamed) in [(1, true), (2, false)] {
                try peer.prompt(number, stream: isStreamed)
                var frames: [[UInt8]] = []
                while let frame = try peer.frame() {
                    frames.append(frame)
                    if ["done", "error"].contains(try JSONValue(parsing: frame)["event"]?.string) { break }
                }
                try recording.expect(frames, "\(name), streamed: \(isStreamed), pieces of \(chunk)")
            }
            #expect(peer.close())
        }
        #expect(files.count >= 56)
        for kind in [
            "text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "web_search_tool_result",
            "mcp_tool_use",
            "mcp_tool_result", "text_editor_code_execution_tool_result", "error", "stream", "cited",
        ] {
            #expect(kinds[kind, default: 0] > 0, "\(kind) was reached")
        }
    }
}

/// One recording, and what it should come to, worked out with Foundation's JSON alone.
private struct RecordedMessage {
    private(set) var kinds: [String] = []
    /// The message; of a stream, put together.
    private var message: [String: Any] = [:]
    private var failure: String?

    init(_ file: Data) throws {
        let recording = try Self.object(file)
        let body = try #require(recording["body"] as? String)
        if (recording["content_type"] as! String).contains("event-stream") {
            self.kinds.append("stream")
            for line in body.split(separator: "\n") where line.hasPrefix("data:") {
                self.read(try Self.object(Data(line.dropFirst(5).utf8)))
            }
        } else {
            self.message = try Self.object(Data(body.utf8))
        }
        if let error = self.message["error"] as? [String: Any] {
            self.failure = error["message"] as? String
            self.kinds.append("error")
        }
        self.kinds += self.content.map { $0["type"] as! String }
        if self.content.contains(where: { $0["citations"] is [Any] }) { self.kinds.append("cited") }
    }

    private static func object(_ data: Data) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private var content: [[String: Any]] { self.message["content"] as? [[String: Any]] ?? [] }

    private mutating func read(_ event: [String: Any]) {
        var content = self.content
        let delta = event["delta"] as? [String: Any] ?? [:]
        switch event["type"] as! String {
        case "message_start": self.message = event["message"] as! [String: Any]
        case "content_block_start": self.message["content"] = content + [event["content_block"] as! [String: Any]]
        case "content_block_delta":
            let last = content.count - 1
            for name in ["text", "thinking", "signature"] {
                guard let more = delta[name] as? String else { continue }
                content[last][name] = (content[last][name] as? String ?? "") + more
            }
            if let more = delta["partial_json"] as? String {
                content[last]["json"] = (content[last]["json"] as? String ?? "") + more
            }
            self.message["content"] = content
        case "content_block_stop":
            if let json = content.last?["json"] as? String {
                content[content.count - 1]["json"] = nil
                content[content.count - 1]["input"] = try? JSONSerialization.jsonObject(with: Data(json.utf8))
            }
            self.message["content"] = content
        case "message_delta":
            self.message.merge(delta) { $1 }
            let usage = self.message["usage"] as? [String: Any] ?? [:]
            self.message["usage"] = usage.merging(event["usage"] as? [String: Any] ?? [:]) { $1 }
        default: break
        }
    }

    private func texts(_ type: String, _ member: String) -> String {
        self.content.filter { $0["type"] as? String == type }.map { $0[member] as! String }.joined()
    }

    func expect(_ frames: [[UInt8]], _ comment: Comment) throws {
        let answer = try Outcome(frames)
        guard self.failure == nil else {
            #expect(answer.failure?.code == .providerRejected, comment)
            #expect(answer.failure?.code.isRetryable == false, comment)
            #expect(answer.failure?.message == self.failure.map { "HTTP 400: \($0)" }, comment)
            return
        }
        #expect(answer.failure == nil, comment)
        #expect(answer.text == self.texts("text", "text"), comment)
        #expect(answer.reasoning == self.texts("thinking", "thinking"), comment)
        let calls = self.content.filter { ($0["type"] as! String).hasSuffix("tool_use") }
        #expect(answer.toolCalls.map { $0[0] } == calls.map { $0["name"] as! String }, comment)
        #expect(answer.toolCallIDs == calls.map { $0["id"] as! String }, comment)
        for (actual, expected) in zip(answer.toolCalls, calls) {
            let arguments = try JSONSerialization.jsonObject(with: Data(actual[1].utf8)) as? NSDictionary
            #expect(arguments == expected["input"] as? NSDictionary, comment)
        }
        #expect(answer.finishReason == self.message["stop_reason"] as? String, comment)
        try self.expectUsage(answer.usage, comment)
        let last = try JSONValue(parsing: try #require(frames.last))
        #expect(last["resolved_model"]?.string == self.message["model"] as? String, comment)
        try self.expectSentBack(frames, comment)
    }

    private func expectUsage(_ actual: Usage?, _ comment: Comment) throws {
        let usage = try #require(self.message["usage"] as? [String: Any])
        #expect(actual?.input == (usage["input_tokens"] as! NSNumber).intValue, comment)
        #expect(actual?.output == (usage["output_tokens"] as! NSNumber).intValue, comment)
        let details = try actual?.details.map { try Self.object(Data($0)) } ?? [:]
        for name in ["cache_read_input_tokens", "cache_creation_input_tokens"] {
            let expected = (usage[name] as? NSNumber)?.intValue ?? 0
            #expect((details[name] as? NSNumber)?.intValue ?? 0 == expected, comment)
        }
        for (name, count) in [("output_tokens_details", "thinking_tokens"), ("server_tool_use", "web_search_requests")]
        {
            let expected = ((usage[name] as? [String: Any])?[count] as? NSNumber)?.intValue ?? 0
            #expect(((details[name] as? [String: Any])?[count] as? NSNumber)?.intValue ?? 0 == expected, comment)
        }
    }

    private func expectSentBack(_ frames: [[UInt8]], _ comment: Comment) throws {
        let sent = try #require(try AnthropicExchange.sentBack(try AnthropicExchange.parts(frames)), comment)
        let expected = self.content.filter { $0["text"] as? String != "" }.map { block in
            (block["caller"] as? [String: Any])?["type"] as? String == "direct"
                ? block.filter { $0.key != "caller" } : block
        }
        let text = String(decoding: try JSONSerialization.data(withJSONObject: expected), as: UTF8.self)
        #expect(try comparable(sent.text()) == comparable(text), comment)
    }
}
