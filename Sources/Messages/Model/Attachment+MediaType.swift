extension Attachment {
    /// The media type as it was said, in lower case and without parameters, or as the first bytes or the end of the address
    /// tell it. An address that tells nothing is taken for an image's, as most are.
    public var knownMediaType: String? {
        if let type = self.mediaType?.lowercased().prefix(while: { $0 != ";" && $0 != " " }), !type.isEmpty {
            return String(type)
        }
        switch self.source {
        case .path: return nil
        case .content(let content):
            // Whole groups of four characters.
            let beginning = content.prefix(MediaSignature.length / 3 * 4)
            return Base64.decode(beginning).flatMap(MediaSignature.type)
        case .url(let url):
            let path = url.prefix { $0 != "?" && $0 != "#" }.lowercased()
            for (ending, type) in Self.endings where path.hasSuffix(ending) { return type }
            return "image/png"
        }
    }

    private static let endings = [
        (".pdf", "application/pdf"), (".wav", "audio/wav"), (".mp3", "audio/mpeg"), (".txt", "text/plain"),
    ]
}
