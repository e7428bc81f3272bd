import JSON

extension Unicode.Scalar {
    /// Whether `str.split()` and `str.strip()` take it for white space.
    var isPythonSpace: Bool {
        switch self.value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }
}

extension String {
    /// `len(text.split())`
    var pythonWordCount: Int {
        var count = 0
        var isInWord = false
        for scalar in self.unicodeScalars {
            let isSpace = scalar.isPythonSpace
            if !isSpace, !isInWord { count += 1 }
            isInWord = !isSpace
        }
        return count
    }
}

extension JSONValue {
    /// The name of the type that `json.loads` makes of the value.
    var pythonType: String {
        switch self {
        case .null: "NoneType"
        case .bool: "bool"
        case .number(let text): text.utf8.contains { ".eE".utf8.contains($0) } ? "float" : "int"
        case .string: "str"
        case .array: "list"
        case .object: "dict"
        }
    }

    /// Whether Python counts the value as false: null, false, zero, and what is empty.
    var isPythonFalse: Bool {
        switch self {
        case .null: true
        case .bool(let value): !value
        case .number: self.isZero
        case .string(let text): text.isEmpty
        case .array(let elements): elements.isEmpty
        case .object(let members): members.isEmpty
        }
    }

    /// Whether this is a number that is nought, however it is written.
    var isZero: Bool {
        guard case .number(let text) = self else { return false }
        return text.prefix { $0 != "e" && $0 != "E" }.allSatisfy { "-0.".contains($0) }
    }
}
