/// What a model must be able to do for a prompt to be answered as it is meant.
///
/// It is noted while the prompt is read, so that nothing is read again where it is checked.
public struct PromptNeeds: Sendable, Equatable {
    public var schema = false
    /// Whether there are tools that the model may ask for.
    public var tools = false
    /// Whether something was said before.
    public var conversation = false
    /// The media types of all that is shown with the prompt or with what was said before, as they were said; `nil` where
    /// nobody said.
    public var mediaTypes: [String?] = []

    /// Whether any text can be asked of any model.
    public var isEmpty: Bool { !self.schema && !self.tools && !self.conversation && self.mediaTypes.isEmpty }

    public init() {}

    mutating func note(_ attachments: [Attachment]) {
        for attachment in attachments { self.mediaTypes.append(attachment.mediaType) }
    }

    mutating func note(_ message: ModelMessage) {
        if message.role == .assistant || message.role == .tool { self.conversation = true }
        for part in message.parts { self.note(part.content.attachments) }
    }
}
