/// The name that llm gives to a conversation: how its first prompt begins.
enum ConversationName {
    /// The most code points that a name has.
    private static let length = 32

    /// - Parameter text: The first prompt, or the system prompt where that is empty.
    static func of(_ text: String) -> String {
        var name = String.UnicodeScalarView()
        var isAfterSpace = false
        var count = 0
        for scalar in text.unicodeScalars {
            let isSpace = Self.isSpace(scalar)
            defer { isAfterSpace = isSpace }
            if isSpace, isAfterSpace { continue }
            count += 1
            guard count <= Self.length else {
                name.removeLast()
                name.append("…")
                break
            }
            name.append(isSpace ? " " : scalar)
        }
        return String(name)
    }

    /// What `\s` matches in a regular expression of Python.
    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }
}
