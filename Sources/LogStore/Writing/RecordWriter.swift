internal import GRDB
import JSON
import Messages

/// Writes records into the tables, inside the transaction of its caller.
///
/// It holds the statements that run for every request. They belong to one connection and must be gone before it closes.
final class RecordWriter {
    private let requests: RequestRows
    private let messages: MessageRows
    private let turns: TurnRows
    private let searches: SearchRows
    private let outputs: OutputRows
    private var prompts = PromptMemory()

    init(_ db: Database) throws {
        self.requests = try RequestRows(db)
        self.messages = try MessageRows(db)
        self.turns = try TurnRows(db)
        self.searches = try SearchRows(db)
        self.outputs = try OutputRows(db)
    }

    /// Writes the records, whose sequence numbers end at `lastSequence`, and returns the requests of those that fit no
    /// row.
    func write(_ records: [LogRecord], lastSequence: Int, session: ULID) throws -> [ULID] {
        var unmatched: [ULID] = []
        var held = BatchOutput(records)
        var sequence = lastSequence - records.count
        for record in records {
            sequence += 1
            switch record {
            case .open(let open):
                if try !self.open(open, session: session) { unmatched.append(open.request) }
            case .output(let output):
                if try !held.append(output) && !self.outputs.insert(output, sequence: sequence) {
                    unmatched.append(output.request)
                }
            case .end(let end):
                let pieces = held.take(end.request) + (end.output.map { [$0] } ?? [])
                if try !self.close(Ending(end), pieces: pieces) { unmatched.append(end.request) }
            }
        }
        try self.searches.insert()
        return unmatched
    }

    /// Forgets what is not in the file after all, since its transaction failed.
    func forget() {
        self.prompts = PromptMemory()
        self.searches.removeAll()
    }

    /// Closes the request as lost, with what its model had said.
    func lose(_ request: String, atMilliseconds milliseconds: Int) throws {
        _ = try self.close(Ending(lost: request, atMilliseconds: milliseconds), pieces: [])
        try self.searches.insert()
    }

    private func open(_ record: OpenRecord, session: ULID) throws -> Bool {
        guard let content = record.content else {
            return try self.requests.insert(record, session: session.description, prompt: nil)
        }
        let parent = try content.parent.flatMap { try self.messages.contains($0) ? $0 : nil }
        let prompt = StoredPrompt(content, parent: parent)
        guard try self.requests.insert(record, session: session.description, prompt: prompt) else { return false }
        for entry in prompt.messages {
            try self.messages.insert(entry.message, hash: entry.hash, parent: entry.parent)
        }
        self.prompts.remember(prompt.messages.last?.message, of: record.request.description)
        return true
    }

    /// - Parameter pieces: What the model said since the last piece that has a row, as arrays of events.
    /// - Returns: `false` if there is no open row, or if what the model said cannot be read.
    private func close(_ ending: Ending, pieces: [[UInt8]]) throws -> Bool {
        var answer = Answer()
        var isReadable = true
        for piece in try self.outputs.take(ending.request) + pieces {
            do { try answer.append(events: piece) } catch { isReadable = false }
        }
        let parts = answer.parts
        let isWhole = ending.state == .done
        let hasTurn = isWhole || !parts.isEmpty
        let remembered = self.prompts.recall(ending.request)
        guard let request = try self.requests.close(ending, hasTurn: hasTurn) else { return false }
        guard let conversation = request.conversation, hasTurn else { return isReadable }

        var tip = request.parent
        if !parts.isEmpty {
            let message = Message(.assistant, parts)
            let hash = message.hash(after: tip)
            try self.messages.insert(message, hash: hash, parent: tip)
            tip = hash
        }
        let prompt = try remembered ?? request.parent.flatMap { try self.messages.prompt($0) }
        try self.turns.insertThread(
            conversation, name: ConversationName.of(prompt?.name ?? ""), tip: tip, isWhole: isWhole,
            at: ending.atMilliseconds)
        try self.turns.insertTurn(ending, of: request, tip: tip)
        self.searches.add(
            turn: ending.request, prompt: prompt?.searched ?? "", response: Answer.text(of: parts))
        return isReadable
    }
}

/// The messages of a prompt, with their hashes, and what else its request's row names.
struct StoredPrompt {
    struct Entry {
        let message: Message
        let hash: String
        let parent: String?
    }

    let conversation: String
    let options: String?
    /// Those that the prompt adds, oldest first; as in llm, an empty text is no message.
    let messages: [Entry]
    /// The hash of the message that the answer follows; `nil` where there is none.
    let hash: String?

    /// - Parameter parent: The hash of a message that is stored; `nil` where a thread begins.
    init(_ content: PromptContent, parent: String?) {
        var tip = parent
        var messages: [Entry] = []
        func add(_ role: Message.Role, _ json: [UInt8]?) {
            guard let text = json.flatMap(Self.text), !text.isEmpty else { return }
            let message = Message(role, [.text(text)])
            let hash = message.hash(after: tip)
            messages.append(Entry(message: message, hash: hash, parent: tip))
            tip = hash
        }
        if parent == nil { add(.system, content.system) }
        add(.user, content.prompt)
        self.conversation = content.conversation
        self.options = content.options.flatMap(PythonObject.options)
        self.messages = messages
        self.hash = tip
    }

    private static func text(_ json: [UInt8]) -> String? { try? JSONValue(parsing: json, bounds: .lenient).string }
}
