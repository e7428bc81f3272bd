import JSON
import Messages

/// A part of a message, as a block of a turn.
enum AnthropicPart {
    case block(JSONValue)
    /// There is nothing to send.
    case nothing
    /// The API has no place for it.
    case unsendable

    static func block(_ part: MessagePart, of role: ModelMessage.Role, _ identifiers: inout AnthropicIdentifiers)
        -> Self
    {
        let metadata = part.providerMetadata?[Anthropic.name] ?? .null
        switch (part.content, role) {
        case (.text(let text), .user): return text.isEmpty ? .nothing : .block(Self.text(text))
        case (.text(let text), .assistant):
            guard !text.isEmpty else { return .nothing }
            let citations = metadata["citations"].map { [JSONValue.Member("citations", $0)] } ?? []
            return .block(Self.object("text", [.init("text", .string(text))] + citations))
        case (.reasoning(let text, _), .assistant): return Self.reasoning(text, metadata)
        case (.reasoning, _): return .nothing
        case (.attachment(let attachment), .user):
            return AnthropicAttachment.block(attachment).map(Self.block) ?? .unsendable
        case (.toolCall(let call), .assistant):
            return call.isServerExecuted
                ? Self.serverCall(call, metadata)
                : .block(Self.call("tool_use", identifiers.id(of: call), call, metadata))
        case (.toolResult(let result), .assistant) where result.isServerExecuted:
            return Self.serverResult(result, metadata)
        case (.toolResult(let result), .tool) where !result.isServerExecuted:
            return Self.result(result, id: identifiers.id(of: result))
        default: return .unsendable
        }
    }

    static func text(_ text: String) -> JSONValue { Self.object("text", [.init("text", .string(text))]) }

    private static func object(_ type: String, _ members: [JSONValue.Member]) -> JSONValue {
        .object([.init("type", .string(type))] + members)
    }

    /// Reasoning with its signature, what was encrypted as a whole, or a block that has no part of its own.
    private static func reasoning(_ text: String, _ metadata: JSONValue) -> Self {
        if let block = metadata["block"] { return .block(block) }
        if let data = metadata["data"] { return .block(Self.object("redacted_thinking", [.init("data", data)])) }
        guard let signature = metadata["signature"] else { return .nothing }
        return .block(
            Self.object("thinking", [.init("thinking", .string(text)), .init("signature", signature)]))
    }

    private static func call(_ type: String, _ id: String, _ call: ToolCall, _ metadata: JSONValue) -> JSONValue {
        let input = (try? JSONValue(parsing: call.arguments, bounds: .lenient)) ?? .object([])
        let rest = (metadata.members ?? []).filter { !["type", "mcp_server_name"].contains($0.name) }
        let server = metadata["mcp_server_name"].map { [JSONValue.Member("server_name", $0)] } ?? []
        return Self.object(
            type, [.init("id", .string(id)), .init("name", .string(call.name)), .init("input", input)] + server + rest)
    }

    /// A call that Anthropic ran itself: llm, which may have written it, says so by its id alone.
    private static func serverCall(_ call: ToolCall, _ metadata: JSONValue) -> Self {
        let type =
            metadata["type"]?.string
            ?? (metadata["mcp_server_name"] != nil || call.id.hasPrefix("mcptoolu")
                ? "mcp_tool_use" : call.id.hasPrefix("srvtoolu") ? "server_tool_use" : nil)
        return type.map { .block(Self.call($0, call.id, call, metadata)) } ?? .unsendable
    }

    private static func serverResult(_ result: ToolResult, _ metadata: JSONValue) -> Self {
        let id = result.toolCallID ?? ""
        guard metadata["type"] != nil || id.hasPrefix("srvtoolu") || id.hasPrefix("mcptoolu") else {
            return .unsendable
        }
        var members: [JSONValue.Member] = [.init("tool_use_id", .string(id))]
        members += (metadata.members ?? []).filter { $0.name != "type" }
        if metadata["content"] == nil, let content = try? JSONValue(parsing: result.output, bounds: .lenient) {
            members.append(.init("content", content))
        }
        return .block(Self.object(metadata["type"]?.string ?? "\(result.name)_tool_result", members))
    }

    private static func result(_ result: ToolResult, id: String?) -> Self {
        guard let id else { return .unsendable }
        var members: [JSONValue.Member] = [.init("tool_use_id", .string(id))]
        if result.attachments.isEmpty {
            members.append(.init("content", .string(result.output)))
        } else {
            var blocks = result.output.isEmpty ? [] : [Self.text(result.output)]
            for attachment in result.attachments {
                guard let block = AnthropicAttachment.block(attachment) else { return .unsendable }
                blocks.append(block)
            }
            members.append(.init("content", .array(blocks)))
        }
        if result.exception != nil { members.append(.init("is_error", .bool(true))) }
        return .block(Self.object("tool_result", members))
    }
}
