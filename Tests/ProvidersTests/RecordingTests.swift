import Foundation
import Messages
import Testing

/// Every recorded chat completion, served again by another program: the answer must be what the recording holds.
@Suite struct RecordingTests {
    /// - Parameter chunk: How long the pieces are in which a body arrives, in bytes; 0 for whole.
    @Test(
        .enabled(if: SharedFolder.holds("tools/replay-upstream"), "the shared folder is not here"),
        arguments: [0, 7, 1])
    func everyRecordedAnswerIsGivenAsItWasRecorded(chunk: Int) throws {
        let shared = try #require(SharedFolder.url)
        let upstream = try ReplayUpstream(shared.appendingPathComponent("tools/replay-upstream"), chunk: chunk)
        let folder = shared.appendingPathComponent("recordings/chat-completions")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
        var kinds: [String: Int] = [:]
        for file in files.sorted() {
            let name = String(file.dropLast(5))
            let recording = try Recording(try Data(contentsOf: folder.appendingPathComponent(file)))
            let peer = SlotPeer(OpenAICompatibleTests.settings("\(upstream.url)/r/chat-completions/\(name)"))
            try peer.prompt(1, stream: recording.isStreamed)
            let answer = try peer.outcome()
            recording.expect(answer, "\(name), pieces of \(chunk)")
            kinds[answer.failure?.code.rawValue ?? "done", default: 0] += 1
            kinds["tool calls", default: 0] += answer.toolCalls.isEmpty ? 0 : 1
            kinds["reasoning", default: 0] += answer.reasoning.isEmpty ? 0 : 1
            #expect(peer.close())
        }
        #expect(files.count >= 70)
        for kind in [
            "done", "provider_rejected", "provider_rate_limited", "provider_invalid_response", "tool calls",
            "reasoning",
        ] {
            #expect(kinds[kind, default: 0] > 0, "\(kind) was reached")
        }
    }
}

/// The program that serves recordings, on a port of its own.
final class ReplayUpstream {
    let url: String
    private let process = Process()

    init(_ program: URL, chunk: Int) throws {
        let output = Pipe()
        self.process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        self.process.arguments = ["python3", program.path, "--chunk", "\(chunk)"]
        self.process.standardInput = FileHandle.nullDevice
        self.process.standardOutput = output
        self.process.standardError = FileHandle.nullDevice
        try self.process.run()
        var line: [UInt8] = []
        while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") {
            line.append(byte)
        }
        let words = String(decoding: line, as: UTF8.self).split(separator: " ")
        self.url = try #require(words.first { $0.hasPrefix("http://") }.map { String($0) }, "no port was named")
    }

    // A test's thread may have signals blocked, and what it starts inherits that: only SIGKILL is sure to arrive.
    deinit {
        kill(self.process.processIdentifier, SIGKILL)
        self.process.waitUntilExit()
    }
}

/// One recording, and what it should come to, worked out with Foundation's JSON alone.
private struct Recording {
    let isStreamed: Bool
    private var text = ""
    private var reasoning = ""
    private var calls: [(name: String, arguments: String)] = []
    private var finishReason: String?
    private var usage: [String: Any]?
    private var failure: (code: ErrorCode, message: String)?

    init(_ file: Data) throws {
        let recording = try Self.object(file)
        let body = recording["body"] as! String
        let status = (recording["status"] as! NSNumber).intValue
        self.isStreamed = (recording["request"] as? [String: Any])?["stream"] as? Bool ?? false
        if (recording["content_type"] as! String).contains("event-stream") {
            for line in body.split(whereSeparator: \.isNewline) where line.hasPrefix("data:") {
                let data = line.dropFirst(5).drop { $0 == " " }
                if data != "[DONE]" { self.read(try Self.object(Data(data.utf8)), "delta", status: status) }
            }
        } else {
            self.read(try Self.object(Data(body.utf8)), "message", status: status)
        }
    }

    private static func object(_ data: Data) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private mutating func read(_ value: [String: Any], _ part: String, status: Int) {
        if let error = value["error"] as? [String: Any] {
            let status = (error["status_code"] as? NSNumber)?.intValue ?? status
            let code: ErrorCode = status == 429 ? .providerRateLimited : .providerRejected
            self.failure = (code, error["message"] as! String)
            return
        }
        self.usage = value["usage"] as? [String: Any] ?? self.usage
        guard let choices = value["choices"] as? [[String: Any]] else {
            self.failure = (.providerInvalidResponse, "no choices")
            return
        }
        for choice in choices {
            self.finishReason = choice["finish_reason"] as? String ?? self.finishReason
            guard let message = choice[part] as? [String: Any] else { continue }
            self.text += message["content"] as? String ?? ""
            self.reasoning += message["reasoning_content"] as? String ?? message["reasoning"] as? String ?? ""
            for call in message["tool_calls"] as? [[String: Any]] ?? [] {
                let function = call["function"] as! [String: Any]
                let arguments = function["arguments"] as? String ?? ""
                if let name = function["name"] as? String {
                    self.calls.append((name, arguments))
                } else {
                    self.calls[self.calls.count - 1].arguments += arguments
                }
            }
        }
    }

    func expect(_ answer: Outcome, _ comment: Comment) {
        if let failure = self.failure {
            #expect(answer.failure?.code == failure.code, comment)
            #expect(answer.failure?.message.contains(failure.message) == true, comment)
        } else {
            #expect(answer.failure == nil, comment)
            #expect(answer.finishReason == self.finishReason, comment)
        }
        #expect(answer.text == self.text, comment)
        #expect(answer.reasoning == self.reasoning, comment)
        #expect(answer.toolCalls.map { $0[0] } == self.calls.map(\.name), comment)
        for (actual, expected) in zip(answer.toolCalls, self.calls) {
            let arguments = expected.arguments.isEmpty ? "{}" : expected.arguments
            #expect(Self.dictionary(actual[1]) == Self.dictionary(arguments), comment)
        }
        #expect(answer.usage?.input == (self.usage?["prompt_tokens"] as? NSNumber)?.intValue, comment)
        #expect(answer.usage?.output == (self.usage?["completion_tokens"] as? NSNumber)?.intValue, comment)
        let rest = self.usage?.filter { !["prompt_tokens", "completion_tokens", "total_tokens"].contains($0.key) }
        let details = rest.flatMap { Self.cleaned($0) } as? [String: Any]
        let actual = answer.usage?.details.flatMap { Self.dictionary(String(decoding: $0, as: UTF8.self)) }
        #expect(actual == details.map { NSDictionary(dictionary: $0) }, comment)
    }

    private static func dictionary(_ text: String) -> NSDictionary? {
        try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary
    }

    /// The value without what is zero, null or empty; booleans stay.
    private static func cleaned(_ value: Any) -> Any? {
        switch value {
        case is NSNull: return nil
        case let object as [String: Any]:
            let kept = object.compactMapValues { Self.cleaned($0) }
            return kept.isEmpty ? nil : kept
        case let number as NSNumber:
            let isBoolean = String(cString: number.objCType) == "c"
            return !isBoolean && number.doubleValue == 0 ? nil : number
        default: return value
        }
    }
}
