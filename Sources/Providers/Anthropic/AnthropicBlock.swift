import JSON
import Messages

/// A block of an answer that has begun: what of it is said at once, and what at its end.
struct AnthropicBlock {
    /// Its place in the answer.
    let index: Int
    let kind: Kind
    /// The block as it began; of a kind without a part of its own, with what came since.
    private(set) var value: JSONValue
    /// The text, of a text or of reasoning, has begun.
    private(set) var hasText = false
    /// The arguments of a call: JSON as text.
    private var input: [UInt8] = []
    private var signature: String
    private var citations: [JSONValue]

    enum Kind: Equatable {
        case text, thinking, redactedThinking
        /// A call that the client answers.
        case call
        /// A call that Anthropic runs itself.
        case serverCall
        case serverResult
        /// A kind that has no part of its own: it is kept as it is.
        case other
    }

    init(_ value: JSONValue, index: Int) {
        self.index = index
        self.value = value
        self.signature = value["signature"]?.string ?? ""
        self.citations = value["citations"]?.array ?? []
        switch value["type"]?.string ?? "" {
        case "text": self.kind = .text
        case "thinking": self.kind = .thinking
        case "redacted_thinking": self.kind = .redactedThinking
        case "tool_use": self.kind = .call
        case "server_tool_use", "mcp_tool_use": self.kind = .serverCall
        case let type: self.kind = type.hasSuffix("_tool_result") ? .serverResult : .other
        }
    }

    /// The name of the tool that is called.
    var name: String { self.value["name"]?.string ?? "" }

    /// Says what the block begins with: in a stream nothing, in a whole answer all of its text.
    mutating func begin(into output: AnswerOutput) throws(RequestEnd) {
        switch self.kind {
        case .text: try self.say(self.value["text"], into: output)
        case .thinking: try self.say(self.value["thinking"], into: output)
        default: break
        }
    }

    /// Takes the next piece of the block in.
    mutating func append(_ delta: JSONValue, into output: AnswerOutput) throws(RequestEnd) {
        switch (delta["type"]?.string, self.kind) {
        case ("text_delta", .text): try self.say(delta["text"], into: output)
        case ("thinking_delta", .thinking): try self.say(delta["thinking"], into: output)
        case ("signature_delta", .thinking): self.signature = delta["signature"]?.string ?? self.signature
        case ("citations_delta", .text): if let citation = delta["citation"] { self.citations.append(citation) }
        case ("input_json_delta", .call), ("input_json_delta", .serverCall):
            self.input += Array((delta["partial_json"]?.string ?? "").utf8)
            guard self.input.count <= ProtocolBounds.lastFrame else {
                throw .failed(.answerTooLarge, "a tool call is longer than \(ProtocolBounds.lastFrame) bytes")
            }
            try output.progress()
        case (_, .other): self.value = self.value.grown(by: delta)
        default: break
        }
    }

    private mutating func say(_ text: JSONValue?, into output: AnswerOutput) throws(RequestEnd) {
        guard let text = text?.string, !text.isEmpty else { return }
        self.hasText = true
        if self.kind == .text { try output.text(text) } else { try output.reasoning(text) }
    }

    /// Says what is known at the block's end.
    ///
    /// - Returns: Whether more of the same kind would still be taken for the same part.
    func end(into output: AnswerOutput) throws(RequestEnd) -> Bool {
        switch self.kind {
        case .text:
            guard !self.citations.isEmpty else { return self.hasText }
            try self.mark(.text, [.init("citations", .array(self.citations))], into: output)
        case .thinking:
            guard !self.signature.isEmpty else { return self.hasText }
            try self.mark(
                .reasoning, [.init("signature", .string(self.signature))], isRedacted: !self.hasText, into: output)
        case .redactedThinking:
            try self.mark(
                .reasoning, [.init("type", .string("redacted_thinking")), .init("data", self.value["data"] ?? .null)],
                isRedacted: true, into: output)
        case .other: try self.mark(.reasoning, [.init("block", self.value)], isRedacted: true, into: output)
        case .call, .serverCall: try self.endCall(into: output)
        case .serverResult: try self.endResult(into: output)
        }
        return false
    }

    /// Marks the part of this block; one that has no text begins here, and is not taken for the one before.
    private func mark(
        _ target: PartMetadata.Target, _ members: [JSONValue.Member], isRedacted: Bool = false,
        into output: AnswerOutput
    ) throws(RequestEnd) {
        if !self.hasText { try target == .text ? output.text("") : output.reasoning("") }
        try output.metadata(PartMetadata(target, Self.metadata(members), isRedacted: isRedacted))
    }

    private static func metadata(_ members: [JSONValue.Member]) -> JSONValue? {
        members.isEmpty ? nil : .object([.init(Anthropic.name, .object(members))])
    }

    private func endCall(into output: AnswerOutput) throws(RequestEnd) {
        guard let id = self.value["id"]?.string, !id.isEmpty else {
            throw .invalidResponse("the call of tool '\(self.name)' has no id")
        }
        let arguments =
            self.input.isEmpty
            ? ToolArguments.encoded(self.value["input"] ?? .null)
            : ToolArguments.encoded(String(decoding: self.input, as: UTF8.self))
        let isServerExecuted = self.kind == .serverCall
        try output.toolCall(
            ToolCall(
                id: id, name: self.name, arguments: arguments, isServerExecuted: isServerExecuted))
        let rest = self.rest(without: ["id", "name", "input"], keepsType: isServerExecuted).map { member in
            // llm's name for it.
            JSONValue.Member(member.name == "server_name" ? "mcp_server_name" : member.name, member.value)
        }
        if let metadata = Self.metadata(rest) { try output.metadata(PartMetadata(.toolCall, metadata)) }
    }

    /// The content of a result is a list or an object, and becomes the output as JSON; a text stays one, and is kept
    /// beside it to tell the two apart.
    private func endResult(into output: AnswerOutput) throws(RequestEnd) {
        let content = self.value["content"] ?? .null
        let type = self.value["type"]?.string ?? ""
        let text = content.isNull ? "" : content.string ?? content.text()
        try output.toolResult(
            ToolResult(
                name: String(type.dropLast("_tool_result".count)), output: text,
                toolCallID: self.value["tool_use_id"]?.string, isServerExecuted: true))
        let known = content.string == nil ? ["tool_use_id", "content"] : ["tool_use_id"]
        try output.metadata(
            PartMetadata(.toolResult, Self.metadata(self.rest(without: known, keepsType: true))))
    }

    /// The members that say more than that nothing is special.
    private func rest(without known: [String], keepsType: Bool) -> [JSONValue.Member] {
        (self.value.members ?? []).filter { member in
            switch member.name {
            case "type": keepsType
            case "caller" where member.value["type"] == .string("direct"): false
            default: !known.contains(member.name) && !member.value.isNull
            }
        }
    }
}

extension JSONValue {
    /// The object with the members of a piece: a text grows, anything else takes the place of what was there.
    fileprivate func grown(by piece: JSONValue) -> JSONValue {
        var members = self.members ?? []
        for member in piece.members ?? [] where member.name != "type" && !member.value.isNull {
            if let place = members.firstIndex(where: { $0.name == member.name }) {
                if let before = members[place].value.string, let more = member.value.string {
                    members[place].value = .string(before + more)
                } else {
                    members[place].value = member.value
                }
            } else {
                members.append(member)
            }
        }
        return .object(members)
    }
}
