internal import Foundation
import JSON
import Messages

/// An attachment as llm stores it: once for all messages, under a digest of its bytes or of its address.
struct StoredAttachment {
    /// The digest.
    let id: String
    /// The media type: the one that was said, or that the bytes begin like, or ``unknownType``.
    ///
    /// It is never missing: llm would look into the bytes, or ask the server of an address, whenever it reads the row.
    let type: String
    /// Where the bytes are, if they did not come along.
    let url: String?
    let content: [UInt8]?

    /// The media type of bytes that nobody has named (RFC 2046, section 4.5.1).
    static let unknownType = "application/octet-stream"

    init(_ attachment: Attachment) {
        let said = attachment.mediaType.flatMap { $0.isEmpty ? nil : $0 }
        switch attachment.source {
        case .content(let text):
            let content = Self.bytes(text)
            // Empty bytes count as none, as they do in llm.
            self.id =
                content.isEmpty ? ContentIdentity.attachment(url: nil) : ContentIdentity.attachment(content: content)
            self.type = said ?? Self.type(of: content) ?? Self.unknownType
            self.url = nil
            self.content = content
        // No client may name a file; a name is all that it would be here.
        case .url(let url), .path(let url):
            self.id = ContentIdentity.attachment(url: url)
            self.type = said ?? Self.unknownType
            self.url = url
            self.content = nil
        }
    }

    /// The bytes of a text in base64; a text that is none is kept as it came.
    private static func bytes(_ text: String) -> [UInt8] {
        if let data = Data(base64Encoded: text) ?? Data(base64Encoded: text, options: .ignoreUnknownCharacters) {
            return [UInt8](data)
        }
        return Array(text.utf8)
    }

    /// What a message's hash covers of an attachment.
    var identity: JSONValue {
        .object([JSONValue.Member("id", .string(self.id)), JSONValue.Member("type", .string(self.type))])
    }

    /// The id of its row where ``id`` is another's: of the same bytes under another type, or of a file that llm has named.
    var otherID: String { "\(self.id)-\(self.type)" }

    // MARK: Types

    /// The media type that bytes begin like; `nil` where they are of none that models are shown often.
    static func type(of content: [UInt8]) -> String? {
        MediaSignature.type(of: content).flatMap { Self.guessed.contains($0) ? $0 : nil }
    }

    /// The types that llm guesses.
    private static let guessed = [
        "image/png", "image/jpeg", "image/gif", "application/pdf", "image/webp", "audio/wav", "audio/mpeg",
    ]
}
