/// What kind of value stands where in a text that was checked.
public struct JSONToken: Sendable, Equatable {
    public enum Kind: String, Sendable {
        case null, bool, number, string, array, object
    }

    public var kind: Kind
    /// The bytes of the value, quotes and brackets included.
    public var range: Range<Int>
    /// Whether a string holds a backslash, so that its bytes are not yet its text.
    var hasEscape = false
}

/// A member of an object: its name, and where its value stands.
public struct JSONMember: Sendable, Equatable {
    public var name: String
    public var value: JSONToken
}

/// Reads scalars out of a text that ``JSONScanner`` has accepted.
enum JSONText {
    /// The text of a string token.
    static func string(_ token: JSONToken, in bytes: [UInt8]) -> String {
        if token.hasEscape { return String(decoding: Self.unescaped(token, in: bytes), as: UTF8.self) }
        return String(decoding: bytes[token.range.lowerBound + 1..<token.range.upperBound - 1], as: UTF8.self)
    }

    /// The text of a string token, in UTF-8.
    static func unescaped(_ token: JSONToken, in bytes: [UInt8]) -> [UInt8] {
        let content = token.range.lowerBound + 1..<token.range.upperBound - 1
        var text: [UInt8] = []
        text.reserveCapacity(content.count)
        var index = content.lowerBound
        while index < content.upperBound {
            guard bytes[index] == UInt8(ascii: "\\") else {
                text.append(bytes[index])
                index += 1
                continue
            }
            switch bytes[index + 1] {
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "u"):
                index += Self.appendScalar(at: index, in: bytes, end: content.upperBound, to: &text)
                continue
            case let literal: text.append(literal)
            }
            index += 2
        }
        return text
    }

    /// Appends the scalar that the `\uXXXX` at `index` begins, and returns how many bytes it took.
    private static func appendScalar(at index: Int, in bytes: [UInt8], end: Int, to text: inout [UInt8]) -> Int {
        let unit = Self.codeUnit(at: index, in: bytes, end: end)!
        if unit & 0xFC00 == 0xD800, let low = Self.codeUnit(at: index + 6, in: bytes, end: end), low & 0xFC00 == 0xDC00
        {
            let value = 0x10000 + (UInt32(unit & 0x3FF) << 10 | UInt32(low & 0x3FF))
            text.append(contentsOf: UTF8.encode(Unicode.Scalar(value)!)!)
            return 12
        }
        text.append(contentsOf: UTF8.encode(Unicode.Scalar(UInt32(unit)) ?? "\u{FFFD}")!)
        return 6
    }

    /// The UTF-16 code unit of a `\uXXXX` at `index`, or `nil` where there is none.
    static func codeUnit(at index: Int, in bytes: [UInt8], end: Int) -> UInt16? {
        guard index + 6 <= end, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") else {
            return nil
        }
        var unit: UInt16 = 0
        for offset in 2..<6 {
            let byte = bytes[index + offset]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt16(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"):
                unit = unit << 4 | UInt16(byte | 0x20 - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return unit
    }

    /// An integer token's value, or `nil` for a fraction, an exponent or one that does not fit.
    static func integer(_ token: JSONToken, in bytes: [UInt8]) -> Int64? {
        var negative = false
        var magnitude: UInt64 = 0
        for (offset, byte) in bytes[token.range].enumerated() {
            if offset == 0, byte == UInt8(ascii: "-") {
                negative = true
                continue
            }
            guard byte.isDigit else { return nil }
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
            guard !overflow, !carry else { return nil }
            magnitude = sum
        }
        if negative { return magnitude <= UInt64(Int64.max) + 1 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil }
        return Int64(exactly: magnitude)
    }
}
