import JSON
import Messages

/// A tool that the provider ran itself, as an item of a response: a search, a program, a call of an MCP server, an image.
///
/// It becomes a tool call and its result, for people and programs to see. The item itself is kept beside the call, so that it goes
/// back to the provider as it was.
struct ResponsesToolItem {
    let call: ToolCall
    let result: ToolResult
    /// What the provider wants to see again.
    let metadata: JSONValue

    init(_ item: JSONValue, id: String) {
        let type = item["type"]?.string ?? "unknown"
        let name = type == "mcp_call" ? item["name"]?.string ?? type : String(type.dropSuffix("_call"))
        let image = type == "image_generation_call" ? item["result"]?.string : nil
        self.call = ToolCall(
            id: id, name: name.truncated(toUTF8Length: ProtocolBounds.nameLength),
            arguments: Self.arguments(type, item),
            isServerExecuted: true)
        let exception = type == "mcp_call" ? Self.text(item["error"]) : nil
        self.result = ToolResult(
            name: self.call.name, output: Self.output(type, item) ?? item["status"]?.string ?? "completed",
            toolCallID: id,
            isServerExecuted: true, exception: exception,
            attachments: image.map { [Attachment(mediaType: Self.mediaType(item), .content($0))] } ?? [])
        let kept = image == nil ? item : .object((item.members ?? []).filter { $0.name != "result" })
        self.metadata = .object([.init("openai", .object([.init("item", kept)]))])
    }

    /// The item as it came: an image is not kept twice, but with the result of its call.
    static func restored(_ item: JSONValue, from parts: ArraySlice<MessagePart>, id: String) -> JSONValue {
        guard item["type"] == .string("image_generation_call"), item["result"] == nil, let members = item.members else {
            return item
        }
        for part in parts {
            guard case .toolResult(let result) = part.content, result.toolCallID == id,
                case .content(let image)? = result.attachments.first?.source
            else { continue }
            return .object(members + [.init("result", .string(image))])
        }
        return item
    }

    private static func arguments(_ type: String, _ item: JSONValue) -> [UInt8] {
        switch type {
        case "web_search_call": ToolArguments.encoded(item["action"] ?? .null)
        case "mcp_call": ToolArguments.encoded(item["arguments"]?.string ?? "")
        case "code_interpreter_call": Self.encoded(item, ["code"])
        case "file_search_call": Self.encoded(item, ["queries"])
        case "image_generation_call": Self.encoded(item, ["revised_prompt"])
        case "mcp_list_tools": Self.encoded(item, ["server_label"])
        default: Array("{}".utf8)
        }
    }

    private static func encoded(_ item: JSONValue, _ names: [String]) -> [UInt8] {
        let members = (item.members ?? []).filter { names.contains($0.name) && !$0.value.isNull }
        return ToolArguments.encoded(JSONValue.object(members))
    }

    /// What came of it; `nil` where the item does not say.
    private static func output(_ type: String, _ item: JSONValue) -> String? {
        switch type {
        case "web_search_call", "file_search_call": return Self.list(item["results"])
        case "mcp_list_tools": return Self.list(item["tools"])
        case "mcp_call": return Self.text(item["output"]) ?? Self.text(item["error"])
        case "code_interpreter_call":
            let outputs = (item["outputs"]?.array ?? []).compactMap { $0["logs"]?.string ?? $0["url"]?.string }
            return outputs.isEmpty ? nil : outputs.joined(separator: "\n")
        default: return nil
        }
    }

    private static func list(_ value: JSONValue?) -> String? {
        guard let value, let elements = value.array, !elements.isEmpty else { return nil }
        return value.text()
    }

    private static func text(_ value: JSONValue?) -> String? {
        guard let value, !value.isNull else { return nil }
        return value.string ?? value.text()
    }

    private static func mediaType(_ item: JSONValue) -> String {
        "image/\(item["output_format"]?.string.map { String($0.prefix(16)) } ?? "png")"
    }
}

extension String {
    fileprivate func dropSuffix(_ suffix: String) -> Substring {
        self.hasSuffix(suffix) ? self.dropLast(suffix.count) : self[...]
    }
}
