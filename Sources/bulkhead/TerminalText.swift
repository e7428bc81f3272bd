import BulkheadClient

/// Makes text that somebody else has written safe for a terminal, which takes orders from control characters: what a model
/// said could move the cursor, change the title or hide what stands before it.
enum TerminalText {
    /// The text with its control characters shown as escapes, but line breaks and tabs. A line that ends with CR and LF
    /// ends with LF.
    static func escaped(_ text: String) -> String {
        Self.replacing(
            Self.withoutReturns(text), where: { Self.isOrder($0) && $0 != "\n" && $0 != "\t" }
        ) { scalar in
            scalar.value < 0x100
                ? "\\x\(Self.hexadecimal(scalar, digits: 2))" : "\\u{\(Self.hexadecimal(scalar, digits: 4))}"
        }
    }

    private static func withoutReturns(_ text: String) -> String {
        // CR and LF are one character of a string.
        let ending: Character = "\r\n"
        guard text.contains(ending) else { return text }
        return text.split(separator: ending, omittingEmptySubsequences: false).joined(separator: "\n")
    }

    /// The text on one line, shortened to `count` characters.
    static func line(_ text: String, atMost count: Int) -> String {
        // More than fits, so that a long text is not escaped as a whole.
        let beginning = String(text.prefix(4 * count))
        let words = Self.escaped(beginning).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let isWhole = words.count <= count && beginning.utf8.count == text.utf8.count
        return isWhole ? words : words.prefix(count - 1) + "…"
    }

    /// JSON text, in whose strings a line break or an escape character is an escape already.
    static func json(_ text: String) -> String {
        Self.replacing(text, where: Self.isOrder) { "\\u\(Self.hexadecimal($0, digits: 4))" }
    }

    private static func replacing(
        _ text: String, where isReplaced: (Unicode.Scalar) -> Bool, _ replacement: (Unicode.Scalar) -> String
    ) -> String {
        guard text.unicodeScalars.contains(where: isReplaced) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if isReplaced(scalar) {
                result.append(contentsOf: replacement(scalar).unicodeScalars)
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    /// Control characters, and those that turn the direction of the text around (Unicode, UAX #9).
    private static func isOrder(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    private static func hexadecimal(_ scalar: Unicode.Scalar, digits: Int) -> String {
        let text = String(scalar.value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
