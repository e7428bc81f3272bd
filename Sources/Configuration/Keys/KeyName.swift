/// The names that keys go by: of environment variables, of credentials, of secrets in the store, and in llm's keys.json.
enum KeyName {
    static let rules = "1 to \(Self.maximumLength) letters, digits, '_', '-' and '.', such as OPENAI_API_KEY"
    private static let maximumLength = 128

    /// Whether `name` is one. None leads out of the directory of credentials.
    static func isUsable(_ name: String) -> Bool {
        guard (1...Self.maximumLength).contains(name.utf8.count), let first = name.utf8.first,
            Self.isLetterOrDigit(first) || first == UInt8(ascii: "_")
        else {
            return false
        }
        return name.utf8.allSatisfy { byte in
            Self.isLetterOrDigit(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: ".")
        }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }

    /// Reads the field `key`, which has the name of a key.
    ///
    /// - Returns: `nil`, with a problem that does not repeat the text, where it is no such name.
    static func read(_ field: YAMLValue) -> String? {
        guard let name = field.string("the name of a key") else { return nil }
        if SafeQuotation.looksLikeSecret(name) {
            field.refuse(
                "expected the name of a key, found what looks like a key itself; "
                    + "take it out of this file, and consider it known to others")
            return nil
        }
        guard Self.isUsable(name) else {
            field.refuse("expected the name of a key: \(Self.rules)")
            return nil
        }
        return name
    }
}
