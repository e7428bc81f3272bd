import JSON
import Messages

/// Attachments as Gemini takes them: bytes in the request, or an address that Google fetches itself.
enum GeminiMedia {
    /// `inlineData` or `fileData`.
    static func part(_ attachment: Attachment, of part: MessagePart) throws(UnsendablePart) -> JSONValue {
        guard case .url(let url) = attachment.source else { return try Self.inline(attachment, of: part) }
        // Of a video on YouTube nobody knows the type, and none is needed.
        let type = attachment.mediaType.map { [JSONValue.Member("mimeType", .string(Self.type($0)))] } ?? []
        return .object([.init("fileData", .object([.init("fileUri", .string(url))] + type))])
    }

    /// `inlineData`, the only form that a function's response may have.
    static func inline(_ attachment: Attachment, of part: MessagePart) throws(UnsendablePart) -> JSONValue {
        guard case .content(let content) = attachment.source else {
            throw UnsendablePart(part, "send the attachment's content, not where it is")
        }
        guard let type = attachment.knownMediaType else {
            throw UnsendablePart(part, "the attachment's media type is not known; name it in 'type', such as image/png")
        }
        return .object([
            .init(
                "inlineData", .object([.init("mimeType", .string(Self.type(type))), .init("data", .string(content))]))
        ])
    }

    /// Google's names for two types that have others elsewhere.
    private static func type(_ type: String) -> String {
        switch type {
        case "audio/mpeg": "audio/mp3"
        case "application/ogg": "audio/ogg"
        default: type
        }
    }
}
