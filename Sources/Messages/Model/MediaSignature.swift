/// The formats that are known by how they begin, whatever anybody says of them.
public enum MediaSignature {
    public static let zip = "application/zip"

    /// How many bytes it takes to know the most of them.
    static let length = 64

    /// The media type that the first bytes say; `nil` where they say none.
    public static func type(of bytes: [UInt8]) -> String? {
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
