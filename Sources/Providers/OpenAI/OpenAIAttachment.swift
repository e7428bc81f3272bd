import JSON
import Messages

/// An attachment as OpenAI's APIs tell them apart.
enum OpenAIAttachment {
    /// An image, by its address or as a `data:` URL.
    case image(url: String)
    /// A document as a `data:` URL, with a file name that tells what it is.
    case document(name: String, mediaType: String, data: String)
    case documentURL(String)
    /// A sound: base64, and `wav` or `mp3`.
    case sound(data: String, format: String)

    /// Why an attachment cannot be sent.
    struct Unsendable: Error {
        var reason: String
    }

    init(_ attachment: Attachment) throws(Unsendable) {
        guard let type = attachment.knownMediaType else {
            throw Unsendable(reason: "its media type is not known; name it in 'type'")
        }
        switch attachment.source {
        case .path: throw Unsendable(reason: "it is a path, and this service opens no files; send its bytes")
        case .url(let url): self = try Self.at(url, type)
        case .content(let content): self = try Self.holding(content, type)
        }
    }

    private static func at(_ url: String, _ type: String) throws(Unsendable) -> OpenAIAttachment {
        if type.hasPrefix("image/") { return .image(url: url) }
        if Self.extensions[type] != nil { return .documentURL(url) }
        throw Unsendable(reason: "the API takes it by its bytes only, not by its address")
    }

    private static func holding(_ content: String, _ type: String) throws(Unsendable) -> OpenAIAttachment {
        let data = "data:\(type);base64,\(content)"
        switch type {
        case "audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave": return .sound(data: content, format: "wav")
        case "audio/mpeg", "audio/mp3": return .sound(data: content, format: "mp3")
        case let type where type.hasPrefix("image/"): return .image(url: data)
        default:
            guard let suffix = Self.extensions[type] else {
                throw Unsendable(reason: "the API has no place for this media type")
            }
            return .document(name: "attachment.\(suffix)", mediaType: type, data: data)
        }
    }

    /// The documents that the Responses API reads, and how their names end.
    private static let extensions = [
        "application/pdf": "pdf", "text/plain": "txt", "text/markdown": "md", "text/csv": "csv", "text/html": "html",
        "application/json": "json",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    ]
}

extension Attachment {
    /// The media type as it was said, in lower case and without parameters, or as the first bytes or the end of the address
    /// tell it. An address that tells nothing is taken for an image's, as most are.
    var knownMediaType: String? {
        if let type = self.mediaType?.lowercased().prefix(while: { $0 != ";" && $0 != " " }), !type.isEmpty {
            return String(type)
        }
        switch self.source {
        case .path: return nil
        case .content(let content): return Self.mediaType(ofBase64: content)
        case .url(let url):
            let path = url.prefix { $0 != "?" && $0 != "#" }.lowercased()
            for (ending, type) in Self.endings where path.hasSuffix(ending) { return type }
            return "image/png"
        }
    }

    private static let endings = [
        (".pdf", "application/pdf"), (".wav", "audio/wav"), (".mp3", "audio/mpeg"), (".txt", "text/plain"),
    ]

    /// By the magic numbers that base64 shows: three bytes are four characters.
    private static func mediaType(ofBase64 content: String) -> String? {
        let beginnings = [
            ("iVBORw0KGgo", "image/png"), ("/9j/", "image/jpeg"), ("R0lGOD", "image/gif"),
            ("JVBERi0", "application/pdf"),
            ("SUQz", "audio/mpeg"),
        ]
        for (beginning, type) in beginnings where content.hasPrefix(beginning) { return type }
        // A frame of MPEG audio, layer III, without tags before it: twelve bits that are set, and one of 2, 3, 10, 11.
        if content.hasPrefix("//"), let third = content.dropFirst(2).first, "IJKLMNOPopqrstuv".contains(third) {
            return "audio/mpeg"
        }
        // `RIFF`, four bytes of a length, and what it is: `WEBP` or `WAVE`, which end as these five characters.
        guard content.hasPrefix("UklGR") else { return nil }
        switch content.dropFirst(11).prefix(5) {
        case "XRUJQ": return "image/webp"
        case "XQVZF": return "audio/wav"
        default: return nil
        }
    }
}
