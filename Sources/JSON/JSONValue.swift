/// A JSON value that loses nothing: members keep their order, numbers their text.
///
/// `1.0`, `-0` and integers of any size come out as they went in; hashes and stored payloads depend on it.
public enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    /// The number as it was written.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    public struct Member: Sendable, Hashable {
        public var name: String
        public var value: JSONValue
        public init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// Checks `bytes` and builds the value.
    public init(parsing bytes: [UInt8], bounds: JSONBounds = JSONBounds()) throws(JSONError) {
        var scanner = JSONScanner(bytes, in: 0..<bytes.count, bounds: bounds)
        let token = try scanner.scan()
        var builder = JSONValueBuilder(bytes, at: token.range.lowerBound)
        self = builder.build()
    }

    public init(parsing text: String, bounds: JSONBounds = JSONBounds()) throws(JSONError) {
        try self.init(parsing: Array(text.utf8), bounds: bounds)
    }

    public static func integer(_ value: some BinaryInteger) -> JSONValue { .number("\(value)") }

    /// The member `name` of an object; `nil` where there is none, or this is no object.
    public subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// The element at `index` of an array; `nil` where there is none, or this is no array.
    public subscript(_ index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    public var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    public var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    /// An integer that fits; `nil` for fractions, exponents and other kinds.
    public var integer: Int? {
        guard case .number(let text) = self else { return nil }
        return Int(text)
    }

    public var array: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    public var members: [Member]? {
        guard case .object(let members) = self else { return nil }
        return members
    }

    public var isNull: Bool { self == .null }
}

/// Builds a value from a text that was checked, so that only the outline is read again.
///
/// It recurses once a level, and the scanner has bounded the levels to 64.
struct JSONValueBuilder {
    private let bytes: [UInt8]
    private var position: Int

    init(_ bytes: [UInt8], at position: Int) {
        self.bytes = bytes
        self.position = position
    }

    mutating func build() -> JSONValue {
        switch self.bytes[self.position] {
        case UInt8(ascii: "{"): return self.buildObject()
        case UInt8(ascii: "["): return self.buildArray()
        case UInt8(ascii: "\""): return .string(self.readString())
        case UInt8(ascii: "t"): return self.skip(4, .bool(true))
        case UInt8(ascii: "f"): return self.skip(5, .bool(false))
        case UInt8(ascii: "n"): return self.skip(4, .null)
        default:
            let start = self.position
            while self.position < self.bytes.count, self.bytes[self.position].isPartOfNumber { self.position += 1 }
            return .number(String(decoding: self.bytes[start..<self.position], as: UTF8.self))
        }
    }

    private mutating func buildObject() -> JSONValue {
        var members: [JSONValue.Member] = []
        self.position += 1
        while self.nextElement(before: UInt8(ascii: "}")) {
            let name = self.readString()
            while self.bytes[self.position] != UInt8(ascii: ":") { self.position += 1 }
            self.position += 1
            self.skipSpaceAndComma()
            members.append(JSONValue.Member(name, self.build()))
        }
        return .object(members)
    }

    private mutating func buildArray() -> JSONValue {
        var elements: [JSONValue] = []
        self.position += 1
        while self.nextElement(before: UInt8(ascii: "]")) { elements.append(self.build()) }
        return .array(elements)
    }

    private mutating func nextElement(before bracket: UInt8) -> Bool {
        self.skipSpaceAndComma()
        guard self.bytes[self.position] == bracket else { return true }
        self.position += 1
        return false
    }

    private mutating func skipSpaceAndComma() {
        while self.bytes[self.position] <= 0x20 || self.bytes[self.position] == UInt8(ascii: ",") { self.position += 1 }
    }

    private mutating func readString() -> String {
        let start = self.position
        var hasEscape = false
        self.position += 1
        while self.bytes[self.position] != UInt8(ascii: "\"") {
            let isEscape = self.bytes[self.position] == UInt8(ascii: "\\")
            hasEscape = hasEscape || isEscape
            self.position += isEscape ? 2 : 1
        }
        self.position += 1
        return JSONText.string(
            JSONToken(kind: .string, range: start..<self.position, hasEscape: hasEscape), in: self.bytes)
    }

    private mutating func skip(_ count: Int, _ value: JSONValue) -> JSONValue {
        self.position += count
        return value
    }
}

extension UInt8 {
    fileprivate var isPartOfNumber: Bool {
        self.isDigit || self == UInt8(ascii: "-") || self == UInt8(ascii: "+") || self == UInt8(ascii: ".")
            || self | 0x20 == UInt8(ascii: "e")
    }
}
