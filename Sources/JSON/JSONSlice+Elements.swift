extension JSONSlice {
    /// The elements of an array where they stand, `nil` for another kind. Nothing is built or copied.
    public var elements: [JSONSlice]? {
        guard self.kind == .array else { return nil }
        var outline = JSONOutline(self.bytes, in: self.raw.startIndex + 1..<self.raw.endIndex - 1)
        var elements: [JSONSlice] = []
        while let token = outline.next() { elements.append(JSONSlice(bytes: self.bytes, token: token)) }
        return elements
    }
}

/// Finds the values between the brackets of an array that was checked, so that only their outlines are read again.
private struct JSONOutline {
    private let bytes: [UInt8]
    private let end: Int
    private var position: Int

    init(_ bytes: [UInt8], in range: Range<Int>) {
        self.bytes = bytes
        self.position = range.lowerBound
        self.end = range.upperBound
    }

    mutating func next() -> JSONToken? {
        while self.position < self.end, self.isBetweenValues(self.bytes[self.position]) { self.position += 1 }
        guard self.position < self.end else { return nil }
        let start = self.position
        switch self.bytes[start] {
        case UInt8(ascii: "\""):
            let hasEscape = self.skipString()
            return JSONToken(kind: .string, range: start..<self.position, hasEscape: hasEscape)
        case UInt8(ascii: "["):
            self.skipContainer()
            return JSONToken(kind: .array, range: start..<self.position)
        case UInt8(ascii: "{"):
            self.skipContainer()
            return JSONToken(kind: .object, range: start..<self.position)
        case let byte:
            while self.position < self.end, !self.isBetweenValues(self.bytes[self.position]) { self.position += 1 }
            return JSONToken(kind: Self.scalarKind(byte), range: start..<self.position)
        }
    }

    private static func scalarKind(_ byte: UInt8) -> JSONToken.Kind {
        switch byte {
        case UInt8(ascii: "n"): .null
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
        default: .number
        }
    }

    private func isBetweenValues(_ byte: UInt8) -> Bool { byte <= 0x20 || byte == UInt8(ascii: ",") }

    /// Goes behind the string that begins here, and says whether it holds a backslash.
    private mutating func skipString() -> Bool {
        var hasEscape = false
        self.position += 1
        while self.bytes[self.position] != UInt8(ascii: "\"") {
            let isEscape = self.bytes[self.position] == UInt8(ascii: "\\")
            hasEscape = hasEscape || isEscape
            self.position += isEscape ? 2 : 1
        }
        self.position += 1
        return hasEscape
    }

    /// Goes behind the array or object that begins here.
    private mutating func skipContainer() {
        var depth = 0
        repeat {
            switch self.bytes[self.position] {
            case UInt8(ascii: "\""):
                _ = self.skipString()
                continue
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            default: break
            }
            self.position += 1
        } while depth > 0
    }
}
