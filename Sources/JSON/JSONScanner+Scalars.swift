// Literals, numbers and strings, down to the byte.
extension JSONScanner {
    mutating func scanLiteral(_ literal: StaticString, _ kind: JSONToken.Kind) throws(JSONError) -> JSONToken {
        let start = self.position
        let expected = literal.description.utf8
        guard self.end - start >= expected.count else { throw JSONError(.unexpectedEnd, at: self.end) }
        guard self.bytes[start..<start + expected.count].elementsEqual(expected) else {
            throw JSONError(.unexpectedCharacter, at: start)
        }
        self.position += expected.count
        return JSONToken(kind: kind, range: start..<self.position)
    }

    /// number = [ "-" ] int [ frac ] [ exp ]
    mutating func scanNumber() throws(JSONError) -> JSONToken {
        let start = self.position
        if self.bytes[start] == UInt8(ascii: "-") { self.position += 1 }
        if self.position < self.end, self.bytes[self.position] == UInt8(ascii: "0") {
            self.position += 1
        } else {
            try self.scanDigits()
        }
        if self.position < self.end, self.bytes[self.position] == UInt8(ascii: ".") {
            self.position += 1
            try self.scanDigits()
        }
        if self.position < self.end, self.bytes[self.position] | 0x20 == UInt8(ascii: "e") {
            self.position += 1
            if self.position < self.end,
                self.bytes[self.position] == UInt8(ascii: "+") || self.bytes[self.position] == UInt8(ascii: "-")
            {
                self.position += 1
            }
            try self.scanDigits()
        }
        return JSONToken(kind: .number, range: start..<self.position)
    }

    private mutating func scanDigits() throws(JSONError) {
        let start = self.position
        while self.position < self.end, self.bytes[self.position].isDigit { self.position += 1 }
        guard self.position > start else { throw JSONError(.invalidNumber, at: self.position) }
    }

    mutating func scanString() throws(JSONError) -> JSONToken {
        let start = self.position
        var hasEscape = false
        self.position += 1
        while self.position < self.end {
            let byte = self.bytes[self.position]
            if byte == UInt8(ascii: "\"") {
                self.position += 1
                return JSONToken(kind: .string, range: start..<self.position, hasEscape: hasEscape)
            } else if byte == UInt8(ascii: "\\") {
                hasEscape = true
                try self.scanEscape()
            } else if byte < 0x20 {
                throw JSONError(.controlCharacter, at: self.position)
            } else if byte < 0x80 {
                self.position += 1
            } else {
                try self.scanUTF8(byte)
            }
        }
        throw JSONError(.unexpectedEnd, at: self.end)
    }

    private mutating func scanEscape() throws(JSONError) {
        let start = self.position
        guard start + 1 < self.end else { throw JSONError(.unexpectedEnd, at: self.end) }
        switch self.bytes[start + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            self.position += 2
        case UInt8(ascii: "u"):
            guard let unit = JSONText.codeUnit(at: start, in: self.bytes, end: self.end) else {
                throw JSONError(.invalidEscape, at: start)
            }
            self.position += 6
            guard self.bounds.refusesLoneSurrogates, unit & 0xF800 == 0xD800 else { return }
            guard unit < 0xDC00, let low = JSONText.codeUnit(at: self.position, in: self.bytes, end: self.end),
                low & 0xFC00 == 0xDC00
            else { throw JSONError(.loneSurrogate, at: start) }
            self.position += 6
        default:
            throw JSONError(.invalidEscape, at: start)
        }
    }

    /// The well-formed sequences of the Unicode Standard, table 3-7.
    private mutating func scanUTF8(_ lead: UInt8) throws(JSONError) {
        let count: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0xC2...0xDF: count = 2
        case 0xE0: (count, second) = (3, 0xA0...0xBF)
        case 0xE1...0xEC, 0xEE...0xEF: count = 3
        case 0xED: (count, second) = (3, 0x80...0x9F)
        case 0xF0: (count, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: count = 4
        case 0xF4: (count, second) = (4, 0x80...0x8F)
        default: throw JSONError(.invalidUTF8, at: self.position)
        }
        guard self.end - self.position >= count else { throw JSONError(.invalidUTF8, at: self.position) }
        guard second.contains(self.bytes[self.position + 1]) else { throw JSONError(.invalidUTF8, at: self.position) }
        for offset in 2..<max(count, 2) where self.bytes[self.position + offset] & 0xC0 != 0x80 {
            throw JSONError(.invalidUTF8, at: self.position)
        }
        self.position += count
    }
}

extension UInt8 {
    var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }
}
