/// A JSON object as it arrived: its bytes, checked, and where each of its members stands in them.
///
/// Nothing is decoded until it is asked for, so that what only passes through keeps the bytes it came as.
public struct JSONObject: Sendable {
    /// The whole text.
    public let bytes: [UInt8]
    /// The members in the order of the text; no name occurs twice.
    public let members: [JSONMember]

    /// Checks `bytes` and finds the object's members.
    ///
    /// - Throws: The first thing that is wrong with the text, or ``JSONError/Reason/notAnObject``.
    public init(_ bytes: [UInt8], bounds: JSONBounds = JSONBounds()) throws(JSONError) {
        try self.init(bytes, in: 0..<bytes.count, bounds: bounds)
    }

    private init(_ bytes: [UInt8], in range: Range<Int>, bounds: JSONBounds) throws(JSONError) {
        var scanner = JSONScanner(bytes, in: range, bounds: bounds)
        let token = try scanner.scan()
        guard token.kind == .object else { throw JSONError(.notAnObject, at: token.range.lowerBound) }
        self.bytes = bytes
        self.members = scanner.members
    }

    /// The value of the member `name`, or `nil` if there is none.
    public subscript(_ name: String) -> JSONSlice? {
        for member in self.members where member.name == name { return self.slice(member) }
        return nil
    }

    /// The object, built.
    public var value: JSONValue {
        .object(self.members.map { JSONValue.Member($0.name, self.slice($0).value) })
    }

    public func slice(_ member: JSONMember) -> JSONSlice { JSONSlice(bytes: self.bytes, token: member.value) }
}

/// A value in a text that was checked.
public struct JSONSlice: Sendable {
    fileprivate let bytes: [UInt8]
    private let token: JSONToken

    fileprivate init(bytes: [UInt8], token: JSONToken) {
        self.bytes = bytes
        self.token = token
    }

    public var kind: JSONToken.Kind { self.token.kind }
    public var isNull: Bool { self.token.kind == .null }

    /// The value as it was written.
    public var raw: ArraySlice<UInt8> { self.bytes[self.token.range] }

    /// The text of a string, `nil` for another kind.
    public var string: String? {
        self.token.kind == .string ? JSONText.string(self.token, in: self.bytes) : nil
    }

    /// The value of an integer that fits 64 bits, `nil` for anything else: `1.0` and `1e3` are no integers here.
    public var integer: Int64? {
        self.token.kind == .number ? JSONText.integer(self.token, in: self.bytes) : nil
    }

    /// The value of `true` or `false`, `nil` for another kind.
    public var bool: Bool? {
        self.token.kind == .bool ? self.bytes[self.token.range.lowerBound] == UInt8(ascii: "t") : nil
    }

    /// The members of an object, `nil` for another kind.
    public var object: JSONObject? {
        self.token.kind == .object ? try? JSONObject(Array(self.raw), bounds: .rescan) : nil
    }

    /// The value, built.
    public var value: JSONValue {
        var builder = JSONValueBuilder(self.bytes, at: self.token.range.lowerBound)
        return builder.build()
    }
}

extension JSONBounds {
    /// For a part of a text that was checked under whatever bounds applied to the whole.
    static let rescan = JSONBounds(nodes: .max, refusesLoneSurrogates: false)
}
