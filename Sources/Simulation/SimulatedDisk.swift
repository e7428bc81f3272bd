import JSON
import Messages

/// The file of the record, which outlives every process.
struct SimulatedDisk {
    struct Row {
        var uid: Int
        var model: String
        var ends = 0
        var state: EndRecord.State?
        /// `nil` where prompts are not stored.
        var conversation: String?
        var prompt = ""
        var system = ""
        /// What is on record of the answer, and how many bytes of JSON that took.
        var answer = Transcript()
        var answerBytes = 0
        var attempts: [AttemptRecord] = []
    }

    var rows: [String: Row] = [:]
    var sequence = 0
    var session: ULID?
    /// The requests of each conversation, and the answered ones in the order of their ends.
    var requests: [String: [String]] = [:]
    private var turns: [String: [String]] = [:]

    // MARK: Records. Each returns whether the file could take it.

    mutating func open(_ record: OpenRecord) -> Bool {
        let name = record.request.description
        guard self.rows[name] == nil else { return false }
        var row = Row(uid: record.peer.uid, model: record.model)
        if let content = record.content {
            row.conversation = content.conversation
            row.prompt = Self.text(content.prompt)
            row.system = Self.text(content.system)
            self.requests[content.conversation, default: []].append(name)
        }
        self.rows[name] = row
        return true
    }

    mutating func append(_ record: OutputRecord) -> Bool {
        self.append(record.output, to: record.request.description)
    }

    mutating func append(_ record: AttemptRecord) -> Bool {
        let name = record.request.description
        guard self.rows[name]?.ends == 0 else { return false }
        self.rows[name]!.attempts.append(record)
        if record.number > 1 { self.rows[name]!.model = record.model }
        return true
    }

    mutating func end(_ record: EndRecord) -> Bool {
        let name = record.request.description
        guard self.rows[name]?.ends == 0 else { return false }
        if let output = record.output, !self.append(output, to: name) { return false }
        self.rows[name]!.ends += 1
        self.rows[name]!.state = record.state
        if record.state == .done, let conversation = self.rows[name]!.conversation {
            self.turns[conversation, default: []].append(name)
        }
        return true
    }

    private mutating func append(_ output: [UInt8], to name: String) -> Bool {
        guard self.rows[name]?.ends == 0, let events = try? SlotEvent.output(decoding: output) else { return false }
        for event in events { self.rows[name]!.answer.append(event) }
        self.rows[name]!.answerBytes += output.count
        return true
    }

    private static func text(_ json: [UInt8]?) -> String {
        json.flatMap { try? JSONValue(parsing: $0) }?.string ?? ""
    }

    // MARK: Questions

    /// What was said so far; `nil` if there is no such conversation, or not for this user.
    func history(of conversation: String, uid: Int?) -> SimulatedHistory? {
        guard let first = self.rows[conversation], uid == nil || first.uid == uid else { return nil }
        let turns = self.turns[conversation, default: []]
        guard let last = turns.last, let root = turns.first.map({ self.rows[$0]! }) else { return SimulatedHistory() }
        var history = SimulatedHistory(tip: "tip of \(last)", model: self.rows[last]!.model)
        if !root.system.isEmpty {
            history.system = root.system
            history.messages = [ModelMessage(.system, text: root.system)]
        }
        for turn in turns {
            history.messages.append(ModelMessage(.user, text: self.rows[turn]!.prompt))
            history.messages.append(ModelMessage(.assistant, text: self.rows[turn]!.answer.text))
        }
        return history
    }

    /// The rows that a user may see, newest first.
    func page(uid: Int?, limit: Int) -> [UInt8] {
        let names = self.rows.filter { uid == nil || $0.value.uid == uid }.keys.sorted(by: >).prefix(limit)
        return JSONValue.array(names.map { .object([.init("id", .string($0))]) }).serialized()
    }
}

/// What the reader says of a conversation.
struct SimulatedHistory {
    var tip: String?
    var model: String?
    var system: String?
    var messages: [ModelMessage] = []

    var reply: ReaderReply.History {
        ReaderReply.History(
            tip: self.tip, model: self.model, system: self.system,
            messages: JSONValue.array(self.messages.map(\.value)).serialized())
    }
}

/// An answer, however it was cut.
struct Transcript: Equatable {
    private(set) var text = ""
    private var kind = ""

    mutating func append(_ event: SlotEvent) {
        switch event {
        case .text(let text): self.append(text, "text")
        case .reasoning(let text): self.append(text, "reasoning")
        case .toolCall(let call):
            self.append("\(call.id) \(call.name) \(String(decoding: call.arguments, as: UTF8.self))", "call")
            self.kind = ""
        case .toolResult, .metadata, .done, .models, .error: break
        }
    }

    private mutating func append(_ text: String, _ kind: String) {
        guard !text.isEmpty else { return }
        if self.kind != kind { self.text += "<\(kind)>" }
        self.kind = kind
        self.text += text
    }
}
