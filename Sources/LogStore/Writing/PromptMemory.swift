import Messages

/// The text of the message that an answer follows.
struct PromptText: Equatable {
    /// `nil` for a role that is none of ours.
    let role: ModelMessage.Role?
    let text: String

    /// What a conversation is named after: its first prompt, or its system prompt where that is empty.
    var name: String { self.role == .user || self.role == .system ? self.text : "" }
    /// What a search finds.
    var searched: String { self.role == .user ? self.text : "" }
}

/// The prompts of requests that are open, so that an end need not look them up.
///
/// It may forget: the file has them all.
struct PromptMemory {
    /// How many bytes of text it holds, at most.
    static let maximumBytes = 4 << 20
    /// What a prompt counts besides its text.
    private static let overhead = 256

    private var texts: [String: PromptText] = [:]
    private var bytes = 0

    /// Keeps the text, if there is room.
    mutating func remember(_ text: PromptText?, of request: String) {
        guard let text else { return }
        let cost = text.text.utf8.count + Self.overhead
        guard self.bytes + cost <= Self.maximumBytes else { return }
        guard self.texts.updateValue(text, forKey: request) == nil else { return }
        self.bytes += cost
    }

    /// Returns what it knows of the request, and forgets it.
    mutating func recall(_ request: String) -> PromptText? {
        guard let text = self.texts.removeValue(forKey: request) else { return nil }
        self.bytes -= text.text.utf8.count + Self.overhead
        return text
    }
}
