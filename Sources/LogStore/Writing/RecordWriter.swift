internal import GRDB
import JSON
import Messages

/// Writes records into the tables, inside the transaction of its caller.
///
/// It holds the statements that run for every request. They belong to one connection and must be gone before it closes.
final class RecordWriter {
    private let requests: RequestRows
    private let messages: MessageRows
    private let definitions: DefinitionRows
    private let turns: TurnRows
    private let searches: SearchRows
    private let outputs: OutputRows
    private var prompts = PromptMemory()

    init(_ db: Database) throws {
        self.requests = try RequestRows(db)
        self.messages = try MessageRows(db)
        self.definitions = try DefinitionRows(db)
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

    /// - Returns: `false` if the id is taken, or if what was asked cannot be read.
    private func open(_ record: OpenRecord, session: ULID) throws -> Bool {
        let session = session.description
        guard let content = record.content else { return try self.requests.insert(record, session: session) }
        let parent = try self.parent(of: content)
        let prompt = StoredPrompt(content, parent: parent)
        let definitions = PromptDefinitions(
            schema: try prompt.schema.map(self.definitions.insert),
            tools: prompt.tools.isEmpty ? nil : try self.definitions.insert(prompt.tools))
        guard try self.requests.insert(record, session: session, prompt: prompt, definitions) else { return false }
        try self.messages.insert(prompt.messages)
        self.prompts.remember(prompt.text, of: record.request.description)
        return prompt.isReadable
    }

    /// The message that the prompt follows, if it is here.
    private func parent(of content: PromptContent) throws -> String? {
        if let last = content.follows { return try self.turns.tip(of: last) }
        return try content.parent.flatMap { try self.messages.contains($0) ? $0 : nil }
    }

    /// - Parameter pieces: What the model said since the last piece that has a row, as arrays of events.
    /// - Returns: `false` if there is no open row, or if what the model said cannot be read.
    private func close(_ ending: Ending, pieces: [[UInt8]]) throws -> Bool {
        var answer = AnswerAssembly()
        var isReadable = true
        for piece in try self.outputs.take(ending.request) + pieces {
            do { try answer.append(events: piece) } catch { isReadable = false }
        }
        let message = answer.message.map(StoredMessage.init)
        let isWhole = ending.state == .done
        let hasTurn = isWhole || message != nil
        let remembered = self.prompts.recall(ending.request)
        guard let request = try self.requests.close(ending, hasTurn: hasTurn) else { return false }
        guard let conversation = request.conversation, hasTurn else { return isReadable }

        var tip = request.parent
        if let message {
            let hash = message.hash(after: tip)
            try self.messages.insert(message, hash: hash, parent: tip)
            tip = hash
        }
        let prompt = try remembered ?? request.parent.flatMap { try self.messages.prompt($0) }
        try self.turns.insertThread(
            conversation, name: ConversationName.of(prompt?.name ?? ""), tip: tip, isWhole: isWhole,
            at: ending.atMilliseconds)
        try self.turns.insertTurn(ending, of: request, tip: tip)
        if let tools = request.tools { try self.definitions.link(turn: ending.request, tools: tools) }
        self.searches.add(
            turn: ending.request, prompt: prompt?.searched ?? "", response: message?.text ?? "")
        return isReadable
    }
}
