import Messages

/// Takes a key out of what a provider wrote, in whatever form it repeated it.
///
/// Providers answer a wrong key with the key, and servers in between with the whole header, as it was, or as it stands in a URL,
/// in JSON, in base64 or in hexadecimal. A part of a key that is most of it goes too, and so does the beginning of one at the
/// very end of a text, where it may have been cut short.
struct KeyMask {
    private static let mask = Array("[key]".utf8)
    /// A shorter key has no other forms: too much of what is no key would look like one.
    private static let shortestInOtherForms = 8
    private let forms: [Form]

    init(_ key: String) {
        let key = Array(key.utf8)
        var forms = [Form(key, alphabet: .text)]
        if key.count >= Self.shortestInOtherForms {
            forms += (0...2).map { Form(Self.base64(key, offset: $0), alphabet: .base64) }
            forms.append(Form(Self.hexadecimal(key), alphabet: .hexadecimal))
        }
        self.forms = forms.filter { !$0.pattern.isEmpty }
    }

    func hide(in text: String) -> String {
        let bytes = Array(text.utf8)
        var clean: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if let end = self.forms.lazy.compactMap({ $0.end(in: bytes, from: index) }).max() {
                clean += Self.mask
                index = end
            } else {
                clean.append(bytes[index])
                index += 1
            }
        }
        return clean.count == bytes.count && clean == bytes ? text : String(decoding: clean, as: UTF8.self)
    }

    /// What is the same in every base64 text that holds the key after so many other bytes, in threes.
    private static func base64(_ key: [UInt8], offset: Int) -> [UInt8] {
        let text = Array(Base64.encode([UInt8](repeating: 0, count: offset) + key).utf8)
        // Characters that share bits with what comes before and after the key say something else each time.
        let first = offset == 0 ? 0 : offset + 1
        let whole = (offset + key.count) * 8 / 6
        return whole > first ? Array(text[first..<whole]) : []
    }

    private static func hexadecimal(_ key: [UInt8]) -> [UInt8] {
        key.flatMap { byte in
            let digits = String(byte, radix: 16)
            return Array((digits.count == 1 ? "0\(digits)" : digits).utf8)
        }
    }
}

/// One way in which a key may be written.
private struct Form {
    enum Alphabet { case text, base64, hexadecimal }

    /// The beginning of a key that is taken out at the end of a text, in bytes.
    private static let shortestEnd = 4

    let pattern: [UInt8]
    private let alphabet: Alphabet
    /// How much of the pattern is enough, in bytes.
    private let enough: Int

    init(_ pattern: [UInt8], alphabet: Alphabet) {
        self.pattern = pattern.map { Self.plain($0, alphabet) }
        self.alphabet = alphabet
        self.enough = min(pattern.count, max(8, (pattern.count + 1) / 2))
    }

    /// Where the key ends that begins at `start`; `nil` where none does.
    func end(in text: [UInt8], from start: Int) -> Int? {
        var (index, matched) = (start, 0)
        while matched < self.pattern.count {
            guard index < text.count else { return matched >= min(Self.shortestEnd, self.pattern.count) ? index : nil }
            guard let (byte, length) = self.character(text, at: index) else {
                // An escape that was cut short.
                return matched >= min(Self.shortestEnd, self.pattern.count) ? text.count : nil
            }
            guard byte == self.pattern[matched] else { break }
            matched += 1
            index += length
        }
        return matched >= self.enough ? index : nil
    }

    /// The byte that stands at a place, itself or as an escape, and how long it is there; `nil` for the beginning of an escape at
    /// the end of the text.
    private func character(_ text: [UInt8], at index: Int) -> (UInt8, length: Int)? {
        let byte = text[index]
        guard self.alphabet != .hexadecimal else { return (Self.plain(byte, self.alphabet), 1) }
        let (prefix, digits): (Int, Int)
        switch byte {
        case UInt8(ascii: "%"): (prefix, digits) = (1, 2)
        case UInt8(ascii: "\\"):
            guard index + 1 < text.count else { return nil }
            switch text[index + 1] {
            case UInt8(ascii: "u"): (prefix, digits) = (2, 4)
            case UInt8(ascii: "x"): (prefix, digits) = (2, 2)
            case let escaped: return (Self.plain(escaped, self.alphabet), 2)
            }
        default: return (Self.plain(byte, self.alphabet), 1)
        }
        let hexadecimal = text[min(index + prefix, text.count)..<min(index + prefix + digits, text.count)]
        guard let value = Int(String(decoding: hexadecimal, as: UTF8.self), radix: 16), value <= 0xFF else {
            return (Self.plain(byte, self.alphabet), 1)
        }
        guard hexadecimal.count == digits else { return nil }
        return (Self.plain(UInt8(value), self.alphabet), prefix + digits)
    }

    /// The same for bytes that mean the same.
    private static func plain(_ byte: UInt8, _ alphabet: Alphabet) -> UInt8 {
        switch (alphabet, byte) {
        case (.base64, UInt8(ascii: "-")): UInt8(ascii: "+")
        case (.base64, UInt8(ascii: "_")): UInt8(ascii: "/")
        case (.hexadecimal, UInt8(ascii: "A")...UInt8(ascii: "F")): byte + 32
        default: byte
        }
    }
}

extension String {
    /// The text with `[key]` wherever it holds the key, in whatever form (``KeyMask``).
    ///
    /// Whoever cuts a text short does this first, so that as little as possible of a key is left to be recognised.
    func withoutKey(_ key: String?) -> String {
        guard let key, !key.isEmpty, !self.isEmpty else { return self }
        return KeyMask(key).hide(in: self)
    }
}
