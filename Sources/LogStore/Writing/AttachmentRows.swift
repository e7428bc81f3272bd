internal import GRDB
import Messages

/// The rows of `attachments`, which all messages share, and of `part_attachments`.
struct AttachmentRows {
    private let lookup: PreparedStatement
    private let insertion: PreparedStatement
    private let linking: PreparedStatement

    init(_ db: Database) throws {
        self.lookup = try PreparedStatement(
            "SELECT type, url, content IS NOT NULL FROM attachments WHERE id = ?", in: db)
        self.insertion = try PreparedStatement(
            "INSERT INTO attachments (id, type, url, content) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING", in: db)
        self.linking = try PreparedStatement(
            """
            INSERT INTO part_attachments (part_id, attachment_id, "order")
            SELECT id, ?, ? FROM parts WHERE message_hash = ? AND position = ?
            """, in: db)
    }

    /// Stores the attachment unless it is there, and returns the id of its row.
    func insert(_ attachment: StoredAttachment) throws -> String {
        switch try self.suits(attachment) {
        case true?: return attachment.id
        case false?:
            try self.insert(attachment, under: attachment.otherID)
            return attachment.otherID
        case nil:
            try self.insert(attachment, under: attachment.id)
            return attachment.id
        }
    }

    /// Whether the row of the attachment's id says of it what is to be said; `nil` where there is no row.
    private func suits(_ attachment: StoredAttachment) throws -> Bool? {
        try self.lookup.bind(attachment.id, at: 1)
        defer { self.lookup.reset() }
        guard try self.lookup.step() else { return nil }
        let hasContent = self.lookup.integer(2) != 0
        return self.lookup.text(0) == attachment.type && self.lookup.text(1) == attachment.url
            && hasContent == (attachment.content != nil)
    }

    private func insert(_ attachment: StoredAttachment, under id: String) throws {
        try self.insertion.bind(id, at: 1)
        try self.insertion.bind(attachment.type, at: 2)
        try self.insertion.bind(attachment.url, at: 3)
        try self.insertion.bind(blob: attachment.content, at: 4)
        try self.insertion.run()
    }

    /// Notes that a part has the attachment.
    func insert(_ attachment: String, at order: Int, ofPart position: Int, of message: String) throws {
        try self.linking.bind(attachment, at: 1)
        try self.linking.bind(order, at: 2)
        try self.linking.bind(message, at: 3)
        try self.linking.bind(position, at: 4)
        try self.linking.run()
    }
}
