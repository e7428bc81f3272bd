import JSON
import Messages
import Transport

/// `POST /chat/completions`: OpenAI's first API, which many others speak.
enum ChatCompletions: ProviderAPI {
    typealias Answer = ChatAnswer
    static var embeddings: (any EmbeddingAPI.Type)? { OpenAIEmbeddings.self }

    /// What the request says itself, so that no option may.
    private static let ownNames = ["model", "messages", "stream", "stream_options"]

    static func call(_ request: ModelRequest) throws(RequestEnd) -> APICall {
        try Self.call(request, to: .openAICompatible)
    }

    static func call(_ request: ModelRequest, to kind: ProviderSettings.Kind) throws(RequestEnd) -> APICall {
        let quirks = ProviderPreset.of(kind)?.quirks ?? ProviderPreset.Quirks()
        let key = request.key.map { [HTTPHeader("authorization", "Bearer \($0)")] } ?? []
        return APICall(
            path: "/chat/completions", headers: key + quirks.headers.map { HTTPHeader($0.name, $0.value) },
            body: try Self.body(request, to: kind, quirks))
    }

    static func modelsCall(after cursor: String?, key: String?, to kind: ProviderSettings.Kind) -> APICall {
        ChatModels.call(key: key, headers: ProviderPreset.of(kind)?.quirks.headers ?? [])
    }

    static func modelPage(_ value: JSONValue) -> ModelPage? { ChatModels.page(value) }

    private static func body(
        _ request: ModelRequest, to kind: ProviderSettings.Kind, _ quirks: ProviderPreset.Quirks
    ) throws(RequestEnd) -> [JSONValue.Member] {
        let options = try OpenAIOptions(request)
        let reasoning = quirks.reasoning.map { ChatReasoning(provider: kind.rawValue, $0) }
        let messages = try ChatMessages(request, imageDetail: options.imageDetail, reasoning: reasoning)
        var members: [JSONValue.Member] = [
            .init("model", .string(request.model)),
            .init("messages", .array(messages.values)),
            .init("stream", .bool(request.stream)),
        ]
        if request.stream, quirks.takesStreamOptions {
            members.append(.init("stream_options", .object([.init("include_usage", .bool(true))])))
        }
        let tools = request.tools.map(Self.tool) + options.tools
        if !tools.isEmpty { members.append(.init("tools", .array(tools))) }
        if let format = try Self.format(request, options) { members.append(.init("response_format", format)) }
        let rest = options.rest.map { option in
            JSONValue.Member(quirks.optionNames[option.name] ?? option.name, option.value)
        }
        return try rest.added(to: members, except: Self.ownNames)
    }

    private static func tool(_ tool: ToolDefinition) -> JSONValue {
        var function: [JSONValue.Member] = [.init("name", .string(tool.name))]
        if let description = tool.description { function.append(.init("description", .string(description))) }
        function.append(.init("parameters", tool.parameters))
        return .object([.init("type", .string("function")), .init("function", .object(function))])
    }

    /// What the answer must look like, in llm's words.
    private static func format(_ request: ModelRequest, _ options: OpenAIOptions) throws(RequestEnd) -> JSONValue? {
        guard let schema = request.schema else {
            return options.wantsObject ? .object([.init("type", .string("json_object"))]) : nil
        }
        guard !options.rest.contains(where: { $0.name == "response_format" }) else {
            throw .failed(.invalidOptions, "option 'response_format' cannot be set together with a schema")
        }
        return .object([
            .init("type", .string("json_schema")),
            .init("json_schema", .object([.init("name", .string("output")), .init("schema", schema)])),
        ])
    }
}
