import Configuration
import Foundation
import JSON
import Messages
import Testing
import Transport

/// Requests to the Messages API over a prepared transport, and what comes of them.
enum AnthropicExchange {
    static func settings(_ baseURL: String = "http://upstream", model: String = "claude-opus-5") -> ProviderSettings {
        let known = ModelCatalogue.shipped.models(of: .anthropic).first { $0.id == model }
        return ProviderSettings(
            name: "p", kind: .anthropic, models: [known ?? ModelDescription(id: model)], baseURL: baseURL,
            connectTimeoutMilliseconds: 5000)
    }

    static func request(
        _ prompt: String = "hi", model: String = "claude-opus-5", stream: Bool = true, options: String = "{}"
    ) throws -> ModelRequest {
        ModelRequest(
            request: ULID("01arz3ndektsv4rrffq69g5fav")!, model: model, stream: stream, prompt: prompt,
            options: try JSONValue(parsing: options).members ?? [], key: "sk-1")
    }

    /// The body that `request` is sent as; a failure where it is none.
    static func body(
        _ request: ModelRequest, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> JSONValue {
        let transport = FakeTransport(pieces: [])
        let answer = try outcome(of: request, Self.settings(model: request.model), over: transport)
        let comment = "\(answer.failure?.message ?? "")"
        let sent = try #require(transport.requests.first, "\(comment)", sourceLocation: sourceLocation)
        return try JSONValue(parsing: sent.body)
    }

    /// What the answer is, and the parts that it consists of.
    static func answer(_ transport: FakeTransport, to request: ModelRequest) throws -> (Outcome, [MessagePart]) {
        let channel = RecordingChannel()
        let outcome = try run(request, Self.settings(model: request.model), over: transport, channel)
        return (outcome, try Self.parts(channel.frames))
    }

    private static func bytes(_ events: [String]) -> [UInt8] {
        Array(events.map { "event: x\ndata: \($0)\n\n" }.joined().utf8)
    }

    /// How many bytes a stream of these events has.
    static func length(_ events: [String]) -> Int { Self.bytes(events).count }

    static func stream(_ events: [String], cut: [Int] = []) -> FakeTransport {
        let bytes = Self.bytes(events)
        let bounds = [0] + cut + [bytes.count]
        let pieces = zip(bounds, bounds.dropFirst()).map { Array(bytes[$0..<$1]) }
        return FakeTransport(contentType: "text/event-stream; charset=utf-8", pieces: pieces)
    }

    /// Puts the frames of an answer together as the protocol says.
    static func parts(_ frames: [[UInt8]]) throws -> [MessagePart] {
        var parts: [MessagePart] = []
        var isEnded = true
        for event in try frames.flatMap(Self.events) {
            switch event["event"]?.string ?? "" {
            case "text", "reasoning":
                let text = try #require(event["text"]?.string)
                let kind = event["event"]?.string
                if isEnded || parts.last?.type != kind {
                    parts.append(MessagePart(kind == "text" ? .text("") : .reasoning("")))
                }
                parts[parts.count - 1].add(text)
                isEnded = false
            case "tool_call", "tool_result":
                var members = try #require(event.members)
                members[0] = .init("type", try #require(event["event"]))
                parts.append(try MessagePart(.object(members)))
            case "metadata":
                let metadata = try PartMetadata(event)
                guard metadata.target != .message else { continue }
                #expect(parts.last?.type == metadata.target.rawValue, "what is marked has begun")
                parts[parts.count - 1].providerMetadata = metadata.providerMetadata
                if case .reasoning(let text, _) = parts[parts.count - 1].content {
                    parts[parts.count - 1].content = .reasoning(text, isRedacted: metadata.isRedacted)
                }
                isEnded = true
            default: break
            }
        }
        return parts
    }

    /// The events of a frame; of the last one, those of the answer in it.
    private static func events(_ frame: [UInt8]) throws -> [JSONValue] {
        let value = try JSONValue(parsing: frame)
        guard value["event"] == .string("done") else { return [value] }
        if let events = value["events"]?.array { return events }
        let pieces = ["reasoning", "text"].compactMap { name -> JSONValue? in
            guard let text = value[name], text != .string("") else { return nil }
            return .object([.init("event", .string(name)), .init("text", text)])
        }
        return pieces
            + (value["tool_calls"]?.array ?? []).map {
                .object([.init("event", .string("tool_call"))] + ($0.members ?? []))
            }
    }

    /// What the next request says that the assistant said, if `parts` are its message on record.
    static func sentBack(_ parts: [MessagePart], model: String = "claude-opus-5") throws -> JSONValue? {
        var next = try Self.request("next", model: model)
        // Through the record's own form.
        let message = try ModelMessage(try JSONValue(parsing: ModelMessage(.assistant, parts).value.text()))
        next.messages = [ModelMessage(.user, text: "hi"), message]
        next.toolResults = parts.compactMap { part in
            guard case .toolCall(let call) = part.content, !call.isServerExecuted else { return nil }
            return ToolResult(name: call.name, output: "ok", toolCallID: call.id)
        }
        return try Self.body(next)["messages"]?[1]?["content"]
    }
}

extension MessagePart {
    fileprivate mutating func add(_ more: String) {
        switch self.content {
        case .text(let text): self.content = .text(text + more)
        case .reasoning(let text, let isRedacted): self.content = .reasoning(text + more, isRedacted: isRedacted)
        default: Issue.record("no text is added to a part \(self.type)")
        }
    }
}

/// JSON to compare, whatever the order of its members; what is null is not there.
func comparable(_ text: String) throws -> NSObject {
    func cleaned(_ value: Any) -> Any {
        switch value {
        case let object as [String: Any]: object.filter { !($0.value is NSNull) }.mapValues(cleaned)
        case let array as [Any]: array.map(cleaned)
        default: value
        }
    }
    let value = try JSONSerialization.jsonObject(with: Data(text.utf8), options: [.fragmentsAllowed])
    return try #require(cleaned(value) as? NSObject)
}
