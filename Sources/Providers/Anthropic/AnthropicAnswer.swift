import JSON
import Messages

/// What has been read of a message, whole or as a stream of events.
///
///     message_start ──▶ content_block_start ──▶ content_block_delta … ──▶ content_block_stop ──▶ … message_delta ──▶ message_stop
///
/// An answer has its blocks one after the other. A call of a client's tool is handed over when what follows it is known: the
/// last of an answer that was cut off is not whole, whatever its arguments look like.
struct AnthropicAnswer: ProviderAnswer {
    private(set) var finishReason: String?
    private(set) var resolvedModel: String?
    private var counts = AnthropicUsage()
    /// The block that is being read.
    private var block: AnthropicBlock?
    /// A call that has ended, until it is known whether it was cut off.
    private var heldCall: AnthropicBlock?
    /// The kind of the part that more text would still be added to.
    private var openPart: AnthropicBlock.Kind?
    private var isBegun = false
    private var isStopped = false

    init(_ context: AnswerContext) {}

    var usage: Usage? { self.counts.usage }
    var isPaused: Bool { self.finishReason == "pause_turn" }

    var flaw: String? {
        switch self.finishReason {
        case "max_tokens", "model_context_window_exceeded":
            "it was cut off (\(self.finishReason ?? "")) before it was complete; raise max_tokens"
        default: nil
        }
    }

    mutating func readWhole(_ value: JSONValue, into output: AnswerOutput, key: String?) throws(RequestEnd) {
        if value["type"] == .string("error") { throw .failed(AnthropicFailure.inAnswer(value, key: key)) }
        guard let content = value["content"]?.array else { throw .invalidResponse("it has no content") }
        self.begin(value)
        for (index, block) in content.enumerated() {
            try self.begin(block, index: index, into: output)
            try self.endBlock(into: output)
        }
        try self.stop(value, into: output)
    }

    mutating func read(_ event: ServerSentEvent, into output: AnswerOutput, key: String?) throws(RequestEnd) -> Bool {
        guard !event.data.isEmpty else { return true }
        let value = try ProviderJSON.value(event.data, key: key)
        switch value["type"]?.string {
        case "message_start": self.begin(value["message"] ?? .null)
        case "content_block_start":
            try self.begin(value["content_block"] ?? .null, index: value["index"]?.integer ?? 0, into: output)
        case "content_block_delta": try self.readDelta(value, into: output)
        case "content_block_stop": try self.endBlock(into: output)
        case "message_delta":
            try self.endBlock(into: output)
            self.counts.read(value["usage"])
            try self.stop(value["delta"] ?? .null, into: output)
        case "message_stop":
            self.isStopped = true
            return false
        case "error": throw .failed(AnthropicFailure.inAnswer(value, key: key))
        // A ping, or an event of a later version of the API, which asks its readers to pass those over.
        case _?: break
        case nil:
            if value["error"] != nil { throw .failed(AnthropicFailure.inAnswer(value, key: key)) }
            throw .invalidResponse("an event of its stream has no type")
        }
        return true
    }

    func expectComplete() throws(RequestEnd) {
        guard self.isBegun || self.finishReason != nil else { throw .invalidResponse("its stream has no message") }
        guard self.isStopped || self.finishReason != nil else {
            throw .invalidResponse("its stream ended before the answer did")
        }
    }

    mutating func finish(into output: AnswerOutput) throws(RequestEnd) {
        try self.endBlock(into: output)
        try self.sayHeldCall(into: output)
    }

    // MARK: The message

    private mutating func begin(_ message: JSONValue) {
        self.isBegun = true
        if let model = message["model"]?.string, !model.isEmpty { self.resolvedModel = model }
        self.counts.read(message["usage"])
    }

    /// Reads why the answer ended: a message, or what an event changes of it.
    private mutating func stop(_ value: JSONValue, into output: AnswerOutput) throws(RequestEnd) {
        if let reason = value["stop_reason"]?.string { self.finishReason = reason }
        if self.finishReason == "refusal" { throw AnthropicFailure.refusal(value["stop_details"]) }
        if let call = self.heldCall, ["max_tokens", "model_context_window_exceeded"].contains(self.finishReason) {
            throw .failed(
                .modelError,
                "the answer was cut off (\(self.finishReason ?? "")) in the call of tool '\(call.name)'; raise max_tokens"
            )
        }
        try self.sayHeldCall(into: output)
        guard let container = value["container"], !container.isNull else { return }
        let metadata = JSONValue.object([.init(Anthropic.name, .object([.init("container", container)]))])
        try output.metadata(PartMetadata(.message, metadata))
    }

    // MARK: Blocks

    private mutating func begin(_ value: JSONValue, index: Int, into output: AnswerOutput) throws(RequestEnd) {
        try self.endBlock(into: output)
        try self.sayHeldCall(into: output)
        var block = AnthropicBlock(value, index: index)
        if block.kind == self.openPart {
            try output.metadata(PartMetadata(block.kind == .text ? .text : .reasoning, nil))
        }
        self.openPart = nil
        try block.begin(into: output)
        self.block = block
    }

    private mutating func readDelta(_ value: JSONValue, into output: AnswerOutput) throws(RequestEnd) {
        guard var block = self.block, block.index == value["index"]?.integer ?? block.index else {
            throw .invalidResponse("a piece of a block that has not begun")
        }
        // Not held twice, so that adding to it does not copy it.
        self.block = nil
        let delta = value["delta"] ?? .null
        try block.append(delta, into: output)
        self.block = block
    }

    private mutating func endBlock(into output: AnswerOutput) throws(RequestEnd) {
        guard let block = self.block else { return }
        self.block = nil
        if block.kind == .call {
            self.heldCall = block
        } else {
            let isOpen = try block.end(into: output)
            self.openPart = isOpen ? block.kind : nil
        }
    }

    private mutating func sayHeldCall(into output: AnswerOutput) throws(RequestEnd) {
        guard let call = self.heldCall else { return }
        self.heldCall = nil
        _ = try call.end(into: output)
    }
}
