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
        if let type = Self.signed(bytes) {
            return type == Self.zip ? ending.flatMap { Self.packed[$0] } ?? type : type
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

    private static let zip = "application/zip"

    /// What is packed as a zip archive, by the ending of its name.
    private static let packed = [
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "odt": "application/vnd.oasis.opendocument.text", "epub": "application/epub+zip", "zip": Self.zip,
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

extension MediaType {
    /// The media type that the first bytes say.
    private static func signed(_ bytes: [UInt8]) -> String? {
        func has(_ signature: String, at offset: Int = 0) -> Bool {
            bytes.dropFirst(offset).starts(with: signature.utf8)
        }
        func begins(_ signature: [UInt8]) -> Bool { bytes.starts(with: signature) }

        if begins([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return "image/png" }
        if begins([0xFF, 0xD8, 0xFF]) { return "image/jpeg" }
        if has("GIF87a") || has("GIF89a") { return "image/gif" }
        if has("%PDF-") { return "application/pdf" }
        if has("RIFF") {
            if has("WEBP", at: 8) { return "image/webp" }
            if has("WAVE", at: 8) { return "audio/wav" }
            if has("AVI ", at: 8) { return "video/x-msvideo" }
        }
        if has("ftyp", at: 4) { return Self.brand(String(decoding: bytes.dropFirst(8).prefix(4), as: UTF8.self)) }
        if begins([0x49, 0x49, 0x2A, 0]) || begins([0x4D, 0x4D, 0, 0x2A]) { return "image/tiff" }
        // A bitmap's four reserved bytes are zero; a text may begin with these letters too.
        if has("BM"), bytes.count > 14, bytes[6..<10].allSatisfy({ $0 == 0 }) { return "image/bmp" }
        if has("fLaC") { return "audio/flac" }
        if has("OggS") { return "audio/ogg" }
        if has("ID3") { return "audio/mpeg" }
        if begins([0x1A, 0x45, 0xDF, 0xA3]) {
            return String(decoding: bytes.prefix(64), as: UTF8.self).contains("webm")
                ? "video/webm" : "video/x-matroska"
        }
        if begins([0x50, 0x4B, 3, 4]) { return Self.zip }
        return Self.audioFrame(bytes)
    }

    /// What a file of ISO 14496-12 holds, by its major brand.
    private static func brand(_ brand: String) -> String {
        switch brand {
        case "heic", "heix", "heim", "heis", "mif1": "image/heic"
        case "avif", "avis": "image/avif"
        case "M4A ", "M4B ": "audio/mp4"
        case "qt  ": "video/quicktime"
        default: "video/mp4"
        }
    }

    /// Sound without a container, by the header of its first frame: eleven bits that are set, then version and layer.
    private static func audioFrame(_ bytes: [UInt8]) -> String? {
        guard bytes.count > 2, bytes[0] == 0xFF, bytes[1] & 0xE0 == 0xE0 else { return nil }
        if bytes[1] & 0xF6 == 0xF0 { return "audio/aac" }
        // Nobody uses layer I, and the byte order mark of a text in UTF-16 would be one.
        let isLayerTwoOrThree = bytes[1] & 0x06 == 0x02 || bytes[1] & 0x06 == 0x04
        return isLayerTwoOrThree && bytes[1] & 0x18 != 0x08 && bytes[2] & 0xF0 != 0xF0 ? "audio/mpeg" : nil
    }
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
