public import JSON

/// Embeddings as JSON text: vectors of numbers, which keep the digits that their provider wrote.
public enum EmbeddingText {
    /// The text of a vector without the space in it.
    ///
    /// - Returns: `nil` for what is no array of one number or more.
    public static func vector(_ slice: JSONSlice) -> [UInt8]? {
        guard slice.kind == .array else { return nil }
        var text: [UInt8] = []
        text.reserveCapacity(slice.raw.count)
        for byte in slice.raw where byte > 0x20 { text.append(byte) }
        return Self.holdsNumbers(text[1..<text.count - 1]) ? text : nil
    }

    /// The vectors of an array, each as ``vector(_:)`` makes it.
    ///
    /// - Returns: `nil` for what is no array of them.
    public static func vectors(_ slice: JSONSlice) -> [[UInt8]]? {
        guard let slices = slice.elements else { return nil }
        let vectors = slices.compactMap(Self.vector)
        return vectors.count == slices.count ? vectors : nil
    }

    /// How many vectors an array of them holds, in one pass over its bytes.
    ///
    /// - Returns: `nil` for what is no array of vectors, each of one number or more.
    public static func count(_ slice: JSONSlice) -> Int? {
        guard slice.kind == .array else { return nil }
        var (count, depth, hasDigit) = (0, 0, false)
        for byte in slice.raw {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                guard depth == 2 else { return nil }
                hasDigit = true
            case UInt8(ascii: "["):
                depth += 1
                guard depth <= 2 else { return nil }
                if depth == 2 { (count, hasDigit) = (count + 1, false) }
            case UInt8(ascii: "]"):
                guard depth == 1 || hasDigit else { return nil }
                depth -= 1
            default: guard Self.isPartOfNumbers(byte) else { return nil }
            }
        }
        return count
    }

    /// Whether the inside of an array that was checked holds numbers, and nothing but them.
    private static func holdsNumbers(_ inside: ArraySlice<UInt8>) -> Bool {
        var hasDigit = false
        for byte in inside {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): hasDigit = true
            default: guard Self.isPartOfNumbers(byte) else { return false }
            }
        }
        return hasDigit
    }

    /// Whether a byte may stand in an array of numbers beside their digits. Of the names of other values not one is made of
    /// these bytes alone.
    private static func isPartOfNumbers(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"),
            UInt8(ascii: "E"), ...0x20:
            true
        default: false
        }
    }
}
