import JSON
import Messages

/// OpenAI itself: the Responses API, or with llm's option `chat_completions` the older one, which alone takes sounds and a few
/// options.
enum OpenAI: ProviderAPI {
    typealias Answer = OpenAIAnswer
    static var embeddings: (any EmbeddingAPI.Type)? { OpenAIEmbeddings.self }

    static func call(_ request: ModelRequest) throws(RequestEnd) -> APICall {
        let options = try OpenAIOptions(request)
        return options.wantsChatCompletions
            ? try ChatCompletions.call(request, to: .openAI) : try Responses.call(request)
    }
}

extension OpenAI {
    static func modelsCall(after cursor: String?, key: String?, to kind: ProviderSettings.Kind) -> APICall {
        ChatModels.call(key: key)
    }

    static func modelPage(_ value: JSONValue) -> ModelPage? { ChatModels.page(value) }
}

/// The answer of whichever of the two was asked.
enum OpenAIAnswer: ProviderAnswer {
    case response(ResponsesAnswer)
    case chatCompletion(ChatAnswer)

    /// Stands for the answer while that is changed.
    case changing

    init(_ context: AnswerContext) {
        let wantsChatCompletions = context.options.contains { $0 == .init("chat_completions", .bool(true)) }
        self = wantsChatCompletions ? .chatCompletion(ChatAnswer(context)) : .response(ResponsesAnswer(context))
    }

    private var answer: any ProviderAnswer {
        switch self {
        case .response(let answer): answer
        case .chatCompletion(let answer): answer
        case .changing: preconditionFailure("an answer is used while it is changed")
        }
    }

    var usage: Usage? { self.answer.usage }
    var finishReason: String? { self.answer.finishReason }
    var resolvedModel: String? { self.answer.resolvedModel }
    var flaw: String? { self.answer.flaw }

    mutating func readWhole(_ value: JSONValue, into output: AnswerOutput, key: String?) throws(RequestEnd) {
        try self.change { answer throws(RequestEnd) in try answer.readWhole(value, into: output, key: key) }
    }

    mutating func read(_ event: ServerSentEvent, into output: AnswerOutput, key: String?) throws(RequestEnd) -> Bool {
        try self.change { answer throws(RequestEnd) in try answer.read(event, into: output, key: key) }
    }

    func expectComplete() throws(RequestEnd) { try self.answer.expectComplete() }

    mutating func finish(into output: AnswerOutput) throws(RequestEnd) {
        try self.change { answer throws(RequestEnd) in try answer.finish(into: output) }
    }

    /// Lets `body` change the answer in its place. What it had read before an error stays read: usage, for one.
    private mutating func change<Result>(
        _ body: (inout any ProviderAnswer) throws(RequestEnd) -> Result
    ) throws(RequestEnd) -> Result {
        var answer = self.answer
        // Not held twice, so that a change does not copy it.
        self = .changing
        defer {
            if let response = answer as? ResponsesAnswer { self = .response(response) }
            if let completion = answer as? ChatAnswer { self = .chatCompletion(completion) }
        }
        return try body(&answer)
    }
}
