public import JSON

/// What is shown to a model beside a text: an image, a document, a sound.
public struct Attachment: Sendable, Equatable {
    public enum Source: Sendable, Equatable {
        /// The bytes, in base64.
        case content(String)
        /// Where the provider, or the worker for it, finds it.
        case url(String)
        /// A file that llm has named. No process of the daemon opens it.
        case path(String)
    }

    /// The media type (`image/png`); `nil` where nobody said, and the bytes must.
    public var mediaType: String?
    public var source: Source

    public init(mediaType: String?, _ source: Source) {
        self.mediaType = mediaType
        self.source = source
    }

    /// Reads `{"type":…,"content":…}`, or with `url` or `path` instead of `content`.
    public init(_ value: JSONValue) throws(MessageError) {
        guard value.members != nil else { throw .wrongType("attachments", expected: "an array of objects") }
        self.mediaType = value["type"]?.string
        if let content = value["content"]?.string {
            self.source = .content(content)
        } else if let url = value["url"]?.string {
            self.source = .url(url)
        } else if let path = value["path"]?.string {
            self.source = .path(path)
        } else {
            throw .invalidValue("attachments", "an attachment needs 'content' in base64, or a 'url'")
        }
    }

    /// Reads a JSON array of attachments.
    public static func list(_ value: JSONValue) throws(MessageError) -> [Attachment] {
        guard let elements = value.array else { throw .wrongType("attachments", expected: "an array of objects") }
        return try elements.map { element throws(MessageError) in try Attachment(element) }
    }

    /// The attachment as JSON, in llm's order of members.
    public var value: JSONValue {
        var members: [JSONValue.Member] = []
        if let type = self.mediaType { members.append(.init("type", .string(type))) }
        switch self.source {
        case .url(let url): members.append(.init("url", .string(url)))
        case .path(let path): members.append(.init("path", .string(path)))
        case .content(let content): members.append(.init("content", .string(content)))
        }
        return .object(members)
    }
}
