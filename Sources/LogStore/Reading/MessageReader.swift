internal import Foundation
internal import GRDB
import JSON
import Messages

/// Reads messages as llm writes them for others (`Message.to_dict`), with what is stored in other tables put back.
///
/// It must be closed when a question is answered.
final class MessageReader {
    /// A message and the one that it follows.
    struct Entry {
        let role: String
        let parent: String?
        let value: JSONValue

        /// The texts of its text parts.
        var text: String {
            (self.value["parts"]?.array ?? []).filter { $0["type"]?.string == "text" }
                .compactMap { $0["text"]?.string }.joined()
        }
    }

    private let connection: ReadConnection
    private let messages: StoredMessages
    private let contents: StoredValue
    /// How many bytes the message that is being read may still have.
    private var room = 0

    init(_ connection: ReadConnection) {
        self.connection = connection
        self.messages = StoredMessages(connection)
        self.contents = StoredValue(connection, table: "attachments", column: "content")
    }

    func close() {
        self.messages.close()
        self.contents.close()
    }

    /// - Parameter length: How many bytes the message may have.
    /// - Throws: ``HistoryQuestion/tooLong``, and a failure where the file does not hold the message whole.
    func message(_ hash: String, atMost length: Int) throws -> Entry {
        guard let message = try self.messages.message(hash) else {
            throw self.damaged(StoredMessages.missing(hash))
        }
        self.room = length
        var parts: [JSONValue] = []
        for part in try self.messages.parts(of: hash) { parts.append(try self.value(of: part)) }
        var members = [
            JSONValue.Member("role", .string(message.role)), JSONValue.Member("parts", .array(parts)),
        ]
        if let metadata = try self.metadata(of: hash) {
            members.append(JSONValue.Member("provider_metadata", metadata))
        }
        let value = JSONValue.object(members)
        try self.check(value)
        return Entry(role: message.role, parent: message.parent, value: value)
    }

    /// Refuses what a worker could not read or go on with: it gets messages as they are here.
    private func check(_ value: JSONValue) throws {
        let message: ModelMessage
        do { message = try ModelMessage(value) } catch {
            let reason = if case .invalidValue(_, let reason) = error { reason } else { error.description }
            throw Failure(
                .invalidRequest,
                "the conversation cannot be continued: one of its messages on record is none that can be sent: \(reason)"
            )
        }
        for part in message.parts { for attachment in part.content.attachments { try self.check(attachment) } }
    }

    private func check(_ attachment: Attachment) throws {
        guard case .path(let path) = attachment.source else { return }
        throw Failure(
            .invalidRequest,
            "the conversation cannot be continued: llm was shown the file '\(path.truncated(toUTF8Length: 512))', and the "
                + "daemon opens no files; llm itself can continue it")
    }

    func damaged(_ reason: String) -> Failure {
        Failure(.invalidRequest, "the conversation cannot be continued: \(reason) in the record")
    }

    private func metadata(of hash: String) throws -> JSONValue? {
        let text = try self.connection.row(
            "SELECT provider_metadata FROM messages WHERE hash = ?", [.text(hash)]
        ) { $0.text(0) }
        guard let text = text ?? nil, !text.isEmpty else { return nil }
        let value = try self.json(Array(text.utf8))
        return value.members?.isEmpty == false ? value : nil
    }

    // MARK: Parts

    /// The part with its members in llm's order.
    private func value(of part: StoredMessages.Part) throws -> JSONValue {
        let payload = part.hasPayload ? try self.json(try self.payload(of: part)) : .object([])
        guard let stored = payload.members else { throw self.damaged("a part is no JSON object") }
        var members = [JSONValue.Member("type", .string(part.type))]
        if part.hasText {
            members.append(JSONValue.Member("text", .string(try self.text(of: part))))
        } else if let references = payload["text_ref"]?.array {
            members.append(JSONValue.Member("text", .string(try self.text(of: references))))
        } else if part.type == "text" || part.type == "reasoning" {
            members.append(JSONValue.Member("text", .string("")))
        }
        for member in stored {
            switch member.name {
            case "type", "text", "text_ref": break
            case "attachment": members.append(.init("attachment", try self.attachment(member.value)))
            case "attachments":
                let references = member.value.array ?? []
                members.append(.init("attachments", .array(try references.map(self.attachment))))
            default: members.append(member)
            }
        }
        return .object(members)
    }

    private func text(of part: StoredMessages.Part) throws -> String {
        try self.take { try self.messages.text(of: part, atMost: $0) }
    }

    private func payload(of part: StoredMessages.Part) throws -> [UInt8] {
        let bytes = try self.messages.payload(of: part, atMost: self.room + 1)
        guard bytes.count <= self.room else { throw HistoryQuestion.tooLong }
        return bytes
    }

    /// The text that llm stores as literals and references to fragments.
    private func text(of references: [JSONValue]) throws -> String {
        try references.map { reference in
            if let literal = reference["literal"]?.string { return literal }
            guard let fragment = reference["fragment"]?.integer else { return "" }
            return try self.take { try self.messages.fragment(fragment, atMost: $0) }
        }.joined()
    }

    /// Reads a text, at most one byte more than there is room for.
    private func take(_ read: (Int) throws -> [UInt8]) throws -> String {
        let bytes = try read(self.room + 1)
        guard bytes.count <= self.room else { throw HistoryQuestion.tooLong }
        self.room -= bytes.count
        return String(decoding: bytes, as: UTF8.self)
    }

    private func json(_ bytes: [UInt8]) throws -> JSONValue {
        guard let value = StoredJSON.value(bytes) else { throw self.damaged("a part cannot be read") }
        return value
    }

    // MARK: Attachments

    /// llm's wire form of an attachment, of which the part names the id: its bytes in base64, or where they are.
    private func attachment(_ reference: JSONValue) throws -> JSONValue {
        guard let id = reference["id"]?.string else { throw self.damaged("an attachment has no id") }
        struct Row {
            let row: Int
            let members: [JSONValue.Member]
            let hasContent: Bool

            var isNowhere: Bool { !self.members.contains { $0.name == "url" || $0.name == "path" } }
        }
        let stored = try self.connection.row(
            "SELECT rowid, type, url, path, typeof(content) IN ('text', 'blob') FROM attachments WHERE id = ?",
            [.text(id)]
        ) { row in
            // Nobody said the type of what has this one.
            let type = row.text(1).flatMap { $0 == StoredAttachment.unknownType ? nil : $0 }
            let members = [("type", type), ("url", row.text(2)), ("path", row.text(3))].compactMap {
                (name: String, text: String?) in
                text.flatMap { $0.isEmpty ? nil : JSONValue.Member(name, .string($0)) }
            }
            return Row(row: row.integer(0), members: members, hasContent: row.integer(4) != 0)
        }
        guard let stored else { throw self.damaged("attachment '\(id.truncated(toUTF8Length: 64))' is missing") }
        guard stored.hasContent else { return .object(stored.members) }
        // Four characters for three bytes.
        guard try self.contents.size(row: stored.row) / 3 * 4 <= self.room else { throw HistoryQuestion.tooLong }
        let bytes = try self.contents.bytes(row: stored.row, atMost: self.room)
        guard !bytes.isEmpty || stored.isNowhere else { return .object(stored.members) }
        let text = Data(bytes).base64EncodedString()
        self.room -= min(text.utf8.count, self.room)
        return .object(stored.members + [JSONValue.Member("content", .string(text))])
    }
}
