import GRDB
import JSON
import LogStore
import Messages

/// A file that the writer has filled, and a reader of it.
final class RecordedFile {
    let directory: TemporaryDirectory
    let store: LogStore
    let reader: LogReader
    private var generator = ULIDGenerator()
    private var random = SystemRandomNumberGenerator()
    private var now = Samples.now

    init(patience: Duration = .seconds(60), slice: Duration = .seconds(60)) throws {
        self.directory = try TemporaryDirectory()
        self.store = try LogStore(path: self.directory.database, durability: .relaxed)
        _ = try self.store.begin(session: Samples.ulid(), atMilliseconds: Samples.now)
        self.reader = try LogReader(path: self.directory.database, patience: patience, slice: slice)
    }

    // MARK: Writing

    /// A request that may be answered later.
    struct Prompt {
        let id: ULID
        let conversation: String
        /// The hash of its last message.
        let hash: String?
    }

    func ulid() -> ULID {
        self.now += 1
        return self.generator.next(atMilliseconds: UInt64(self.now), using: &self.random)
    }

    @discardableResult
    func open(
        _ text: String, in conversation: String? = nil, system: String? = nil, options: String? = nil,
        uid: Int = 1000, model: String = "qwen3", storesPrompt: Bool = true
    ) throws -> Prompt {
        let id = self.ulid()
        let name = conversation ?? id.description
        let parent = try conversation.flatMap(self.tip)
        let content = PromptContent(
            conversation: name, parent: parent, prompt: Self.json(text), system: system.map(Self.json),
            options: options.map { Array($0.utf8) })
        try self.store.commit(
            .open(
                OpenRecord(
                    request: id, atMilliseconds: self.now, peer: PeerCredentials(uid: uid, gid: 100, pid: 4242),
                    provider: "local", model: model, stream: true, content: storesPrompt ? content : nil)))
        let hash = try self.sql { db in
            try String.fetchOne(
                db, sql: "SELECT parent_message_hash FROM requests WHERE id = ?", arguments: [id.description])
        }
        return Prompt(id: id, conversation: name, hash: hash)
    }

    func deliver(_ events: String, of prompt: Prompt) throws {
        try self.store.commit(.output(OutputRecord(request: prompt.id, output: Array(events.utf8))))
    }

    func end(
        _ prompt: Prompt, _ state: EndRecord.State = .done, events: String = "[]", usage: Usage? = nil,
        failure: Failure? = nil
    ) throws {
        try self.store.commit(
            .end(
                EndRecord(
                    request: prompt.id, atMilliseconds: self.now + 7, state: state, durationMilliseconds: 7,
                    usage: usage, finishReason: state == .done ? "stop" : nil, failure: failure,
                    output: Array(events.utf8))))
    }

    /// A request that was answered with a text.
    @discardableResult
    func exchange(
        _ text: String, _ answer: String, in conversation: String? = nil, system: String? = nil,
        options: String? = nil, uid: Int = 1000, model: String = "qwen3", usage: Usage? = nil
    ) throws -> Prompt {
        let prompt = try self.open(
            text, in: conversation, system: system, options: options, uid: uid, model: model)
        try self.end(prompt, events: Self.said(answer), usage: usage)
        return prompt
    }

    static func said(_ text: String) -> String {
        #"[{"event":"text","text":\#(String(decoding: Self.json(text), as: UTF8.self))}]"#
    }

    private static func json(_ text: String) -> [UInt8] { JSONValue.string(text).serialized() }

    // MARK: Editing, as another program could

    func sql<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try DatabaseQueue(path: self.directory.database).inDatabase { db in
            try db.execute(sql: "PRAGMA foreign_keys = OFF")
            return try body(db)
        }
    }

    func execute(_ sql: String, _ arguments: StatementArguments = []) throws {
        try self.sql { db in try db.execute(sql: sql, arguments: arguments) }
    }

    func tip(of conversation: String) throws -> String? {
        try self.sql { db in
            try String.fetchOne(
                db, sql: "SELECT tip_message_hash FROM threads WHERE id = ?", arguments: [conversation])
        }
    }

    // MARK: Reading

    func ask(_ question: ReaderQuery.Question, uid: Int? = nil) -> ReaderReply {
        self.reader.answer(ReaderQuery(number: 9, uid: uid, question))
    }

    func history(_ conversation: String, uid: Int? = nil) throws -> ReaderReply.History {
        switch self.ask(.history(conversation: conversation), uid: uid) {
        case .history(9, let history): return history
        case .error(9, let failure): throw failure
        case let reply: throw LoggerProcess.Unexpected(description: "\(reply)")
        }
    }

    struct Page {
        let rows: [JSONValue]
        let next: String?

        var ids: [String] { self.rows.map { $0["id"]?.string ?? "" } }
    }

    func logs(uid: Int? = nil, _ change: (inout LogsRequest) -> Void = { _ in }) throws -> Page {
        var request = LogsRequest()
        change(&request)
        return try self.page(.logs(request), uid: uid)
    }

    func requests(uid: Int? = nil, _ change: (inout RequestsRequest) -> Void = { _ in }) throws -> Page {
        var request = RequestsRequest()
        change(&request)
        return try self.page(.requests(request), uid: uid)
    }

    private func page(_ question: ReaderQuery.Question, uid: Int?) throws -> Page {
        let reply = self.ask(question, uid: uid)
        // As the supervisor reads it.
        switch try ReaderReply(decoding: reply.encoded) {
        case .page(9, let rows, let next):
            return Page(rows: try JSONValue(parsing: rows).array ?? [], next: next)
        case .error(9, let failure): throw failure
        case let reply: throw LoggerProcess.Unexpected(description: "\(reply)")
        }
    }
}
