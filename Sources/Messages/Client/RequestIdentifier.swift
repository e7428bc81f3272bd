public import JSON

/// The id that a client gave its request: a string of 1 to 128 bytes, or an integer within ±2^53. `1` and `"1"` differ.
public enum RequestIdentifier: Hashable, Sendable {
    case text(String)
    case number(Int64)

    public init(decoding slice: JSONSlice) throws(MessageError) {
        if let number = slice.integer {
            guard number.magnitude <= 1 << 53 else { throw .invalidValue("id", "an integer id lies within ±2^53") }
            self = .number(number)
        } else if let text = slice.string {
            guard (1...ProtocolBounds.requestIDLength).contains(text.utf8.count) else {
                throw .invalidValue("id", "a string id has 1 to \(ProtocolBounds.requestIDLength) bytes")
            }
            self = .text(text)
        } else {
            throw .wrongType("id", expected: "a string or an integer")
        }
    }

    /// Ids are compared as bytes: Swift's strings are equal when they only look alike.
    public static func == (left: RequestIdentifier, right: RequestIdentifier) -> Bool {
        switch (left, right) {
        case (.number(let left), .number(let right)): left == right
        case (.text(let left), .text(let right)): left.utf8.elementsEqual(right.utf8)
        case (.number, .text), (.text, .number): false
        }
    }

    /// The id as JSON text.
    public var encoded: [UInt8] {
        switch self {
        case .number(let number): return Array(String(number).utf8)
        case .text(let text):
            var bytes: [UInt8] = []
            JSONWriter.append(text, to: &bytes)
            return bytes
        }
    }
}
