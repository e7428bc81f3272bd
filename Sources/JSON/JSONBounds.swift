/// What a document may cost to read.
///
/// Every reader in this module checks these before it allocates for what it reads (proto/PROTOCOL.md, "Bounds").
public struct JSONBounds: Sendable, Equatable {
    /// How deep arrays and objects may nest.
    public var depth: Int
    /// How many values a document may hold: every scalar, array and object counts as one.
    public var nodes: Int
    /// Whether an escape of half a surrogate pair (`"\ud83d"`) is refused, as RFC 7493 (I-JSON) asks, or read as
    /// U+FFFD.
    ///
    /// Clients are held to the rule. Providers are not: some cut a pair in two between events of a stream.
    public var refusesLoneSurrogates: Bool

    public init(depth: Int = 64, nodes: Int = 262_144, refusesLoneSurrogates: Bool = true) {
        precondition(depth > 0 && depth <= 64, "readers of validated values recurse once per level")
        self.depth = depth
        self.nodes = nodes
        self.refusesLoneSurrogates = refusesLoneSurrogates
    }

    /// For documents that a provider sent.
    public static let lenient = JSONBounds(refusesLoneSurrogates: false)
}

/// Why a text is not a JSON document that we accept, and at which byte.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Reason: String, Sendable {
        case unexpectedEnd = "the text ends too early"
        case unexpectedCharacter = "unexpected character"
        case trailingContent = "more text after the value"
        case trailingComma = "a comma before a closing bracket"
        case invalidNumber = "not a number"
        case invalidEscape = "invalid escape in a string"
        case loneSurrogate = "half a surrogate pair in a string"
        case controlCharacter = "unescaped control character in a string"
        case invalidUTF8 = "invalid UTF-8"
        case duplicateName = "a name occurs twice in one object"
        case tooDeep = "nested too deep"
        case tooManyNodes = "too many values"
        case notAnObject = "not an object"
    }

    public let reason: Reason
    /// The byte at which the scanner stopped, from 0.
    public let offset: Int

    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    public var description: String { "\(self.reason.rawValue) at byte \(self.offset)" }
}
