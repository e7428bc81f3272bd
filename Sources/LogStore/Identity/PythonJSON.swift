import JSON

/// JSON text as Python's `json.dumps` writes it, in the forms that llm uses.
enum PythonJSON {
    enum Form {
        /// `sort_keys=True, separators=(",", ":"), ensure_ascii=False`: what llm hashes.
        case canonical
        /// `separators=(",", ":")`: schemas.
        case compact
        /// What `json.dumps` does unless told otherwise: stored payloads.
        case plain
    }

    static func text(_ value: JSONValue, _ form: Form) -> String {
        String(decoding: Self.bytes(value, form), as: UTF8.self)
    }

    static func bytes(_ value: JSONValue, _ form: Form) -> [UInt8] {
        var bytes: [UInt8] = []
        Self.append(value, to: &bytes, form)
        return bytes
    }

    static func append(_ value: JSONValue, to bytes: inout [UInt8], _ form: Form) {
        switch value {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let text): bytes.append(contentsOf: PythonNumber.normalized(text).utf8)
        case .string(let text): JSONWriter.append(text, to: &bytes, escapesNonASCII: form != .canonical)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { Self.appendSeparator(",", to: &bytes, form) }
                Self.append(element, to: &bytes, form)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in Self.ordered(members, form).enumerated() {
                if index > 0 { Self.appendSeparator(",", to: &bytes, form) }
                JSONWriter.append(member.name, to: &bytes, escapesNonASCII: form != .canonical)
                Self.appendSeparator(":", to: &bytes, form)
                Self.append(member.value, to: &bytes, form)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func appendSeparator(_ separator: StaticString, to bytes: inout [UInt8], _ form: Form) {
        separator.withUTF8Buffer { bytes.append(contentsOf: $0) }
        if form == .plain { bytes.append(UInt8(ascii: " ")) }
    }

    /// Python sorts names by code point, which is the order of their UTF-8.
    private static func ordered(_ members: [JSONValue.Member], _ form: Form) -> [JSONValue.Member] {
        guard form == .canonical, members.count > 1 else { return members }
        return members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }
}

extension JSONValue {
    /// Whether Python can read the value: it refuses integers beyond a length.
    var isReadableByPython: Bool {
        switch self {
        case .null, .bool, .string: true
        case .number(let text): PythonNumber.isReadable(text)
        case .array(let elements): elements.allSatisfy(\.isReadableByPython)
        case .object(let members): members.allSatisfy { $0.value.isReadableByPython }
        }
    }
}
