/// The name of a request: 48 bits of milliseconds since 1970 and 80 random bits, as 26 lowercase characters.
///
/// As text, ids sort by the time at which they were made (the ULID specification; lowercase as llm stores them).
public struct ULID: Hashable, Sendable, CustomStringConvertible {
    /// 26 characters of Crockford's base 32, lowercase.
    public let description: String

    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    /// Reads the 26 characters; `nil` if they are no lowercase ULID.
    public init?(_ text: String) {
        guard text.utf8.count == 26, text.utf8.allSatisfy(Self.alphabet.contains), text.utf8.first! <= UInt8(ascii: "7")
        else { return nil }
        self.description = text
    }

    fileprivate init(milliseconds: UInt64, high: UInt16, low: UInt64) {
        // 130 bits in 26 characters: two zero bits, then 48, 16 and 64.
        var characters = [UInt8](repeating: 0, count: 26)
        var value = UInt128(milliseconds & 0xFFFF_FFFF_FFFF) << 80 | UInt128(high) << 64 | UInt128(low)
        for index in stride(from: 25, through: 0, by: -1) {
            characters[index] = Self.alphabet[Int(truncatingIfNeeded: value & 31)]
            value >>= 5
        }
        self.description = String(decoding: characters, as: UTF8.self)
    }
}

/// Makes ULIDs that grow strictly: within a millisecond, or when the clock steps back, the next one is the last plus
/// one.
public struct ULIDGenerator: Sendable {
    private var milliseconds: UInt64 = 0
    private var high: UInt16 = 0
    private var low: UInt64 = 0

    public init() {}

    public mutating func next(
        atMilliseconds now: UInt64, using random: inout some RandomNumberGenerator
    ) -> ULID {
        if now > self.milliseconds {
            self.milliseconds = now
            // The top bit stays free, so that adding one cannot overflow within a millisecond.
            self.high = UInt16.random(in: 0...0x7FFF, using: &random)
            self.low = UInt64.random(in: 0...UInt64.max, using: &random)
        } else {
            self.low &+= 1
            if self.low == 0 { self.high += 1 }
        }
        return ULID(milliseconds: self.milliseconds, high: self.high, low: self.low)
    }
}
