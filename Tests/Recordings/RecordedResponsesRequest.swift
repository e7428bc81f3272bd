public import JSON
public import Messages

/// A recorded request to the Responses API as a request to us.
public struct RecordedResponsesRequest {
    /// `nil` where it cannot be put to us.
    public let request: ModelRequest?

    public init(_ recorded: JSONValue) throws {
        var messages: [ModelMessage] = []
        let input = recorded["input"] ?? .null
        let items = input.array ?? [.object([.init("role", .string("user")), .init("content", input)])]
        var isWhole = true
        for item in items {
            guard let (role, parts) = try Self.parts(item) else {
                isWhole = false
                break
            }
            if role == .assistant, messages.last?.role == .assistant {
                messages[messages.count - 1].parts += parts
            } else {
                messages.append(ModelMessage(role, parts))
            }
        }
        guard isWhole else {
            self.request = nil
            return
        }
        let own = ["model", "input", "instructions", "stream", "tools", "text"]
        var options = (recorded.members ?? []).filter { !own.contains($0.name) }
        var tools: [ToolDefinition] = []
        var others: [JSONValue] = []
        for tool in recorded["tools"]?.array ?? [] {
            guard tool["type"] == .string("function") else {
                others.append(tool)
                continue
            }
            tools.append(
                ToolDefinition(
                    name: tool["name"]!.string!, description: tool["description"]?.string,
                    inputSchema: tool["parameters"]!))
        }
        if !others.isEmpty { options.append(.init("tools", .array(others))) }
        var schema: JSONValue?
        if let text = recorded["text"] {
            schema = text["format"]?["schema"]
            let rest = (text.members ?? []).filter { schema == nil || $0.name != "format" }
            if !rest.isEmpty { options.append(.init("text", .object(rest))) }
        }
        // A prompt is the last message, and system prompts that are none of the first are messages.
        self.request = ModelRequest(
            request: ULID("01arz3ndektsv4rrffq69g5fav")!, model: recorded["model"]!.string!,
            stream: true, messages: messages, prompt: "", system: recorded["instructions"]?.string, options: options,
            schema: schema, tools: tools)
    }

    private static func parts(_ item: JSONValue) throws -> (ModelMessage.Role, [MessagePart])? {
        switch item["type"]?.string {
        case nil, "message":
            guard let role = item["role"]?.string.flatMap(ModelMessage.Role.init) else { return nil }
            let phase = item["phase"].map { JSONValue.object([.init("openai", .object([.init("phase", $0)]))]) }
            if let text = item["content"]?.string { return (role, [MessagePart(.text(text), providerMetadata: phase)]) }
            return (
                role,
                (item["content"]?.array ?? []).map { part in
                    guard let data = part["file_data"]?.string else {
                        return MessagePart(.text(part["text"]?.string ?? ""), providerMetadata: phase)
                    }
                    let type = data.dropFirst(5).prefix { $0 != ";" }
                    let content = data[data.firstIndex(of: ",")!...].dropFirst()
                    return MessagePart(.attachment(Attachment(mediaType: String(type), .content(String(content)))))
                }
            )
        case "function_call":
            let call = ToolCall(
                id: item["call_id"]!.string!, name: item["name"]!.string!,
                arguments: Array(item["arguments"]!.string!.utf8))
            return (.assistant, [MessagePart(.toolCall(call))])
        case "function_call_output":
            guard let output = item["output"]?.string else { return nil }
            return (
                .tool,
                [MessagePart(.toolResult(ToolResult(name: "", output: output, toolCallID: item["call_id"]!.string)))]
            )
        case "reasoning":
            guard item["encrypted_content"]?.string != nil else { return nil }
            let members = (item.members ?? []).filter { $0.name != "type" }
            let metadata = JSONValue.object([.init("openai", .object(members))])
            return (.assistant, [MessagePart(.reasoning(""), providerMetadata: metadata)])
        case "compaction":
            let metadata = JSONValue.object([.init("openai", .object([.init("item", item)]))])
            return (.assistant, [MessagePart(.reasoning(""), providerMetadata: metadata)])
        default:
            let metadata = JSONValue.object([.init("openai", .object([.init("item", item)]))])
            let call = ToolCall(id: item["id"]!.string!, name: "x", arguments: [123, 125], isServerExecuted: true)
            return (.assistant, [MessagePart(.toolCall(call), providerMetadata: metadata)])
        }
    }

    /// What a request says, in one form for what may be said in two.
    public static func essence(_ body: JSONValue) -> [String] {
        let input = body["input"] ?? .null
        var items = input.array ?? [.object([.init("role", .string("user")), .init("content", input)])]
        var instructions = body["instructions"]?.string
        // The system prompt may stand in either place.
        if instructions == nil, items.first?["role"] == .string("system") {
            instructions = items.removeFirst()["content"]?.string
        }
        var lines = items.compactMap { Self.item($0) }
        lines.append("instructions \(instructions ?? "")")
        for tool in body["tools"]?.array ?? [] {
            let nothing = [JSONValue.null, .string("")]
            let members = (tool.members ?? []).filter { $0.name != "strict" && !nothing.contains($0.value) }
            lines.append("tool \(members.sorted { $0.name < $1.name }.map { "\($0.name) \($0.value.text())" })")
        }
        lines.append("schema \(body["text"]?["format"]?["schema"]?.text() ?? "")")
        let own = ["input", "instructions", "tools", "text", "stream", "store", "include"]
        for member in (body.members ?? []).sorted(by: { $0.name < $1.name }) where !own.contains(member.name) {
            lines.append("\(member.name) \(member.value.text())")
        }
        return lines.sorted()
    }

    private static func item(_ item: JSONValue) -> String? {
        guard let role = item["role"]?.string else {
            let ignored = ["id", "status"]
            let members = (item.members ?? []).filter { !ignored.contains($0.name) }.sorted { $0.name < $1.name }
            return members.map { member in
                let value = member.name == "arguments" ? try? JSONValue(parsing: member.value.string ?? "") : nil
                return "\(member.name) \((value ?? member.value).text())"
            }.joined(separator: ",")
        }
        let parts = item["content"]?.array ?? [.object([.init("text", item["content"] ?? .null)])]
        let texts = parts.compactMap { $0["text"]?.string ?? $0["file_data"]?.string }
        // A message of an answer that says nothing is not sent.
        if role == "assistant", texts.joined().isEmpty { return nil }
        return "\(role) \(texts.joined()) \(item["phase"]?.string ?? "")"
    }
}
