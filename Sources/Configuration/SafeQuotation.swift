import Messages

/// Decides what of a file may be repeated in a message.
enum SafeQuotation {
    /// How many bytes of a value are repeated.
    private static let maximumLength = 64

    /// How API keys of well-known services begin.
    private static let secretPrefixes = [
        "sk-", "sk_", "pk-", "pk_", "rk_", "gsk_", "xai-", "hf_", "ghp_", "github_pat_", "glpat-", "AIza", "AKIA",
        "ya29.", "eyJ",
        "Bearer ", "key-", "r8_", "pplx-", "nvapi-", "xoxb-", "AQ.",
    ]

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
        if Self.secretPrefixes.contains(where: { text.hasPrefix($0) && text.utf8.count > $0.utf8.count + 3 }) {
            return true
        }
        guard text.utf8.count >= 20, text.utf8.allSatisfy(Self.isPartOfToken) else { return false }
        let digits = text.utf8.count { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return digits >= 4 && !text.contains("/") && Self.longestRunWithoutSeparator(text) >= 20
    }

    /// Whether printing `scalar` could move the cursor, end the line or reorder the text around it.
    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse: true
        default: false
        }
    }

    private static func isPartOfToken(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F
    }

    private static func longestRunWithoutSeparator(_ text: String) -> Int {
        text.utf8.split { Array("-_.:@".utf8).contains($0) }.map(\.count).max() ?? 0
    }
}
