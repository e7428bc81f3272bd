import JSON
import Messages
import Transport

/// `POST /responses`: the API of OpenAI's that takes a model's reasoning back, so that it goes on where it was.
///
/// Nothing is stored at OpenAI unless an option says so (`store`): the conversation is Bulkhead's, and reasoning travels
/// encrypted.
enum Responses {
    /// What the request says itself, so that no option may.
    private static let ownNames = ["model", "input", "instructions", "stream"]
    /// Options of chat completions that this API does not have.
    private static let otherNames = [
        "stop", "seed", "n", "logit_bias", "frequency_penalty", "presence_penalty", "logprobs", "response_format",
        "modalities", "audio", "prediction",
    ]
    private static let encryptedReasoning = JSONValue.string("reasoning.encrypted_content")

    static func call(_ request: ModelRequest) throws(RequestEnd) -> APICall {
        APICall(
            path: "/responses",
            headers: request.key.map { [HTTPHeader("authorization", "Bearer \($0)")] } ?? [],
            body: try Self.body(request))
    }

    private static func body(_ request: ModelRequest) throws(RequestEnd) -> [JSONValue.Member] {
        var options = try OpenAIOptions(request)
        try Self.refuse(options, request)
        let isReasoning = request.facts.can(.reasoning) ?? Self.isReasoningModel(request.model)
        let input = try ResponsesInput(request, imageDetail: options.imageDetail, sendsReasoning: isReasoning)
        var members: [JSONValue.Member] = [
            .init("model", .string(request.model)),
            .init("input", .array(input.items)),
        ]
        if let instructions = input.instructions { members.append(.init("instructions", .string(instructions))) }
        members.append(.init("stream", .bool(request.stream)))
        members.append(.init("store", options.take("store") ?? .bool(false)))
        var include = options.take("include")?.array ?? []
        if isReasoning, !include.contains(Self.encryptedReasoning) { include.append(Self.encryptedReasoning) }
        if !include.isEmpty { members.append(.init("include", .array(include))) }
        let tools = request.tools.map(Self.tool) + options.tools
        if !tools.isEmpty { members.append(.init("tools", .array(tools))) }
        if let text = try Self.text(request, &options) { members.append(.init("text", text)) }
        let reasoning = Self.merged(
            "reasoning", [("reasoning_effort", "effort"), ("reasoning_summary", "summary")], &options)
        if let reasoning { members.append(.init("reasoning", reasoning)) }
        for name in ["max_tokens", "max_completion_tokens"] {
            if let bound = options.take(name) { members.append(.init("max_output_tokens", bound)) }
        }
        return try options.rest.added(to: members, except: Self.ownNames)
    }

    private static func refuse(_ options: OpenAIOptions, _ request: ModelRequest) throws(RequestEnd) {
        if let option = options.rest.first(where: { Self.otherNames.contains($0.name) }) {
            throw .failed(
                .invalidOptions,
                "option '\(option.name)' is not one of OpenAI's Responses API; with the option chat_completions set to true "
                    + "the older API answers, which has it")
        }
        if !request.stream, options.rest.contains(where: { $0 == .init("background", .bool(true)) }) {
            throw .failed(
                .invalidOptions,
                "option 'background' needs stream: true: this version does not come back for an answer later")
        }
        let bounds = ["max_tokens", "max_completion_tokens", "max_output_tokens"]
        let given = options.rest.filter { bounds.contains($0.name) }
        guard given.count <= 1 else {
            throw .failed(
                .invalidOptions, "options '\(given[0].name)' and '\(given[1].name)' say the same; set one of them")
        }
    }

    /// Whether a model reasons of which nothing is known but its name: only those take reasoning back, and the others refuse to be asked for it.
    static func isReasoningModel(_ model: String) -> Bool {
        let name = model.hasPrefix("ft:") ? model.dropFirst(3) : model[...]
        if name.hasPrefix("o"), name.dropFirst().first?.isNumber == true { return true }
        if name.hasPrefix("codex-") || name.hasPrefix("gpt-oss") { return true }
        guard name.hasPrefix("gpt-"), !name.contains("-chat") else { return false }
        return Int(name.dropFirst(4).prefix { $0.isNumber }).map { $0 >= 5 } ?? false
    }

    /// Without `strict: false` the API would rewrite the schema: every argument would be required.
    private static func tool(_ tool: ToolDefinition) -> JSONValue {
        var members: [JSONValue.Member] = [.init("type", .string("function")), .init("name", .string(tool.name))]
        if let description = tool.description { members.append(.init("description", .string(description))) }
        return .object(members + [.init("parameters", tool.parameters), .init("strict", .bool(false))])
    }

    /// The member `text`: what the answer must look like, and how wordy it may be.
    private static func text(
        _ request: ModelRequest, _ options: inout OpenAIOptions
    ) throws(RequestEnd) -> JSONValue? {
        var members = Self.merged("text", [("verbosity", "verbosity")], &options)?.members ?? []
        let format: JSONValue? =
            if let schema = request.schema {
                .object([
                    .init("type", .string("json_schema")), .init("name", .string("output")), .init("schema", schema),
                    .init("strict", .bool(false)),
                ])
            } else {
                options.wantsObject ? .object([.init("type", .string("json_object"))]) : nil
            }
        if let format {
            guard !members.contains(where: { $0.name == "format" }) else {
                throw .failed(
                    .invalidOptions, "the option 'text' cannot have a 'format' together with a schema or 'json_object'")
            }
            members.append(.init("format", format))
        }
        return members.isEmpty ? nil : .object(members)
    }

    /// The option `name`, an object, with options of llm's as members of it; `nil` where there is none of them.
    private static func merged(
        _ name: String, _ parts: [(option: String, member: String)], _ options: inout OpenAIOptions
    ) -> JSONValue? {
        let given = options.take(name)
        var added: [JSONValue.Member] = []
        for part in parts {
            if let value = options.take(part.option) { added.append(.init(part.member, value)) }
        }
        if added.isEmpty { return given }
        let kept = (given?.members ?? []).filter { member in !added.contains { $0.name == member.name } }
        return .object(kept + added)
    }
}
