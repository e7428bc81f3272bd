import JSON
import Messages

/// What has been read of a response, whole or as a stream.
///
/// A response is a list of items: messages, reasoning, calls. In a stream the texts of an item come in pieces, and at its end the
/// item as a whole, from which everything else is read. An item that has no end of its own is read from the response at the end.
struct ResponsesAnswer: ProviderAnswer {
    private(set) var usage: Usage?
    private(set) var finishReason: String?
    private(set) var resolvedModel: String?
    private(set) var flaw: String?
    private var hasRefused = false
    private var isOver = false
    /// By their place among the items of the response.
    private var progress: [Int: Progress] = [:]
    /// The message whose text was the last to be handed over, if nothing came after it.
    private var openMessage: Int?

    /// What has been handed over of an item.
    private struct Progress {
        var hasText = false
        /// The part of the reasoning to which the last piece belonged.
        var reasoningPart: String?
        var isWhole = false
    }

    /// How many items one response may have.
    private static let itemBound = 4096

    init(_ context: AnswerContext) {}

    mutating func readWhole(_ value: JSONValue, into output: AnswerOutput, key: String?) throws(RequestEnd) {
        guard value["output"]?.array != nil || value["error"].map({ !$0.isNull }) == true || value["status"] != nil
        else {
            throw .invalidResponse("it has no output")
        }
        try self.readEnd(value, into: output, key: key)
    }

    mutating func read(_ event: ServerSentEvent, into output: AnswerOutput, key: String?) throws(RequestEnd) -> Bool {
        guard !event.data.isEmpty, !event.data.elementsEqual("[DONE]".utf8) else { return true }
        let value = try ProviderJSON.value(event.data, key: key)
        guard value.members != nil else { throw .invalidResponse("an event of its stream is no JSON object") }
        switch value["type"]?.string ?? event.name ?? "" {
        case "response.created", "response.in_progress", "response.queued": self.readHead(value["response"] ?? .null)
        case "response.output_text.delta": try self.text(value["delta"], at: try Self.place(value), to: output)
        case "response.refusal.delta":
            self.hasRefused = true
            try self.text(value["delta"], at: try Self.place(value), to: output)
        case "response.reasoning_summary_text.delta":
            let part = "summary \(value["summary_index"]?.integer ?? 0)"
            try self.reasoning(value["delta"], part: part, at: try Self.place(value), to: output)
        case "response.reasoning_text.delta":
            let part = "content \(value["content_index"]?.integer ?? 0)"
            try self.reasoning(value["delta"], part: part, at: try Self.place(value), to: output)
        case "response.function_call_arguments.delta": try output.progress()
        case "response.output_item.done":
            try self.readItem(value["item"] ?? .null, at: try Self.place(value), into: output)
        case "response.completed", "response.incomplete", "response.failed", "response.cancelled":
            try self.readEnd(value["response"] ?? .null, into: output, key: key)
            return false
        case "error": throw .failed(ResponsesFailure.of(value["error"] ?? value, key: key))
        case "response.audio.delta", "response.output_audio.delta": throw Self.unknownPart("audio")
        default: break
        }
        return true
    }

    func expectComplete() throws(RequestEnd) {
        guard self.isOver else { throw .invalidResponse("its stream ended before the answer did") }
    }

    private static func place(_ event: JSONValue) throws(RequestEnd) -> Int {
        let place = event["output_index"]?.integer ?? 0
        guard (0..<Self.itemBound).contains(place) else {
            throw .failed(.answerTooLarge, "the answer has more than \(Self.itemBound) parts")
        }
        return place
    }

    private mutating func readHead(_ response: JSONValue) {
        if let model = response["model"]?.string, !model.isEmpty { self.resolvedModel = model }
        if let usage = Usage(response["usage"] ?? .null, input: "input_tokens", output: "output_tokens") {
            self.usage = usage
        }
    }

    /// Reads the response at its end, and what of it has not been handed over.
    private mutating func readEnd(_ response: JSONValue, into output: AnswerOutput, key: String?) throws(RequestEnd) {
        self.readHead(response)
        let status = response["status"]?.string
        if let error = response["error"], !error.isNull { throw .failed(ResponsesFailure.of(error, key: key)) }
        switch status {
        case "failed": throw .failed(.providerError, "the provider answered with an error: no message")
        case "cancelled":
            throw .failed(.providerError, "the provider answered with an error: the response was cancelled")
        case "queued", "in_progress": throw .invalidResponse("it is not finished: its status is '\(status ?? "")'")
        default: break
        }
        for (index, item) in (response["output"]?.array ?? []).enumerated() {
            try self.readItem(item, at: try Self.place(.object([.init("output_index", .integer(index))])), into: output)
        }
        self.isOver = true
        let reason = response["incomplete_details"]?["reason"]?.string
        self.finishReason = self.hasRefused ? "refusal" : reason ?? status
        if self.hasRefused {
            self.flaw = "the model refused to give one"
        } else if reason != nil || status == "incomplete" {
            self.flaw = "it ended in its middle (\(reason ?? "incomplete")); allow it more tokens if that is the reason"
        }
    }

