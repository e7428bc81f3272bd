/// How a value is written.
public struct JSONFormat: Sendable, Equatable {
    /// Spaces for each level, one element a line; `nil` for one line.
    public var indent: Int?
    /// Whether a space follows each comma and colon of a one-line text.
    public var isSpaced: Bool
    /// Whether everything beyond printable ASCII is escaped, DEL too, as Python's `json.dumps` does unless told
    /// otherwise.
    public var escapesNonASCII: Bool

    public init(indent: Int? = nil, isSpaced: Bool = false, escapesNonASCII: Bool = false) {
        self.indent = indent
        self.isSpaced = isSpaced
        self.escapesNonASCII = escapesNonASCII
    }

    /// No space at all: `{"a":1,"b":[]}`.
    public static let compact = JSONFormat()
    /// Python's `json.dumps(value, indent=2)`.
    public static let pythonIndented = JSONFormat(indent: 2, escapesNonASCII: true)
}

extension JSONValue {
    /// The value as JSON text.
    public func serialized(_ format: JSONFormat = .compact) -> [UInt8] {
        var bytes: [UInt8] = []
        JSONWriter.append(self, to: &bytes, format: format, level: 0)
        return bytes
    }

    /// The value as JSON text.
    public func text(_ format: JSONFormat = .compact) -> String {
        String(decoding: self.serialized(format), as: UTF8.self)
    }
}

/// Writes JSON text.
public enum JSONWriter {
    /// Appends `text` as a JSON string, quotes included.
    public static func append(_ text: String, to bytes: inout [UInt8], escapesNonASCII: Bool = false) {
        bytes.append(UInt8(ascii: "\""))
        if escapesNonASCII {
            for scalar in text.unicodeScalars {
                if scalar.value < 0x7F {
                    Self.appendASCII(UInt8(scalar.value), to: &bytes)
                } else {
                    for unit in UTF16.encode(scalar)! { Self.appendEscape(unit, to: &bytes) }
                }
            }
        } else {
            var text = text
            text.withUTF8 { utf8 in
                for byte in utf8 { Self.appendASCII(byte, to: &bytes) }
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    static func append(_ value: JSONValue, to bytes: inout [UInt8], format: JSONFormat, level: Int) {
        switch value {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let text): bytes.append(contentsOf: text.utf8)
        case .string(let text): Self.append(text, to: &bytes, escapesNonASCII: format.escapesNonASCII)
        case .array(let elements):
            Self.appendContainer(elements, "[", "]", to: &bytes, format: format, level: level) { element, bytes in
                Self.append(element, to: &bytes, format: format, level: level + 1)
            }
        case .object(let members):
            Self.appendContainer(members, "{", "}", to: &bytes, format: format, level: level) { member, bytes in
                Self.append(member.name, to: &bytes, escapesNonASCII: format.escapesNonASCII)
                bytes.append(contentsOf: (format.indent != nil || format.isSpaced ? ": " : ":").utf8)
                Self.append(member.value, to: &bytes, format: format, level: level + 1)
            }
        }
    }

    private static func appendContainer<Element>(
        _ elements: [Element], _ opening: String, _ closing: String, to bytes: inout [UInt8], format: JSONFormat,
        level: Int, _ body: (Element, inout [UInt8]) -> Void
    ) {
        bytes.append(contentsOf: opening.utf8)
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(contentsOf: (format.indent == nil && format.isSpaced ? ", " : ",").utf8) }
            Self.appendLineBreak(to: &bytes, format: format, level: level + 1)
            body(element, &bytes)
        }
        if !elements.isEmpty { Self.appendLineBreak(to: &bytes, format: format, level: level) }
        bytes.append(contentsOf: closing.utf8)
    }

    private static func appendLineBreak(to bytes: inout [UInt8], format: JSONFormat, level: Int) {
        guard let indent = format.indent else { return }
        bytes.append(0x0A)
        bytes.append(contentsOf: repeatElement(0x20, count: indent * level))
    }

    /// Appends one byte of UTF-8, escaped where RFC 8259 demands it.
    @inline(__always)
    private static func appendASCII(_ byte: UInt8, to bytes: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(byte)
        case 0x20...: bytes.append(byte)
        case 0x08: bytes.append(contentsOf: #"\b"#.utf8)
        case 0x09: bytes.append(contentsOf: #"\t"#.utf8)
        case 0x0A: bytes.append(contentsOf: #"\n"#.utf8)
        case 0x0C: bytes.append(contentsOf: #"\f"#.utf8)
        case 0x0D: bytes.append(contentsOf: #"\r"#.utf8)
        default: Self.appendEscape(UInt16(byte), to: &bytes)
        }
    }

    private static func appendEscape(_ unit: UInt16, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: #"\u"#.utf8)
        for shift in [12, 8, 4, 0] as [UInt16] {
            let digit = UInt8(truncatingIfNeeded: unit >> shift & 0xF)
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
