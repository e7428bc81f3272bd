/// The names that purposes, callers and hooks go by.
enum SettingName {
    static let rules = "1 to 64 of a-z, A-Z, 0-9, '_', '-' and '.'"

    static func isUsable(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count) && !SafeQuotation.looksLikeSecret(name)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."): true
                default: false
                }
            }
    }

    /// Whether `name` is one; if not, that has been reported.
    static func check(_ name: String, of what: String, at position: Position, _ collector: ProblemCollector) -> Bool {
        if Self.isUsable(name) { return true }
        collector.refuse("\(SafeQuotation.quote(name)) is no name for \(what): use \(Self.rules)", at: position)
        return false
    }
}
