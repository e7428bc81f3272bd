public import JSON

/// What came of a tool call.
public struct ToolResult: Sendable, Equatable {
    public var name: String
    public var output: String
    /// The call that it answers; `nil` where the call had no id.
    public var toolCallID: String?
    /// Whether the provider ran the tool itself.
    public var isServerExecuted: Bool
    /// What went wrong, as `Class: message`; the output says so to the model.
    public var exception: String?
    public var attachments: [Attachment]

    public init(
        name: String, output: String, toolCallID: String?, isServerExecuted: Bool = false, exception: String? = nil,
        attachments: [Attachment] = []
    ) {
        self.name = name
        self.output = output
        self.toolCallID = toolCallID
        self.isServerExecuted = isServerExecuted
        self.exception = exception
        self.attachments = attachments
    }

    public init(_ value: JSONValue) throws(MessageError) {
        guard let output = value["output"]?.string else {
            throw .invalidValue("tool_results", "a tool result needs a text 'output'")
        }
        self.init(
            name: value["name"]?.string ?? "", output: output, toolCallID: value["tool_call_id"]?.string,
            isServerExecuted: value["server_executed"]?.bool ?? false, exception: value["exception"]?.string,
            attachments: try value["attachments"].map { value throws(MessageError) in try Attachment.list(value) } ?? []
        )
    }

    /// Reads a JSON array of results.
    public static func list(_ value: JSONValue) throws(MessageError) -> [ToolResult] {
        guard let elements = value.array else { throw .wrongType("tool_results", expected: "an array of objects") }
        return try elements.map { element throws(MessageError) in try ToolResult(element) }
    }

    /// In llm's order.
    var members: [JSONValue.Member] {
        var members: [JSONValue.Member] = [.init("name", .string(self.name)), .init("output", .string(self.output))]
        if let id = self.toolCallID { members.append(.init("tool_call_id", .string(id))) }
        if self.isServerExecuted { members.append(.init("server_executed", .bool(true))) }
        if let exception = self.exception { members.append(.init("exception", .string(exception))) }
        if !self.attachments.isEmpty { members.append(.init("attachments", .array(self.attachments.map(\.value)))) }
        return members
    }

    public var value: JSONValue { .object(self.members) }
}
