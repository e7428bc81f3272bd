public import JSON
public import Messages

/// A recorded request for a chat completion as a request to us.
public struct RecordedChatRequest {
    public let request: ModelRequest

    public init(_ recorded: JSONValue) throws {
        let own = ["model", "messages", "stream", "stream_options", "tools", "response_format"]
        var options = (recorded.members ?? []).filter { !own.contains($0.name) }
        let tools = recorded["tools"]?.array ?? []
        let others = tools.filter { $0["function"] == nil }
        if !others.isEmpty { options.append(.init("tools", .array(others))) }
        let format = recorded["response_format"]
        if let format, format["type"] == .string("json_object") { options.append(.init("json_object", .bool(true))) }
        self.request = ModelRequest(
            request: ULID("01arz3ndektsv4rrffq69g5fav")!, model: recorded["model"]!.string!,
            stream: recorded["stream"]?.bool ?? false,
            messages: try (recorded["messages"]?.array ?? []).map(Self.message), prompt: "", options: options,
            schema: format?["json_schema"]?["schema"],
            tools: tools.compactMap { $0["function"] }.map { function in
                ToolDefinition(
                    name: function["name"]!.string!, description: function["description"]?.string,
                    inputSchema: function["parameters"] ?? .object([]))
            })
    }

    private static func message(_ message: JSONValue) throws -> ModelMessage {
        let role = ModelMessage.Role(rawValue: message["role"]!.string!)!
        let content = message["content"] ?? .null
        if role == .tool {
            let id = message["tool_call_id"]?.string
            return ModelMessage(
                .tool, [MessagePart(.toolResult(ToolResult(name: "", output: content.string!, toolCallID: id)))])
        }
        var parts: [MessagePart] = []
        if let reasoning = message["reasoning"]?.string { parts.append(MessagePart(.reasoning(reasoning))) }
        if let text = content.string { parts.append(MessagePart(.text(text))) }
        for part in content.array ?? [] {
            if let url = part["image_url"]?["url"]?.string {
                parts.append(MessagePart(.attachment(Attachment(mediaType: nil, .url(url)))))
            } else if let data = part["file"]?["file_data"]?.string {
                let bytes = String(data[data.firstIndex(of: ",")!...].dropFirst())
                parts.append(MessagePart(.attachment(Attachment(mediaType: nil, .content(bytes)))))
            } else {
                parts.append(MessagePart(.text(part["text"]!.string!)))
            }
        }
        for call in message["tool_calls"]?.array ?? [] {
            let function = call["function"]!
            let arguments = Array(function["arguments"]!.string!.utf8)
            parts.append(
                MessagePart(
                    .toolCall(ToolCall(id: call["id"]!.string!, name: function["name"]!.string!, arguments: arguments)))
            )
        }
        return ModelMessage(role, parts)
    }

    /// What a request says, whatever the order of its members, and in one form for what may be said in two.
    public static func essence(_ body: JSONValue) -> [String] {
        var lines = (body["messages"]?.array ?? []).map(Self.message)
        for tool in body["tools"]?.array ?? [] {
            let members = (tool["function"] ?? tool).members ?? []
            let kept = members.filter { $0.name != "strict" && $0.value != .string("") }.sorted { $0.name < $1.name }
            lines.append("tool \(kept.map { "\($0.name) \($0.value.text())" })")
        }
        let format = body["response_format"]
        lines.append("format \(format?["type"]?.string ?? "") \(format?["json_schema"]?["schema"]?.text() ?? "")")
        let own = ["messages", "tools", "response_format", "stream_options"]
        let others = (body.members ?? []).filter { !own.contains($0.name) }.sorted { $0.name < $1.name }
        return lines + others.map { "\($0.name) \($0.value.text())" }
    }

    private static func message(_ message: JSONValue) -> String {
        let content = message["content"] ?? .null
        let parts = content.array ?? [.object([.init("text", content)])]
        let texts = parts.compactMap { $0["text"]?.string }.joined()
        let attachments = parts.compactMap { $0["image_url"]?["url"]?.string ?? $0["file"]?["file_data"]?.string }
        let calls = (message["tool_calls"]?.array ?? []).map { call in
            let arguments = call["function"]?["arguments"]?.string.flatMap { try? JSONValue(parsing: $0) }
            return [call["id"]?.string ?? "", call["function"]?["name"]?.string ?? "", arguments?.text() ?? ""]
        }
        let others = [message["role"]?.string, message["tool_call_id"]?.string, message["reasoning"]?.string]
        return "\(others.map { $0 ?? "" }) \(texts) \(attachments) \(calls)"
    }
}
