import Messages

/// Decides what of a file may be repeated in a message.
enum SafeQuotation {
    /// How many bytes of a value are repeated.
    private static let maximumLength = 64

    /// How keys of well-known services begin, where nothing else does.
    private static let secretPrefixes = [
        "sk-", "gsk_", "ghp_", "github_pat_", "glpat-", "AIza", "ya29.", "eyJ", "Bearer ",
    ]
    /// How keys begin, but names that people choose as well; with digits and at this length it is a key.
    private static let ambiguousPrefixes = [
        "sk_", "pk-", "pk_", "rk_", "hf_", "r8_", "key-", "xai-", "pplx-", "nvapi-", "xoxb-", "AKIA", "AQ.",
    ]
    private static let secretLength = 20

    /// `text` in quotes, cut short and with control characters escaped, or a description where it looks like a secret.
    static func quote(_ text: String) -> String {
        guard !Self.looksLikeSecret(text) else { return "(a value that looks like a secret)" }
        let short = text.truncated(toUTF8Length: Self.maximumLength)
        var quoted = "'"
        for scalar in short.unicodeScalars {
            quoted += Self.isInvisible(scalar) ? scalar.escaped(asASCII: true) : String(scalar)
        }
        return quoted + (short == text ? "'" : "…'")
    }

    /// Whether `text` is likely a key itself rather than a word that a person chose.
    static func looksLikeSecret(_ text: String) -> Bool {
        if Self.secretPrefixes.contains(where: { text.hasPrefix($0) && text.utf8.count >= $0.utf8.count + 8 }) {
            return true
        }
        guard text.utf8.count >= Self.secretLength else { return false }
        let digitCount = text.utf8.count { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        if Self.ambiguousPrefixes.contains(where: text.hasPrefix) { return digitCount >= 2 }
        return digitCount >= 4 && Self.longestToken(text) >= Self.secretLength
    }

    /// The length of the longest run of letters and digits.
    private static func longestToken(_ text: String) -> Int {
        text.utf8.split { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: false
            default: true
            }
        }.map(\.count).max() ?? 0
    }

    /// Whether printing `scalar` could move the cursor, end the line or reorder the text around it.
    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse: true
        default: false
        }
    }
}
