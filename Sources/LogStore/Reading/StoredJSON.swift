import JSON

/// JSON that llm or the writer has stored, and that is to go into a frame.
enum StoredJSON {
    /// Shallow enough for what is put around it: a frame nests it four levels deeper at most. Python escapes halves of
    /// surrogate pairs.
    static let bounds = JSONBounds(depth: 60, nodes: 262_144, refusesLoneSurrogates: false)

    /// The value, `nil` where there is none that a frame can hold: Python writes NaN, which is no JSON.
    static func value(_ bytes: [UInt8], nodes: Int = bounds.nodes) -> JSONValue? {
        var bounds = Self.bounds
        bounds.nodes = nodes
        return try? JSONValue(parsing: bytes, bounds: bounds)
    }
}

extension JSONValue {
    /// How many values this one is, with those that it holds.
    var nodeCount: Int {
        switch self {
        case .null, .bool, .number, .string: 1
        case .array(let elements): elements.reduce(1) { $0 + $1.nodeCount }
        case .object(let members): members.reduce(1) { $0 + $1.value.nodeCount }
        }
    }
}
