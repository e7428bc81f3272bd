import JSON

/// The name of a message in llm's store: a digest of the message and of the name of the one before it.
///
/// The same text at another place of a conversation is another message, and conversations that begin alike share rows.
enum MessageHash {
    /// - Parameters:
    ///   - canonical: The message as canonical JSON.
    ///   - parent: The hash of the message before it; `nil` for the first.
    static func of(canonical: [UInt8], parent: String?) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(canonical.count + 64)
        text.append(contentsOf: #"{"message":"#.utf8)
        text.append(contentsOf: canonical)
        text.append(contentsOf: #","parent":"#.utf8)
        if let parent {
            JSONWriter.append(parent, to: &text)
        } else {
            text.append(contentsOf: "null".utf8)
        }
        text.append(UInt8(ascii: "}"))
        return "b2:" + Digest.blake2b16(text)
    }
}
