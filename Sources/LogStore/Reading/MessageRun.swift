import JSON
import Messages

/// Messages that follow each other.
struct MessageRun {
    /// Oldest first.
    var messages: [StoredMessages.Message] = []
    /// The message before them; `nil` at the beginning of a chain.
    var end: StoredMessages.Message?
    /// Why there may be more of them.
    var problem: String?
}

extension StoredMessages {
    /// The most messages that one prompt or one answer is made of.
    private static let runBound = 1_000

    /// Walks from a message to those before it, as long as `belongs`.
    func run(from hash: String?, while belongs: (Message) -> Bool) throws -> MessageRun {
        var run = MessageRun()
        var next = hash
        while let hash = next {
            guard let message = try self.message(hash) else {
                run.problem = Self.missing(hash)
                break
            }
            guard belongs(message) else {
                run.end = message
                break
            }
            guard run.messages.count < Self.runBound else {
                run.problem = "it has more than \(Self.runBound) messages"
                break
            }
            run.messages.append(message)
            next = message.parent
        }
        run.messages.reverse()
        return run
    }

    static func missing(_ hash: String) -> String { "message '\(hash.truncated(toUTF8Length: 64))' is missing" }

    /// Appends the text of a part: a literal one, or one that is put together of fragments.
    func append(_ part: Part, to text: inout BoundedText) throws {
        if part.hasText { return text.append(try self.text(of: part, atMost: text.wish)) }
        let payload = try self.payload(of: part, atMost: Self.referenceBound)
        for piece in StoredJSON.value(payload)?["text_ref"]?.array ?? [] {
            if let literal = piece["literal"]?.string {
                text.append(literal.utf8)
            } else if let fragment = piece["fragment"]?.integer {
                text.append(try self.fragment(fragment, atMost: text.wish))
            }
        }
    }

    /// The longest list of fragments and literals that is read.
    private static let referenceBound = 8 << 20
}

/// The system prompts of conversations, each looked up once.
final class SystemPrompts {
    private let messages: StoredMessages
    private let bound: Int
    private var known: [String: BoundedText?] = [:]

    /// How far the beginning of a chain is looked for: what llm has forked may be long.
    private static let maximumDepth = 10_000

    /// - Parameter bound: Of a text, in bytes.
    init(_ messages: StoredMessages, bound: Int) {
        self.messages = messages
        self.bound = bound
    }

    /// The text of the first message of the chain that ends with `hash`, if its role is `system`.
    func text(conversation: String?, hash: String?) throws -> BoundedText? {
        if let conversation, let text = self.known[conversation] { return text }
        let text = try self.text(from: try conversation.flatMap(self.firstPrompt(of:)) ?? hash)
        if let conversation { self.known[conversation] = .some(text) }
        return text
    }

    /// The way from the first prompt of a conversation is the shortest.
    private func firstPrompt(of conversation: String) throws -> String? {
        let hash = try self.messages.connection.row(
            "SELECT parent_message_hash FROM requests WHERE id = ? AND conversation = id", [.text(conversation)]
        ) { $0.text(0) }
        return hash ?? nil
    }

    private func text(from hash: String?) throws -> BoundedText? {
        guard let hash else { return nil }
        let first = try self.messages.connection.row(
            """
            WITH RECURSIVE chain (hash, parent, role, depth) AS (
                SELECT hash, parent_hash, role, 0 FROM messages WHERE hash = ?
                UNION ALL
                SELECT messages.hash, messages.parent_hash, messages.role, depth + 1
                FROM chain JOIN messages ON messages.hash = chain.parent WHERE depth < ?)
            SELECT hash FROM chain WHERE parent IS NULL AND role = 'system'
            """, [.text(hash), .integer(Self.maximumDepth)]
        ) { $0.text(0) }
        guard let first = first ?? nil else { return nil }
        var text = BoundedText(bound: self.bound)
        for part in try self.messages.parts(of: first) where part.type == "text" {
            try self.messages.append(part, to: &text)
        }
        return text
    }
}
