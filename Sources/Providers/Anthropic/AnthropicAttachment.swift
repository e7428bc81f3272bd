import JSON
import Messages

/// What is shown to the model, as a block of a message.
enum AnthropicAttachment {
    private static let images = ["image/png", "image/jpeg", "image/gif", "image/webp"]
    private static let pdf = "application/pdf"

    /// The block for `attachment`, or `nil` where the API has no place for it.
    static func block(_ attachment: Attachment) -> JSONValue? {
        guard let type = attachment.knownMediaType else { return nil }
        switch attachment.source {
        case .path: return nil
        case .url(let url): return Self.block(url: url, type: type)
        case .content(let content): return Self.block(content, type: type)
        }
    }

    private static func block(url: String, type: String) -> JSONValue? {
        guard type == Self.pdf || Self.images.contains(type) else { return nil }
        let source = JSONValue.object([.init("type", .string("url")), .init("url", .string(url))])
        return Self.block(type == Self.pdf ? "document" : "image", source)
    }

    private static func block(_ content: String, type: String) -> JSONValue? {
        if type == "text/plain" {
            guard let bytes = Base64.decode(content), let text = String(validating: bytes, as: UTF8.self) else {
                return nil
            }
            return Self.block("document", Self.source("text", type, text))
        }
        guard type == Self.pdf || Self.images.contains(type) else { return nil }
        return Self.block(type == Self.pdf ? "document" : "image", Self.source("base64", type, content))
    }

    private static func source(_ kind: String, _ type: String, _ text: String) -> JSONValue {
        .object([.init("type", .string(kind)), .init("media_type", .string(type)), .init("data", .string(text))])
    }

    private static func block(_ type: String, _ source: JSONValue) -> JSONValue {
        .object([.init("type", .string(type)), .init("source", source)])
    }
}
