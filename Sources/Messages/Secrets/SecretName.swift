/// What a secret may be called: as an environment variable, or as the tools whose keys are imported call theirs.
public enum SecretName {
    public static let maximumLength = 128

    /// The rule as a message says it.
    public static let rule = "1 to 128 of the letters A-Z and a-z, digits, '_', '-' and '.'"

    public static func isUsable(_ name: String) -> Bool {
        (1...Self.maximumLength).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}

/// How much may be kept secret (proto/PROTOCOL.md, "Bounds").
public enum SecretBounds {
    /// Secrets in the store, and entries of one import.
    public static let count = 1_000
    /// The value of one, in bytes.
    public static let valueLength = 8 << 10
    /// The note of one, in bytes.
    public static let noteLength = 400
    /// What is imported of one before it is decrypted, in bytes: room for the longest value.
    public static let tokenLength = 12 << 10
}
