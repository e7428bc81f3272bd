import JSON
import Messages

/// The options of a request to one of OpenAI's APIs: those that llm has beyond the API's own taken out, the rest as they are.
struct OpenAIOptions {
    /// llm's `image_detail`: how closely images are looked at.
    private(set) var imageDetail: JSONValue?
    /// llm's `json_object`: that the answer be an object.
    private(set) var wantsObject = false
    /// llm's `chat_completions`: that the older API answer, where the provider's type has both.
    private(set) var wantsChatCompletions = false
    /// The option `tools`: those that the provider runs itself, in its own form.
    private(set) var tools: [JSONValue] = []
    /// What the API is told as it is.
    private(set) var rest: [JSONValue.Member] = []

    init(_ request: ModelRequest) throws(RequestEnd) {
        for option in request.options {
            switch option.name {
            case "image_detail": self.imageDetail = option.value
            case "json_object": self.wantsObject = option.value == .bool(true)
            case "chat_completions": self.wantsChatCompletions = option.value == .bool(true)
            case "tools":
                guard let tools = option.value.array else {
                    throw .failed(.invalidOptions, "option 'tools' must be an array of the provider's own tools")
                }
                self.tools = tools
            default: self.rest.append(option)
            }
        }
        guard request.schema == nil || !self.wantsObject else {
            throw .failed(.invalidOptions, "option 'json_object' cannot be set together with a schema")
        }
    }

    /// Takes the option `name` out of the rest.
    mutating func take(_ name: String) -> JSONValue? {
        guard let place = self.rest.firstIndex(where: { $0.name == name }) else { return nil }
        return self.rest.remove(at: place).value
    }
}

extension ToolDefinition {
    /// The schema of the arguments. A tool that takes none needs one that says so.
    var parameters: JSONValue {
        guard self.inputSchema.members?.isEmpty ?? true else { return self.inputSchema }
        return .object([.init("type", .string("object")), .init("properties", .object([]))])
    }
}

extension ModelMessage {
    /// How a request ends that has a part for which an API has no place: the part is named, and nothing left out.
    func unsendable(_ part: MessagePart, number: Int, _ reason: String) -> RequestEnd {
        var detail = ""
        switch part.content {
        case .attachment(let attachment):
            detail = attachment.mediaType.map { " (\($0.truncated(toUTF8Length: 64)))" } ?? ""
        case .toolCall(let call): detail = call.isServerExecuted ? " that a provider ran itself" : ""
        case .toolResult(let result):
            detail = result.isServerExecuted ? " that a provider ran itself" : ""
        case .text, .reasoning: break
        }
        return .failed(
            .modelError,
            "message \(number) of the conversation, of role '\(self.role.rawValue)', has a part '\(part.type)'\(detail), "
                + "which cannot be sent to this provider: \(reason)")
    }
}
