import JSON
import Messages

/// What is shown to the model, as a block of a message.
enum AnthropicAttachment {
    private static let images = ["image/png", "image/jpeg", "image/gif", "image/webp"]
    private static let pdf = "application/pdf"

    /// The block for `attachment`, or `nil` where the API has no place for it.
    static func block(_ attachment: Attachment) -> JSONValue? {
        switch attachment.source {
        case .path: nil
        case .url(let url): Self.block(url: url, type: attachment.mediaType ?? Self.type(ofURL: url))
        case .content(let content): Self.block(content, type: attachment.mediaType ?? Self.type(ofContent: content))
        }
    }

    private static func block(url: String, type: String) -> JSONValue? {
        guard type == Self.pdf || Self.images.contains(type) else { return nil }
        let source = JSONValue.object([.init("type", .string("url")), .init("url", .string(url))])
        return Self.block(type == Self.pdf ? "document" : "image", source)
    }

    private static func block(_ content: String, type: String?) -> JSONValue? {
        guard let type else { return nil }
        if type == "text/plain" {
            guard let text = Base64Text.decoded(content) else { return nil }
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

    /// What is at an address of which nobody said it: the API itself finds out what kind of image.
    private static func type(ofURL url: String) -> String {
        url.prefix { $0 != "?" && $0 != "#" }.lowercased().hasSuffix(".pdf") ? Self.pdf : "image/png"
    }

    /// The beginnings of files, in base64.
    private static let beginnings = [
        ("iVBORw0KGgo", "image/png"), ("/9j/", "image/jpeg"), ("R0lGOD", "image/gif"), ("UklGR", "image/webp"),
        ("JVBERi0", Self.pdf),
    ]

    private static func type(ofContent content: String) -> String? {
        Self.beginnings.first { content.hasPrefix($0.0) }?.1
    }
}

/// Text in base64 (RFC 4648, section 4).
enum Base64Text {
    /// The text; `nil` where this is no base64, or what it holds is no UTF-8.
    static func decoded(_ content: String) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(content.utf8.count / 4 * 3)
        var (bits, count): (UInt32, Int) = (0, 0)
        for byte in content.utf8.reversed().drop(while: { $0 == UInt8(ascii: "=") }).reversed() {
            guard let value = Self.value(byte) else { return nil }
            bits = bits << 6 | value
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func value(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
