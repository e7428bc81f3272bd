import ArgumentParser
import BulkheadClient

/// `-a FILE`, `-a URL`, `-a -` and `--at FILE TYPE`: what is shown to the model.
struct AttachmentArgument {
    private let value: String
    /// `nil` means that the content says it.
    private let mediaType: String?

    /// An attachment whose type is to be guessed.
    init(argument: String) throws {
        guard !argument.isEmpty else { throw ValidationError("-a takes a file, a URL or '-' for standard input") }
        self.value = argument
        self.mediaType = nil
    }

    /// An attachment with its type, as a joined pair.
    init(pair argument: String) throws {
        let pair = try ArgumentPair(argument: argument, usage: "--at FILE TYPE")
        guard MediaType.isValid(pair.second) else {
            throw ValidationError(
                "'\(pair.second)' is no media type such as image/jpeg or application/pdf; write --at FILE TYPE")
        }
        self.value = pair.first
        self.mediaType = pair.second
    }

    private var isURL: Bool { self.value.contains("://") }

    var readsStandardInput: Bool { self.value == "-" }

    /// Reads the file, so that its bytes are sent; a URL is sent as it is.
    func attachment() throws(InputError) -> Attachment {
        if self.isURL { return Attachment(url: self.value, mediaType: self.mediaType) }
        let file = InputFile(path: self.value)
        let bytes = try file.read(bound: Attachment.bytesBound)
        guard !bytes.isEmpty else { throw InputError("\(file.name) is empty: there is nothing to attach") }
        guard let mediaType = self.mediaType ?? MediaType.guess(bytes, name: self.value) else {
            throw InputError("cannot tell the media type of \(file.name); say it with --at \(self.value) TYPE")
        }
        return Attachment(bytes: bytes, mediaType: mediaType)
    }
}
