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
