internal import GRDB
import JSON
import Messages

/// The rows of `messages` and `parts`, which all conversations share.
struct MessageRows {
    private let attachments: AttachmentRows
    private let insertion: PreparedStatement
    private let partInsertion: PreparedStatement
    private let existence: PreparedStatement
    private let text: PreparedStatement

    init(_ db: Database) throws {
        self.attachments = try AttachmentRows(db)
        self.insertion = try PreparedStatement(
            """
            INSERT INTO messages (hash, parent_hash, role, provider_metadata) VALUES (?, ?, ?, ?)
            ON CONFLICT (hash) DO NOTHING
            """, in: db)
        self.partInsertion = try PreparedStatement(
            """
            INSERT INTO parts (message_hash, position, type, tool_name, text, payload) VALUES (?, ?, ?, ?, ?, ?)
            """, in: db)
        self.existence = try PreparedStatement("SELECT 1 FROM messages WHERE hash = ?", in: db)
        self.text = try PreparedStatement(
            """
            SELECT messages.role, parts.text FROM messages JOIN parts ON parts.message_hash = messages.hash
            WHERE messages.hash = ? AND parts.type = 'text' ORDER BY parts.position
            """, in: db)
    }

    /// Stores messages that follow each other.
    ///
    /// Where one is stored, those before it are too. So a client that sends a whole conversation again and again has only
    /// its end looked at.
    func insert(_ chain: [StoredPrompt.Entry]) throws {
        var rest = chain[...]
        if chain.count > 2 {
            let known = try chain.lastIndex { try self.contains($0.hash) }
            rest = chain[(known.map { $0 + 1 } ?? 0)...]
        }
        for entry in rest { try self.insert(entry.message, hash: entry.hash, parent: entry.parent) }
    }

    /// Stores the message under its hash, unless it is there: then its parts are too.
    func insert(_ message: StoredMessage, hash: String, parent: String?) throws {
        try self.insertion.bind(hash, at: 1)
        try self.insertion.bind(parent, at: 2)
        try self.insertion.bind(message.role.rawValue, at: 3)
        try self.insertion.bind(message.encodedMetadata, at: 4)
        guard try self.insertion.run() == 1 else { return }
        for (position, part) in message.parts.enumerated() { try self.insert(part, of: hash, at: position) }
    }

    /// Literal text has a column of its own; anything else is JSON without what the columns say.
    private func insert(_ part: StoredPart, of hash: String, at position: Int) throws {
        let attachments = try part.attachments.map(self.attachments.insert)
        try self.partInsertion.bind(hash, at: 1)
        try self.partInsertion.bind(position, at: 2)
        try self.partInsertion.bind(part.type, at: 3)
        try self.partInsertion.bind(part.toolName, at: 4)
        try self.partInsertion.bind(part.text, at: 5)
        try self.partInsertion.bind(part.payload(attachments: attachments), at: 6)
        try self.partInsertion.run()
        for (order, attachment) in attachments.enumerated() {
            try self.attachments.insert(attachment, at: order, ofPart: position, of: hash)
        }
    }

    func contains(_ hash: String) throws -> Bool {
        try self.existence.bind(hash, at: 1)
        defer { self.existence.reset() }
        return try self.existence.step()
    }

    /// The message that an answer follows, as far as its text goes; `nil` if it has none.
    func prompt(_ hash: String) throws -> PromptText? {
        try self.text.bind(hash, at: 1)
        defer { self.text.reset() }
        var prompt: PromptText?
        while try self.text.step() {
            let text = (prompt?.text ?? "") + (self.text.text(1) ?? "")
            prompt = PromptText(role: self.text.text(0).flatMap(ModelMessage.Role.init), text: text)
        }
        return prompt
    }
}
