/// Bytes as text (RFC 4648, section 4): how attachments travel in JSON.
public enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The length of the text of so many bytes, its padding included.
    public static func length(ofBytes count: Int) -> Int { (count + 2) / 3 * 4 }

    public static func encode(_ bytes: [UInt8]) -> String {
        let alphabet = Self.alphabet
        var text: [UInt8] = []
        text.reserveCapacity(Self.length(ofBytes: bytes.count))
        var index = 0
        while index < bytes.count {
            let isWhole = index + 2 < bytes.count
            let second = index + 1 < bytes.count ? bytes[index + 1] : 0
            let third = isWhole ? bytes[index + 2] : 0
            let group = Int(bytes[index]) << 16 | Int(second) << 8 | Int(third)
            text.append(alphabet[group >> 18])
            text.append(alphabet[group >> 12 & 63])
            text.append(index + 1 < bytes.count ? alphabet[group >> 6 & 63] : UInt8(ascii: "="))
            text.append(isWhole ? alphabet[group & 63] : UInt8(ascii: "="))
            index += 3
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of a text; `nil` where it is no base64. Padding may be left out.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count / 4 * 3)
        var (bits, count): (UInt32, Int) = (0, 0)
        var padding = 0
        for character in text.utf8 {
            guard character != UInt8(ascii: "=") else {
                padding += 1
                continue
            }
            guard padding == 0, let value = Self.value(character) else { return nil }
            bits = bits << 6 | value
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        // One character alone says nothing, and what pads a group makes it whole.
        return count < 6 && (padding == 0 || (text.utf8.count.isMultiple(of: 4) && padding < 3)) ? bytes : nil
    }

    /// Whether a text is base64 with its padding: what providers accept.
    public static func isValid(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            guard bytes.count.isMultiple(of: 4) else { return false }
            let padding = bytes.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
            return bytes.dropLast(padding).allSatisfy { Self.value($0) != nil }
        }
    }

    private static func value(_ character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
