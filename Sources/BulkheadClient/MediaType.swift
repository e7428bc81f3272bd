import Messages

/// Guesses what bytes are, as an attachment must say it (`image/png`).
///
/// Formats that begin with a signature are known by it alone: a name can be wrong. A name counts for texts and for what is
/// packed as a zip archive, which look like any other.
public enum MediaType {
    /// The media type of a file's content; `nil` where it cannot be told.
    ///
    /// - Parameters:
    ///   - bytes: The whole content.
    ///   - name: The file's name or path, if it has one.
    public static func guess(_ bytes: [UInt8], name: String? = nil) -> String? {
        let ending = name.map(Self.ending)
        if let type = MediaSignature.type(of: bytes) {
            return type == MediaSignature.zip ? ending.flatMap { Self.packed[$0] } ?? type : type
        }
        guard !bytes.isEmpty, bytes.allSatisfy(\.isInTexts), String(validating: bytes, as: UTF8.self) != nil else {
            return nil
        }
        return ending.flatMap { Self.texts[$0] } ?? "text/plain"
    }

    /// The media type of what a URL names, by the ending of its path; `nil` where that says nothing.
    public static func guess(url: String) -> String? {
        let path = url.prefix { $0 != "?" && $0 != "#" }
        let ending = Self.ending(String(path))
        return Self.signedEndings[ending] ?? Self.packed[ending] ?? Self.texts[ending]
    }

    /// Whether `text` has the form `type/subtype`, with the characters of RFC 6838 and perhaps parameters.
    public static func isValid(_ text: String) -> Bool {
        let names = text.prefix { $0 != ";" }.split(separator: "/", omittingEmptySubsequences: false)
        return names.count == 2
            && names.allSatisfy { name in
                !name.isEmpty && name.utf8.count <= 127
                    && name.utf8.allSatisfy { $0.isLetterOrDigit || "!#$&-^_.+".utf8.contains($0) }
            }
    }

    /// What follows the last dot of a path's last component, in lower case; empty where there is none.
    private static func ending(_ path: String) -> String {
        let component = path.split(separator: "/").last ?? ""
        guard let dot = component.lastIndex(of: ".") else { return "" }
        return component[component.index(after: dot)...].lowercased()
    }

    /// What is packed as a zip archive, by the ending of its name.
    private static let packed = [
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "odt": "application/vnd.oasis.opendocument.text", "epub": "application/epub+zip", "zip": MediaSignature.zip,
    ]

    /// Texts, by the ending of their name.
    private static let texts = [
        "txt": "text/plain", "md": "text/markdown", "csv": "text/csv", "html": "text/html", "htm": "text/html",
        "css": "text/css", "xml": "text/xml", "js": "text/javascript", "json": "application/json",
        "yaml": "application/yaml", "yml": "application/yaml", "svg": "image/svg+xml", "rtf": "text/rtf",
    ]

    /// What has a signature, by the ending of its name: for a URL, whose bytes nobody has.
    private static let signedEndings = [
        "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp",
        "bmp": "image/bmp", "tif": "image/tiff", "tiff": "image/tiff", "heic": "image/heic", "avif": "image/avif",
        "pdf": "application/pdf", "mp3": "audio/mpeg", "wav": "audio/wav", "ogg": "audio/ogg", "flac": "audio/flac",
        "m4a": "audio/mp4", "mp4": "video/mp4", "mov": "video/quicktime", "webm": "video/webm",
        "mkv": "video/x-matroska",
    ]
}

extension UInt8 {
    /// Whether a text has such bytes: of the control characters only space of some kind, backspace and escape.
    fileprivate var isInTexts: Bool { self >= 0x20 || (0x08...0x0D).contains(self) || self == 0x1B }

    fileprivate var isLetterOrDigit: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
