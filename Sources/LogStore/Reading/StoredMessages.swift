internal import GRDB

/// The rows of `messages` and `parts`, a message at a time.
///
/// It must be closed when a question is answered.
final class StoredMessages {
    struct Message {
        let hash: String
        let parent: String?
        let role: String
    }

    struct Part {
        let row: Int
        let type: String
        let hasText: Bool
        let hasPayload: Bool
    }

    let connection: ReadConnection
    private let texts: StoredValue
    private let payloads: StoredValue
    private let fragments: StoredValue

    init(_ connection: ReadConnection) {
        self.connection = connection
        self.texts = StoredValue(connection, table: "parts", column: "text")
        self.payloads = StoredValue(connection, table: "parts", column: "payload")
        self.fragments = StoredValue(connection, table: "fragments", column: "content")
    }

    func close() {
        for value in [self.texts, self.payloads, self.fragments] { value.close() }
    }

    func message(_ hash: String) throws -> Message? {
        try self.connection.row("SELECT parent_hash, role FROM messages WHERE hash = ?", [.text(hash)]) { row in
            Message(hash: hash, parent: row.text(0), role: row.text(1) ?? "")
        }
    }

    /// The parts of a message, in their order.
    func parts(of hash: String) throws -> [Part] {
        var parts: [Part] = []
        try self.connection.rows(
            """
            SELECT id, type, typeof(text) IN ('text', 'blob'), typeof(payload) IN ('text', 'blob') FROM parts
            WHERE message_hash = ? ORDER BY position
            """, [.text(hash)]
        ) { row in
            parts.append(
                Part(
                    row: row.integer(0), type: row.text(1) ?? "", hasText: row.integer(2) != 0,
                    hasPayload: row.integer(3) != 0))
            return true
        }
        return parts
    }

    /// The first bytes of the part's literal text.
    func text(of part: Part, atMost count: Int) throws -> [UInt8] {
        part.hasText ? try self.texts.bytes(row: part.row, atMost: count) : []
    }

    /// The first bytes of the part's JSON.
    func payload(of part: Part, atMost count: Int) throws -> [UInt8] {
        part.hasPayload ? try self.payloads.bytes(row: part.row, atMost: count) : []
    }

    /// The first bytes of a fragment; none where it is gone, as in llm.
    func fragment(_ id: Int, atMost count: Int) throws -> [UInt8] {
        let exists = try self.connection.row(
            "SELECT typeof(content) IN ('text', 'blob') FROM fragments WHERE id = ?", [.integer(id)]
        ) { $0.integer(0) != 0 }
        return exists == true ? try self.fragments.bytes(row: id, atMost: count) : []
    }
}

/// A text that is put together of pieces, up to a bound of bytes, and cut there at a character.
struct BoundedText {
    private var bytes: [UInt8] = []
    private let bound: Int
    private(set) var isCut = false

    init(bound: Int) { self.bound = bound }

    /// How many bytes of a piece to read: one more than fits shows that the text goes on.
    var wish: Int { self.isCut ? 0 : self.bound - self.bytes.count + 1 }
    var isEmpty: Bool { self.bytes.isEmpty }

    mutating func append(_ piece: some Collection<UInt8>) {
        guard !self.isCut else { return }
        let room = self.bound - self.bytes.count
        self.bytes.append(contentsOf: piece.prefix(room))
        guard piece.count > room else { return }
        self.isCut = true
        self.dropHalfCharacter()
    }

    /// The text; bytes that are no UTF-8 come as U+FFFD.
    var text: String { String(decoding: self.bytes, as: UTF8.self) }

    /// Removes the beginning of a character at the end.
    private mutating func dropHalfCharacter() {
        guard let start = self.bytes.lastIndex(where: { $0 & 0xC0 != 0x80 }) else { return }
        let length = self.bytes[start] >= 0xF0 ? 4 : self.bytes[start] >= 0xE0 ? 3 : self.bytes[start] >= 0xC0 ? 2 : 1
        if self.bytes.count - start < length { self.bytes.removeSubrange(start...) }
    }
}
