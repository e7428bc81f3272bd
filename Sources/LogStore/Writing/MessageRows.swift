internal import GRDB
import JSON

/// The rows of `messages` and `parts`, which all conversations share.
struct MessageRows {
    private let insertion: PreparedStatement
    private let partInsertion: PreparedStatement
    private let existence: PreparedStatement
    private let text: PreparedStatement

    init(_ db: Database) throws {
        self.insertion = try PreparedStatement(
            "INSERT INTO messages (hash, parent_hash, role) VALUES (?, ?, ?) ON CONFLICT (hash) DO NOTHING", in: db)
        self.partInsertion = try PreparedStatement(
            """
            INSERT INTO parts (message_hash, position, type, tool_name, text, payload) VALUES (?, ?, ?, ?, ?, ?)
            """, in: db)
        self.existence = try PreparedStatement("SELECT 1 FROM messages WHERE hash = ?", in: db)
        self.text = try PreparedStatement(
            """
            SELECT messages.role, parts.text FROM messages JOIN parts ON parts.message_hash = messages.hash
            WHERE messages.hash = ? AND parts.type = 'text' ORDER BY parts.position LIMIT 1
            """, in: db)
    }

    /// Stores the message under its hash, unless it is there: then its parts are too.
    func insert(_ message: Message, hash: String, parent: String?) throws {
        try self.insertion.bind(hash, at: 1)
        try self.insertion.bind(parent, at: 2)
        try self.insertion.bind(message.role.rawValue, at: 3)
        guard try self.insertion.run() == 1 else { return }
        for (position, part) in message.parts.enumerated() { try self.insert(part, of: hash, at: position) }
    }

    /// Literal text has a column of its own; anything else is JSON without what the columns say.
    private func insert(_ part: MessagePart, of hash: String, at position: Int) throws {
        try self.partInsertion.bind(hash, at: 1)
        try self.partInsertion.bind(position, at: 2)
        try self.partInsertion.bind(part.type, at: 3)
        switch part {
        case .text(let text), .reasoning(let text):
            try self.partInsertion.bind(nil as String?, at: 4)
            try self.partInsertion.bind(text, at: 5)
            try self.partInsertion.bind(nil as String?, at: 6)
        case .toolCall(let id, let name, let arguments):
            let payload = JSONValue.object([
                JSONValue.Member("name", .string(name)), JSONValue.Member("arguments", arguments),
                JSONValue.Member("tool_call_id", .string(id)),
            ])
            try self.partInsertion.bind(name, at: 4)
            try self.partInsertion.bind(nil as String?, at: 5)
            try self.partInsertion.bind(PythonJSON.text(payload, .plain), at: 6)
        }
        try self.partInsertion.run()
    }

    func contains(_ hash: String) throws -> Bool {
        try self.existence.bind(hash, at: 1)
        defer { self.existence.reset() }
        return try self.existence.step()
    }

    /// The message that an answer follows, as far as its text goes; `nil` if it has none.
    func prompt(_ hash: String) throws -> PromptText? {
        try self.text.bind(hash, at: 1)
        guard try self.text.step() else { return nil }
        defer { self.text.reset() }
        return PromptText(role: self.text.text(0).flatMap(Message.Role.init), text: self.text.text(1) ?? "")
    }
}
