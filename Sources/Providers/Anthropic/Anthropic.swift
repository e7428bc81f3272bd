import JSON
import Messages
import Transport

/// `POST /v1/messages`: Anthropic's Messages API, version 2023-06-01.
///
/// Every request asks for a stream, whatever its client wants: an answer may have 128,000 tokens, and a connection that is
/// silent while they are made is cut somewhere on its way.
enum Anthropic: ProviderAPI {
    typealias Answer = AnthropicAnswer

    /// The name of this provider in `provider_metadata`.
    static let name = "anthropic"

    /// What the request says itself, so that no option may.
    private static let ownNames = ["model", "messages", "system", "stream"]
    /// The options that become something else than a member of the body as it is.
    private static let readNames = ["max_tokens", "tools", "output_config", "betas"]

    static func call(_ request: ModelRequest) throws(RequestEnd) -> APICall {
        var headers = Self.headers(key: request.key)
        if let betas = try Self.betas(request) { headers.append(HTTPHeader("anthropic-beta", betas)) }
        return APICall(path: "/v1/messages", headers: headers, body: try Self.body(request))
    }

    static func headers(key: String?) -> [HTTPHeader] {
        [HTTPHeader("anthropic-version", "2023-06-01")] + (key.map { [HTTPHeader("x-api-key", $0)] } ?? [])
    }

    private static func body(_ request: ModelRequest) throws(RequestEnd) -> [JSONValue.Member] {
        let model = AnthropicModel(request.model, request.facts)
        let conversation = try AnthropicConversation(request.conversation, for: model)
        var members: [JSONValue.Member] = [
            .init("model", .string(request.model)),
            .init("max_tokens", request.option("max_tokens") ?? .integer(model.maximumOutput)),
        ]
        if let system = conversation.system { members.append(.init("system", .string(system))) }
        members.append(.init("messages", .array(conversation.messages)))
        members.append(.init("stream", .bool(true)))
        let tools = try Self.tools(request)
        if !tools.isEmpty { members.append(.init("tools", .array(tools))) }
        if let config = try Self.outputConfig(request) { members.append(.init("output_config", config)) }
        return try request.options.filter { !Self.readNames.contains($0.name) }.added(
            to: members, except: Self.ownNames)
    }

    /// Anthropic's own tools, which an option names, and then the request's.
    private static func tools(_ request: ModelRequest) throws(RequestEnd) -> [JSONValue] {
        var tools: [JSONValue] = []
        if let option = request.option("tools") {
            guard let elements = option.array else {
                throw .failed(.invalidOptions, "option 'tools' must be an array of tools as Anthropic defines them")
            }
            tools = elements
        }
        return tools + request.tools.map(Self.tool)
    }

    private static func tool(_ tool: ToolDefinition) -> JSONValue {
        var members: [JSONValue.Member] = [.init("name", .string(tool.name))]
        if let description = tool.description { members.append(.init("description", .string(description))) }
        var schema = tool.inputSchema
        if schema["type"] == nil { schema = .object([.init("type", .string("object"))] + (schema.members ?? [])) }
        members.append(.init("input_schema", schema))
        return .object(members)
    }

    /// The option of this name (effort, a budget of tokens), with the schema in it where there is one.
    private static func outputConfig(_ request: ModelRequest) throws(RequestEnd) -> JSONValue? {
        let option = request.option("output_config")
        guard let schema = request.schema else { return option }
        guard let members = option.map({ $0.members }) ?? [], !members.contains(where: { $0.name == "format" }) else {
            throw .failed(
                .invalidOptions, "option 'output_config' must be an object without 'format': the request has a schema")
        }
        let format = JSONValue.object([
            .init("type", .string("json_schema")), .init("schema", AnthropicSchema.accepted(schema)),
        ])
        return .object(members + [.init("format", format)])
    }

    /// The names of what is not generally available yet, which travel in a header.
    private static func betas(_ request: ModelRequest) throws(RequestEnd) -> String? {
        guard let option = request.option("betas") else { return nil }
        let names = option.array?.compactMap(\.string) ?? []
        guard !names.isEmpty, names.count == option.array?.count, names.allSatisfy(Self.isBeta) else {
            throw .failed(.invalidOptions, "option 'betas' must be an array of names such as \"mcp-client-2025-11-20\"")
        }
        return names.joined(separator: ",")
    }

    private static func isBeta(_ name: String) -> Bool {
        (1...128).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}

extension ModelRequest {
    /// The option of this name, unless it is null.
    fileprivate func option(_ name: String) -> JSONValue? {
        self.options.first { $0.name == name && !$0.value.isNull }?.value
    }
}
