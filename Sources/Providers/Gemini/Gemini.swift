import JSON
import Messages
import Transport

/// `POST /models/{model}:generateContent` and `:streamGenerateContent`: Google's Gemini API, version v1beta.
///
/// The key travels in a header and never in the address, where logs and proxies would keep it.
enum Gemini: ProviderAPI {
    typealias Answer = GeminiAnswer
    static var embeddings: (any EmbeddingAPI.Type)? { GeminiEmbeddings.self }

    static func call(_ request: ModelRequest) throws(RequestEnd) -> APICall {
        APICall(
            path:
                "/\(Self.resource(request.model))\(request.stream ? ":streamGenerateContent?alt=sse" : ":generateContent")",
            headers: request.key.map { [HTTPHeader("x-goog-api-key", $0)] } ?? [],
            body: try Self.body(request))
    }

    static func body(_ request: ModelRequest) throws(RequestEnd) -> [JSONValue.Member] {
        let options = try GeminiOptions(request.options)
        let conversation = try GeminiContents(request)
        var members = [JSONValue.Member("contents", .array(conversation.contents))]
        if !conversation.systemTexts.isEmpty {
            let parts = conversation.systemTexts.map { JSONValue.object([.init("text", .string($0))]) }
            members.append(.init("systemInstruction", .object([.init("parts", .array(parts))])))
        }
        let tools = options.serverTools + Self.functionTool(request.tools)
        if !tools.isEmpty { members.append(.init("tools", .array(tools))) }
        let hasServerParts =
            conversation.holdsServerParts || !options.serverTools.isEmpty && Self.tellsServerCalls(request.model)
        if hasServerParts { members.append(.init("toolConfig", Self.toolConfig(request.tools))) }
        let generation = options.generationConfig(schema: request.schema)
        if !generation.isEmpty { members.append(.init("generationConfig", .object(generation))) }
        return members
    }

    /// The model's name in the address. What is not safe in a path is escaped.
    static func resource(_ model: String) -> String {
        let isComplete = ["models/", "tunedModels/"].contains { model.hasPrefix($0) }
        return isComplete ? model.escapedForPath : "models/" + model.escapedForPath
    }

    private static func functionTool(_ tools: [ToolDefinition]) -> [JSONValue] {
        guard !tools.isEmpty else { return [] }
        let declarations = tools.map { tool in
            var members: [JSONValue.Member] = [
                .init("name", .string(tool.name)), .init("description", .string(tool.description ?? "")),
            ]
            // A function without parameters has no schema of them.
            if tool.inputSchema.members?.isEmpty == false {
                members.append(.init("parametersJsonSchema", tool.inputSchema))
            }
            return JSONValue.object(members)
        }
        return [.object([.init("functionDeclarations", .array(declarations))])]
    }

    /// Whether the model can say which of Google's own tools it called. Models before the third generation refuse to.
    private static func tellsServerCalls(_ model: String) -> Bool {
        !["gemini-1", "gemini-2", "gemma-"].contains { model.hasPrefix($0) || model.hasPrefix("models/" + $0) }
    }

    private static func toolConfig(_ tools: [ToolDefinition]) -> JSONValue {
        var members = [JSONValue.Member("includeServerSideToolInvocations", .bool(true))]
        // Google's tools and the client's go together in this mode only.
        if !tools.isEmpty {
            members.append(.init("functionCallingConfig", .object([.init("mode", .string("VALIDATED"))])))
        }
        return .object(members)
    }
}

extension String {
    /// The text with every byte as `%XX` that RFC 3986 does not let stand in a path.
    fileprivate var escapedForPath: String {
        var path = ""
        for byte in self.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "/"):
                path.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                path += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return path
    }
}
