import JSON

/// llm's keys.json: an object of names and keys.
struct LLMKeys {
    private var keys: [String: String] = [:]

    /// A file without keys.
    init() {}

    /// - Returns: `nil` for what is no object of names and keys.
    init?(_ bytes: [UInt8]) {
        guard let members = try? JSONValue(parsing: bytes).members else { return nil }
        for member in members {
            // What is not a string is no key, and the note that llm writes is none either.
            if let key = member.value.string, !member.name.hasPrefix("//") { self.keys[member.name] = key }
        }
    }

    /// The key of that name; an empty one counts as none.
    subscript(name: String) -> String? {
        self.keys[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}
