import JSON
import Messages

/// Says what it was asked: `echo`, and `echo-needs-key`, which repeats its key too. It answers as llm-echo 0.5 does,
/// byte for byte. `echo-embed` makes vectors (``EchoEmbeddings``).
///
/// The answer is an indented JSON object of the prompt and what came with it, such as the prompts before it in the
/// conversation. A prompt that is a JSON object itself directs it (``EchoDirections``), and its options are
/// ``EchoOptions``. Usage counts words. An attachment is shown without the digest that llm names it by, which no worker
/// can make.
struct Echo: Provider {
    let models: [ModelDescription]
    private let newIdentifier: () -> ULID

    private static let thoughts = ["First I consider the prompt, ", "then I decide what to say."]

    init(_ settings: ProviderSettings, in environment: ProviderEnvironment) {
        let standard = [
            ModelDescription(id: "echo"), ModelDescription(id: "echo-needs-key", needsKey: true),
            ModelDescription(id: "echo-embed"),
        ]
        self.models = settings.models.isEmpty ? standard : settings.models
        self.newIdentifier = environment.newIdentifier
    }

    mutating func run(_ request: ModelRequest, into output: AnswerOutput) throws(RequestEnd) -> SlotCompletion {
        let options = try EchoOptions(request.options)
        let needsKey = self.models.contains { $0.id == request.model && $0.needsKey }
        guard !needsKey || request.key != nil else {
            throw .failed(.modelError, "model '\(request.model)' needs a key; set one for its provider")
        }
        guard request.schema == nil else {
            throw .failed(.modelError, "Echo: \(request.model) does not support schemas")
        }
        let directions = try EchoDirections(request.prompt)
        let text = try self.text(of: request, directions, options, key: needsKey ? request.key : nil)
        if options.isThinking {
            for thought in Self.thoughts { try output.reasoning(thought) }
        }
        try output.text(text)
        for call in directions.toolCalls {
            let id = ToolCall.newID(self.newIdentifier)
            try output.toolCall(ToolCall(id: id, name: call.name, arguments: call.arguments))
        }
        let spoken = options.isThinking ? Self.thoughts + [text] : [text]
        return SlotCompletion(
            usage: Usage(
                input: ([request.prompt, request.system ?? ""] + request.toolResults.map(\.output)).reduce(0) {
                    $0 + $1.pythonWordCount
                },
                output: spoken.reduce(0) { $0 + $1.pythonWordCount }))
    }

    mutating func embed(
        _ request: EmbeddingRequest, into output: EmbeddingOutput
    ) throws(RequestEnd) -> EmbeddingCompletion {
        let embeddings = try EchoEmbeddings(request.options)
        try output.append(request.input.map(embeddings.vector))
        return EmbeddingCompletion(
            usage: Usage(input: request.input.reduce(0) { $0 + $1.pythonWordCount }, output: nil))
    }

    private func text(
        of request: ModelRequest, _ directions: EchoDirections, _ options: EchoOptions, key: String?
    ) throws(RequestEnd) -> String {
        let keyMember = key.map { [JSONValue.Member("key", .string($0))] } ?? []
        switch directions.raw {
        case .null: break
        case .string(let text): return text
        // llm-echo takes an object for the one that it would have made itself.
        case .object(let members): return JSONValue.object(members + keyMember).text(.pythonIndented)
        case let other:
            throw .failed(.modelError, "AttributeError: '\(other.pythonType)' object has no attribute 'split'")
        }
        var members: [JSONValue.Member] = [
            .init("prompt", directions.prompt),
            .init("system", .string(request.system ?? "")),
            .init("attachments", .array(request.attachments.map(Self.shown))),
            .init("stream", .bool(request.stream)),
            .init("previous", .array(Self.previous(request.messages))),
        ]
        if let example = options.exampleBool {
            members.append(.init("options", .object([.init("example_bool", .bool(example))])))
        }
        if !request.toolResults.isEmpty {
            members.append(.init("tool_results", .array(request.toolResults.map(Self.shown))))
        }
        return JSONValue.object(members + keyMember).text(.pythonIndented)
    }

    private static func shown(_ attachment: Attachment) -> JSONValue {
        var url = JSONValue.null
        if case .url(let address) = attachment.source { url = .string(address) }
        return .object([
            .init("type", attachment.mediaType.map(JSONValue.string) ?? .null), .init("path", .null), .init("url", url),
        ])
    }

    private static func shown(_ result: ToolResult) -> JSONValue {
        .object([
            .init("name", .string(result.name)), .init("output", .string(result.output)),
            .init("tool_call_id", result.toolCallID.map(JSONValue.string) ?? .null),
        ])
    }

    /// The prompts of the conversation so far, as they were asked.
    private static func previous(_ messages: [ModelMessage]) -> [JSONValue] {
        messages.filter { $0.role == .user }.map { .object([.init("prompt", .string($0.text))]) }
    }
}
