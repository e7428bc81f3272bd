import JSON

// What a chain makes of a prompt, round after round.
extension PromptRequest {
    /// Whether it neither asks nor shows anything itself.
    public var saysNothing: Bool {
        let isEmpty = self.prompt.map { $0 == Array(#""""#.utf8) } ?? true
        return isEmpty && self.attachments == nil
    }

    /// The names of its tools.
    public var toolNames: Set<String> {
        get throws(MessageError) {
            Set(try Self.list(self.tools, ToolDefinition.list).map(\.name))
        }
    }

    /// All that the model is asked to go on with, as a slot will see it.
    ///
    /// - Parameter history: What was said before in the conversation on record, a JSON array of messages.
    public func conversation(after history: [UInt8]? = nil) throws(MessageError) -> [ModelMessage] {
        ModelMessage.conversation(
            after: try Self.list(history ?? self.messages, ModelMessage.list),
            system: try self.system.map { text throws(MessageError) in try JSONValue(checked: text).string ?? "" },
            toolResults: try Self.list(self.toolResults, ToolResult.list),
            prompt: try self.prompt.map { text throws(MessageError) in try JSONValue(checked: text).string ?? "" }
                ?? "",
            attachments: try Self.list(self.attachments, Attachment.list))
    }

    /// Adds results of tools to those that it brings.
    public mutating func add(_ results: [ToolResult]) {
        guard !results.isEmpty else { return }
        var elements = self.toolResults ?? []
        Self.append(results.map(\.value), to: &elements)
        self.toolResults = elements
        for result in results { self.needs.note(result.attachments) }
    }

    /// Makes it the prompt that goes on after its own answer: what it asked becomes what was said before.
    ///
    /// - Parameters:
    ///   - answer: `nil` where nothing was answered.
    ///   - history: As in ``conversation(after:)``.
    public mutating func follow(_ answer: ModelMessage?, after history: [UInt8]? = nil) throws(MessageError) {
        var messages: [UInt8]
        if history == nil, self.saysNothing, let earlier = self.messages {
            // Only results were added: the rest need not be read again.
            messages = earlier
            let results = try Self.list(self.toolResults, ToolResult.list)
            if !results.isEmpty { Self.append([ModelMessage(results).value], to: &messages) }
        } else {
            messages = JSONValue.array(try self.conversation(after: history).map(\.value)).serialized()
        }
        if let answer {
            Self.append([answer.value], to: &messages)
            self.needs.note(answer)
        }
        self.messages = messages
        (self.prompt, self.attachments, self.toolResults) = (nil, nil, nil)
    }

    private static func list<Element>(
        _ json: [UInt8]?, _ read: (JSONValue) throws(MessageError) -> [Element]
    ) throws(MessageError) -> [Element] {
        guard let json else { return [] }
        return try read(try JSONValue(checked: json))
    }

    /// Adds elements to a JSON array.
    private static func append(_ values: [JSONValue], to array: inout [UInt8]) {
        let close = array.lastIndex(of: UInt8(ascii: "]")) ?? array.startIndex
        array.removeSubrange(close...)
        if array.isEmpty { array = [UInt8(ascii: "[")] }
        for value in values {
            if array.last(where: { $0 > 0x20 }) != UInt8(ascii: "[") { array.append(UInt8(ascii: ",")) }
            array += value.serialized()
        }
        array.append(UInt8(ascii: "]"))
    }
}

extension JSONValue {
    /// A text that was checked at the door.
    fileprivate init(checked bytes: [UInt8]) throws(MessageError) {
        do { try self.init(parsing: bytes, bounds: .slotRequest) } catch {
            throw .invalidValue("messages", "\(error)")
        }
    }
}