    // MARK: Items

    private mutating func readItem(_ item: JSONValue, at place: Int, into output: AnswerOutput) throws(RequestEnd) {
        guard self.progress[place]?.isWhole != true else { return }
        switch item["type"]?.string {
        case "message": try self.readMessage(item, at: place, into: output)
        case "reasoning": try self.readReasoning(item, at: place, into: output)
        case "function_call":
            let id = item["call_id"]?.string ?? item["id"]?.string ?? "call_\(place)"
            let arguments = item["arguments"] ?? .null
            let encoded = arguments.string.map { ToolArguments.encoded($0) } ?? ToolArguments.encoded(arguments)
            try output.toolCall(ToolCall(id: id, name: item["name"]?.string ?? "", arguments: encoded))
            self.openMessage = nil
        // An opaque summary of what was said before, which must be sent again.
        case "compaction":
            let kept = JSONValue.object([.init("item", item)])
            try output.metadata(PartMetadata(.reasoning, .object([.init("openai", kept)]), isRedacted: true))
            self.openMessage = nil
        case "custom_tool_call", "computer_call", "local_shell_call", "shell_call", "apply_patch_call",
            "mcp_approval_request":
            throw .failed(
                .modelError,
                "the model asks for a '\(item["type"]?.string ?? "")', which the client would have to run or to approve; this "
                    + "version passes on the calls of functions only")
        case nil: throw .invalidResponse("an item of it has no type")
        default:
            let tool = ResponsesToolItem(item, id: item["id"]?.string ?? "item_\(place)")
            try output.toolCall(tool.call)
            try output.metadata(PartMetadata(.toolCall, tool.metadata))
            try output.toolResult(tool.result)
            self.openMessage = nil
        }
        self.progress[place, default: Progress()].isWhole = true
    }

    private mutating func readMessage(_ item: JSONValue, at place: Int, into output: AnswerOutput) throws(RequestEnd) {
        let wasStreamed = self.progress[place]?.hasText == true
        var annotations: [JSONValue] = []
        for part in item["content"]?.array ?? [] {
            switch part["type"]?.string {
            case "output_text":
                if !wasStreamed { try self.text(part["text"], at: place, to: output) }
                annotations += part["annotations"]?.array ?? []
            case "refusal":
                self.hasRefused = true
                if !wasStreamed { try self.text(part["refusal"], at: place, to: output) }
            case let type: throw Self.unknownPart(type ?? "without a type")
            }
        }
        var members: [JSONValue.Member] = []
        if let phase = item["phase"], !phase.isNull { members.append(.init("phase", phase)) }
        if !annotations.isEmpty { members.append(.init("annotations", .array(annotations))) }
        guard !members.isEmpty, self.openMessage == place else { return }
        try output.metadata(PartMetadata(.text, .object([.init("openai", .object(members))])))
        self.openMessage = nil
    }

    /// What llm keeps of an item of reasoning, so that either of the two can continue a conversation.
    private mutating func readReasoning(_ item: JSONValue, at place: Int, into output: AnswerOutput) throws(RequestEnd)
    {
        if self.progress[place]?.reasoningPart == nil {
            for name in ["summary", "content"] {
                for (index, part) in (item[name]?.array ?? []).enumerated() {
                    try self.reasoning(part["text"], part: "\(name) \(index)", at: place, to: output)
                }
            }
        }
        let members = ["id", "encrypted_content", "summary", "content"].compactMap { name -> JSONValue.Member? in
            guard let value = item[name], !value.isNull, value.array?.isEmpty != true else { return nil }
            return .init(name, value)
        }
        let metadata = members.isEmpty ? nil : JSONValue.object([.init("openai", .object(members))])
        let isRedacted = self.progress[place]?.reasoningPart == nil
        try output.metadata(PartMetadata(.reasoning, metadata, isRedacted: isRedacted))
        self.openMessage = nil
    }

    private mutating func text(_ value: JSONValue?, at place: Int, to output: AnswerOutput) throws(RequestEnd) {
        guard let text = value?.string, !text.isEmpty else { return }
        // Two messages in a row stay two parts.
        if let open = self.openMessage, open != place { try output.metadata(PartMetadata(.text, nil)) }
        try output.text(text)
        self.openMessage = place
        self.progress[place, default: Progress()].hasText = true
    }

    /// Hands over a piece of reasoning, with an empty line before each part of an item but the first.
    private mutating func reasoning(
        _ value: JSONValue?, part: String, at place: Int, to output: AnswerOutput
    ) throws(RequestEnd) {
        guard let text = value?.string, !text.isEmpty else { return }
        let before = self.progress[place]?.reasoningPart
        try output.reasoning(before == nil || before == part ? text : "\n\n" + text)
        self.progress[place, default: Progress()].reasoningPart = part
        self.openMessage = nil
    }

    private static func unknownPart(_ name: String) -> RequestEnd {
        .failed(
            .modelError,
            "the answer has a part '\(name.truncated(toUTF8Length: 64))', and this version passes on text, reasoning and "
                + "tool calls only")
    }
}
