/// What a scalar without quotes is, by YAML 1.2's core schema, in which `yes`, `on` and `1:30` are strings.
enum PlainScalar {
    static func kind(of text: String) -> YAMLValue.Kind {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: break
        }
        let unsigned =
            text.utf8.first.map { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") } == true
            ? text.dropFirst() : text[...]
        if !unsigned.isEmpty, unsigned.utf8.allSatisfy(Self.isDigit) {
            let isPadded = unsigned.utf8.count > 1 && unsigned.utf8.first == UInt8(ascii: "0")
            return isPadded ? .zeroPaddedInteger : .integer(Int(text))
        }
        return Self.isNumber(text, unsigned) ? .number : .string(text)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isNumber(_ text: String, _ unsigned: Substring) -> Bool {
        if [".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"].contains(unsigned) { return true }
        if unsigned.hasPrefix("0x") || unsigned.hasPrefix("0o") {
            return unsigned.utf8.count > 2 && unsigned.dropFirst(2).allSatisfy(\.isHexDigit)
        }
        guard unsigned.utf8.first.map({ Self.isDigit($0) || $0 == UInt8(ascii: ".") }) == true else { return false }
        return Double(text) != nil
    }
}
