import Messages

/// Where a provider's key comes from, and the key itself if it is there.
struct ProviderKey {
    /// The environment variable that holds it.
    var name: String?
    var value: String?

    static let none = ProviderKey()

    init() {}

    /// Reads the variable `name`; an empty one counts as unset.
    ///
    /// - Returns: No value, with what is wrong reported, where the variable holds what cannot travel in an HTTP header.
    init(variable name: String, environment: [String: String], refuse: (String) -> Void) {
        self.name = name
        guard let value = environment[name], !value.isEmpty else { return }
        if value.utf8.count > ConfigurationBounds.keyLength {
            refuse("the environment variable \(name) is longer than \(ConfigurationBounds.keyLength) bytes")
        } else if value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            refuse("the environment variable \(name) contains a control character; is there a line break at its end?")
        } else {
            self.value = value
        }
    }

    /// Reads the field `key`.
    ///
    /// - Returns: `nil`, with a problem that does not repeat the text, where it is not the name of a variable.
    static func read(_ field: YAMLValue, environment: [String: String]) -> ProviderKey? {
        guard let name = field.string("the name of an environment variable") else { return nil }
        if SafeQuotation.looksLikeSecret(name) {
            field.refuse(
                "expected the name of an environment variable that holds the key, found what looks like a key itself; "
                    + "take it out of this file, and consider it known to others")
            return nil
        }
        guard Self.isVariableName(name) else {
            field.refuse(
                "expected the name of an environment variable: letters, digits and '_', such as OPENAI_API_KEY")
            return nil
        }
        let key = ProviderKey(variable: name, environment: environment) { field.refuse($0) }
        if (environment[name] ?? "").isEmpty {
            field.warn(
                "the environment variable \(name) is not set; requests to this provider's models will lack their key")
        }
        return key
    }

    private static func isVariableName(_ name: String) -> Bool {
        guard (1...128).contains(name.utf8.count), let first = name.utf8.first, !(0x30...0x39).contains(first) else {
            return false
        }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"): true
            default: false
            }
        }
    }
}
