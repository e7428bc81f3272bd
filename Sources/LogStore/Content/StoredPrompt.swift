import JSON
import Messages

/// What a prompt adds to the record: its messages with their hashes, and what else its request's row names.
struct StoredPrompt {
    struct Entry {
        let message: StoredMessage
        let hash: String
        let parent: String?
    }

    let conversation: String
    let options: String?
    let schema: JSONValue?
    let tools: [ToolDefinition]
    /// Those that the prompt adds, oldest first; as in llm, an empty text is no message.
    private(set) var messages: [Entry] = []
    /// The hash of the message that the answer follows; `nil` where there is none.
    private(set) var hash: String?
    /// Whether all of it could be read; what could not is left out.
    private(set) var isReadable = true

    /// - Parameter parent: The hash of a message that is stored; `nil` where a thread begins.
    init(_ content: PromptContent, parent: String?) {
        var reader = ContentReader()
        self.conversation = content.conversation
        self.options = content.options.flatMap(PythonObject.options)
        self.schema = reader.value(content.schema).flatMap { $0.members?.isEmpty == false ? $0 : nil }
        self.tools = reader.list(content.tools, ToolDefinition.list)
        // What the client says was said before begins the thread.
        let history = reader.list(content.messages, ModelMessage.list)
        self.hash = content.messages == nil ? parent : nil
        if self.hash == nil, history.first?.role != .system {
            let system = reader.text(content.system)
            if !system.isEmpty { self.add(ModelMessage(.system, text: system)) }
        }
        for message in history { self.add(message) }
        let results = reader.list(content.toolResults, ToolResult.list)
        if !results.isEmpty { self.add(ModelMessage(.tool, results.map { MessagePart(.toolResult($0)) })) }
        let prompt = reader.text(content.prompt)
        var parts = prompt.isEmpty ? [] : [MessagePart(.text(prompt))]
        parts += reader.list(content.attachments, Attachment.list).map { MessagePart(.attachment($0)) }
        if !parts.isEmpty { self.add(ModelMessage(.user, parts)) }
        self.isReadable = reader.isReadable
    }

    private mutating func add(_ message: ModelMessage) {
        let stored = StoredMessage(message)
        let hash = stored.hash(after: self.hash)
        self.messages.append(Entry(message: stored, hash: hash, parent: self.hash))
        self.hash = hash
    }

    /// What the answer follows, as far as its text goes; the system prompt where that has none, and is new.
    var text: PromptText? {
        guard let last = self.messages.last else { return nil }
        let text = last.message.text
        guard text.isEmpty, let first = self.messages.first, first.message.role == .system else {
            return PromptText(role: last.message.role, text: text)
        }
        return PromptText(role: .system, text: first.message.text)
    }
}

/// Reads the JSON of a prompt, and notes whether all of it could be read.
private struct ContentReader {
    private(set) var isReadable = true

    mutating func value(_ json: [UInt8]?) -> JSONValue? {
        guard let json else { return nil }
        let value = try? JSONValue(parsing: json, bounds: .lenient)
        if value == nil { self.isReadable = false }
        return value
    }

    mutating func text(_ json: [UInt8]?) -> String { self.value(json)?.string ?? "" }

    mutating func list<Element>(
        _ json: [UInt8]?, _ read: (JSONValue) throws(MessageError) -> [Element]
    ) -> [Element] {
        guard let value = self.value(json) else { return [] }
        do { return try read(value) } catch {
            self.isReadable = false
            return []
        }
    }
}
