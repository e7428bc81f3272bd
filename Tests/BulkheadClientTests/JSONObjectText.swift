import JSON

/// Objects of strings, as JSON text.
enum JSONObjectText {
    static func make(_ members: [(String, String)]) -> [UInt8] {
        JSONValue.object(members.map { JSONValue.Member($0.0, .string($0.1)) }).serialized()
    }
}
