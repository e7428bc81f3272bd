public import Foundation
public import JSON

/// An answer as its frames say it, those of a slot or those that a client gets.
public struct ReadAnswer {
    public private(set) var events: [String] = []
    public private(set) var text = ""
    public private(set) var reasoning = ""
    public private(set) var calls: [Call] = []
    /// How many results are of tools that the provider ran.
    public private(set) var serverResultCount = 0
    /// The `done` or `error`; `null` until it has come.
    public private(set) var last = JSONValue.null
    public private(set) var error: (code: String, message: String, isRetryable: Bool?)?

    public struct Call: CustomStringConvertible {
        public var id: String
        public var name: String
        public var arguments: NSDictionary?
        public var isServerExecuted: Bool

        public var description: String { "\(self.id) \(self.name) \(self.arguments ?? [:])" }
    }

    public init() {}

    public init(_ frames: [JSONValue]) { for frame in frames { self.read(frame) } }

    public var isComplete: Bool { self.last != .null }
    public var finishReason: String? { self.last["finish_reason"]?.string }
    public var resolvedModel: String? { self.last["resolved_model"]?.string }
    public var inputTokens: Int? { self.last["usage"]?["input"]?.integer }
    public var outputTokens: Int? { self.last["usage"]?["output"]?.integer }
    public var details: NSDictionary? { self.last["usage"]?["details"].flatMap(Self.object) }

    public mutating func read(_ frame: JSONValue) {
        let event = frame["event"]?.string ?? ""
        self.events.append(event)
        self.read(event, frame)
        guard event == "done" || event == "error" else { return }
        self.last = frame
        if let error = frame["error"] {
            self.error = (
                error["code"]?.string ?? "", error["message"]?.string ?? "", error["retryable"]?.bool
            )
        }
        // A whole answer says everything a second time as events where its texts and calls are not all of it.
        self.text += frame["text"]?.string ?? ""
        self.reasoning += frame["reasoning"]?.string ?? ""
        for call in frame["tool_calls"]?.array ?? [] { self.read("tool_call", call) }
        for event in frame["events"]?.array ?? [] where event["event"] == .string("tool_result") {
            self.read("tool_result", event)
        }
    }

    private mutating func read(_ event: String, _ value: JSONValue) {
        switch event {
        case "text": self.text += value["text"]?.string ?? ""
        case "reasoning": self.reasoning += value["text"]?.string ?? ""
        case "tool_call":
            self.calls.append(
                Call(
                    id: value["tool_call_id"]?.string ?? "", name: value["name"]?.string ?? "",
                    arguments: value["arguments"].flatMap(Self.object),
                    isServerExecuted: value["server_executed"]?.bool ?? false))
        case "tool_result": self.serverResultCount += 1
        default: break
        }
    }

    private static func object(_ value: JSONValue) -> NSDictionary? {
        try? JSONSerialization.jsonObject(with: Data(value.serialized())) as? NSDictionary
    }
}
