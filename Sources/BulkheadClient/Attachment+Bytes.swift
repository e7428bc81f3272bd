public import Messages

extension Attachment {
    /// What is shown to a model, by its bytes.
    ///
    ///     let photo = Attachment(bytes: bytes)
    ///     let request = PromptRequest(prompt: "What is this?", attachments: [photo])
    ///
    /// - Parameter mediaType: `nil` means what the bytes say (``MediaType/guess(_:name:)``).
    public init(bytes: [UInt8], mediaType: String? = nil) {
        self.init(mediaType: mediaType ?? MediaType.guess(bytes), .content(Base64.encode(bytes)))
    }

    /// What is shown to a model, by where it is. The provider, or the worker for it, fetches it.
    ///
    /// - Parameter mediaType: `nil` means what the URL's ending says (``MediaType/guess(url:)``).
    public init(url: String, mediaType: String? = nil) {
        self.init(mediaType: mediaType ?? MediaType.guess(url: url), .url(url))
    }

    /// The most bytes that fit into a request, if nothing else is in it: what is sent is text, a third longer.
    public static let bytesBound = ProtocolBounds.clientFrame / 4 * 3
}
