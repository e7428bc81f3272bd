internal import GRDB
import JSON
import Messages

/// `op: history`: the messages of a conversation, for the prompt that continues it.
struct HistoryQuestion {
    private let connection: ReadConnection
    private let conversation: String
    private let uid: Int?

    init(_ connection: ReadConnection, conversation: String, uid: Int?) {
        self.connection = connection
        self.conversation = conversation
        self.uid = uid
    }

    static let tooLong = Failure(
        .invalidRequest, "the conversation is too long to be continued; begin another one, with what matters of this")

    func answer() throws -> ReaderReply.History {
        let isThread = try self.checkExists()
        let tip = isThread ? try self.tip() : nil
        guard let tip else {
            return ReaderReply.History(tip: nil, model: try self.model(), system: nil, messages: Array("[]".utf8))
        }
        let reader = MessageReader(self.connection)
        defer { reader.close() }
        let messages = try self.messages(tip, reader)
        return ReaderReply.History(
            tip: tip, model: try self.model(), system: messages.system, messages: messages.encoded)
    }

    // MARK: The conversation

    /// Checks that the conversation is there for this user, and returns whether it has a thread: where nothing was
    /// answered yet, there is only the first request.
    private func checkExists() throws -> Bool {
        let owner = try self.connection.row(
            "SELECT uid FROM requests WHERE id = ? AND conversation = id", [.text(self.conversation)]
        ) { $0.optionalInteger(0) }
        let isThread = try self.exists(in: "threads")
        if let uid = self.uid {
            guard let owner, owner == uid else { throw self.notFound() }
        } else if owner == nil, !isThread {
            throw try self.exists(in: "conversations") ? self.legacy() : self.notFound()
        }
        return isThread
    }

    private func exists(in table: String) throws -> Bool {
        try self.connection.row("SELECT 1 FROM \(table) WHERE id = ?", [.text(self.conversation)]) { _ in true }
            ?? false
    }

    private func notFound() -> Failure {
        Failure(.notFound, "no conversation '\(self.conversation)' of this user is on record")
    }

    private func legacy() -> Failure {
        Failure(
            .notFound,
            "the conversation '\(self.conversation)' was recorded by llm before 0.32; only llm itself can continue it")
    }

    private func tip() throws -> String? {
        let tip = try self.connection.row(
            "SELECT tip_message_hash FROM threads WHERE id = ?", [.text(self.conversation)]
        ) { $0.text(0) }
        return tip ?? nil
    }

    private func model() throws -> String? {
        let model = try self.connection.row(
            "SELECT model FROM turns WHERE thread_id = ? ORDER BY id DESC LIMIT 1", [.text(self.conversation)]
        ) { $0.text(0) }
        return model ?? nil
    }

    // MARK: Its messages

    private struct Messages {
        /// A JSON array, oldest first.
        var encoded: [UInt8]
        /// The text of the first one, if its role is `system`.
        var system: String?
    }

    /// Walks from the newest message to the oldest, and stops at the bound.
    private func messages(_ tip: String, _ reader: MessageReader) throws -> Messages {
        var pieces: [[UInt8]] = []
        var length = 2
        var landmark = tip
        var system: String?
        var next: String? = tip
        while let hash = next {
            if self.connection.clock.isOver { throw Failure(.logUnavailable, "the record took too long to read") }
            let message = try reader.message(hash, atMost: ProtocolBounds.history - length)
            pieces.append(message.value.serialized())
            length += pieces[pieces.count - 1].count + 1
            guard length <= ProtocolBounds.history else { throw Self.tooLong }
            next = message.parent
            if next == nil, message.role == "system" { system = message.text }
            // Brent's way to notice a circle: what was met before is met again, at the latest two rounds later.
            if next == landmark { throw reader.damaged("its messages form a circle") }
            if pieces.count & (pieces.count - 1) == 0, let next { landmark = next }
        }
        var encoded: [UInt8] = [UInt8(ascii: "[")]
        encoded.reserveCapacity(length)
        while let piece = pieces.popLast() {
            if encoded.count > 1 { encoded.append(UInt8(ascii: ",")) }
            encoded.append(contentsOf: piece)
        }
        encoded.append(UInt8(ascii: "]"))
        return Messages(encoded: encoded, system: system)
    }
}
