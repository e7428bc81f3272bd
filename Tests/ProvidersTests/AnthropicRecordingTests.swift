import BlockingChannel
import Foundation
import JSON
import Messages
import Recordings
import Testing

/// Every recorded exchange with the Messages API, served again by another program: the answer must be what the recording
/// holds, and what the next request says of it must be what the recorded message was.
@Suite struct AnthropicRecordingTests {
    /// - Parameter chunk: How long the pieces are in which a body arrives, in bytes; 0 for whole.
    @Test(
        .enabled(if: ReplayUpstream.isThere, "the shared folder or python3 is not here"),
        arguments: [0, 7, 1])
    func everyRecordedMessageIsGivenAsItWasRecordedAndGoesBack(chunk: Int) throws {
        let upstream = try ReplayUpstream(chunk: chunk)
        let recordings = try Recording.all(in: "messages")
        var kinds: [String: Int] = [:]
        for recorded in recordings {
            let (name, recording) = (recorded.name, try RecordedMessage(recorded))
            for kind in recording.kinds { kinds[kind, default: 0] += 1 }
            let peer = SlotPeer(AnthropicExchange.settings("\(upstream.url)/r/messages/\(name)", model: "m"))
            for (number, isStreamed) in [(1, true), (2, false)] {
                try peer.prompt(number, stream: isStreamed)
                var frames: [[UInt8]] = []
                while let frame = try peer.frame() {
                    frames.append(frame)
                    if ["done", "error"].contains(try JSONValue(parsing: frame)["event"]?.string) { break }
                }
                try recording.expect(
                    frames, isStreamed: isStreamed, "\(name), streamed: \(isStreamed), pieces of \(chunk)")
            }
            #expect(peer.close())
        }
        #expect(recordings.count >= 56)
        for kind in [
            "text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "web_search_tool_result",
            "mcp_tool_use",
            "mcp_tool_result", "text_editor_code_execution_tool_result", "error", "stream", "cited",
        ] {
            #expect(kinds[kind, default: 0] > 0, "\(kind) was reached")
        }
    }
}

/// One recording and its blocks, read with Foundation's JSON alone.
private struct RecordedMessage {
    private(set) var kinds: [String] = []
    /// The message; of a stream, put together.
    private var message: [String: Any] = [:]
    private let expected: ExpectedAnswer

    init(_ recording: Recording) throws {
        self.expected = try ExpectedAnswer(recording)
        let objects = try recording.objects()
        if recording.isStreamed {
            self.kinds.append("stream")
            for event in objects { self.read(event) }
        } else {
            self.message = objects[0]
        }
        if self.expected.failure != nil { self.kinds.append("error") }
        self.kinds += self.content.map { $0["type"] as! String }
        if self.content.contains(where: { $0["citations"] is [Any] }) { self.kinds.append("cited") }
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
        default: break
        }
    }

    func expect(_ frames: [[UInt8]], isStreamed: Bool, _ comment: Comment) throws {
        self.expected.expect(try Outcome(frames), isStreamed: isStreamed, comment)
        if self.expected.failure == nil { try self.expectSentBack(frames, comment) }
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
