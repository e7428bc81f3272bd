/// A number of a JSON text as Python's `json` reads and writes it again.
///
/// llm's hashes and payloads go through `json.loads` and `json.dumps`, so `1e5` becomes `100000.0` and `-0` becomes `0`.
enum PythonNumber {
    /// Python refuses to read an integer of more digits (`sys.int_info.default_max_str_digits`).
    static let maximumDigits = 4_300

    /// Whether Python can read the number.
    static func isReadable(_ text: String) -> Bool {
        text.utf8.count <= Self.maximumDigits || Self.isFloat(text)
    }

    /// The number as Python writes it.
    static func normalized(_ text: String) -> String {
        guard Self.isFloat(text) else { return text == "-0" ? "0" : text }
        return Self.representation(of: Double(text) ?? .nan)
    }

    private static func isFloat(_ text: String) -> Bool {
        text.utf8.contains { $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") }
    }

    /// `repr(value)`, and `Infinity` where `json.dumps` says so: the shortest digits that read back as the value, with
    /// an exponent below 1e-4 and from 1e16 on.
    static func representation(of value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity" }
        let sign = value.sign == .minus ? "-" : ""
        guard value != 0 else { return sign + "0.0" }
        let (digits, exponent) = Self.decimal(value.magnitude)
        if exponent < -4 || exponent >= 16 {
            let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
            let size = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
            return "\(sign)\(digits.prefix(1))\(fraction)e\(exponent < 0 ? "-" : "+")\(size)"
        }
        if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits }
        let whole = digits.prefix(exponent + 1)
        let fraction = digits.dropFirst(exponent + 1)
        let zeros = String(repeating: "0", count: exponent + 1 - whole.count)
        return sign + whole + zeros + "." + (fraction.isEmpty ? "0" : fraction)
    }

    /// The shortest digits without zeros at either end, and the power of ten of the first one.
    private static func decimal(_ magnitude: Double) -> (digits: String, exponent: Int) {
        let text = magnitude.description
        let mantissa = text.prefix { $0 != "e" }
        var exponent = Int(text.dropFirst(mantissa.count + 1)) ?? 0
        let whole = mantissa.prefix { $0 != "." }
        let digits = mantissa.filter { $0 != "." }
        let significant = digits.drop { $0 == "0" }
        exponent += whole.count - 1 - (digits.count - significant.count)
        let end = significant.lastIndex { $0 != "0" } ?? significant.startIndex
        return (String(significant[...end]), exponent)
    }
}
