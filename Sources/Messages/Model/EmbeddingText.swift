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

    /// How many vectors an array of them holds.
    ///
    /// - Returns: `nil` for what is no array of vectors, each of one number or more.
    public static func count(_ slice: JSONSlice) -> Int? {
        guard let vectors = slice.elements else { return nil }
        for vector in vectors {
            guard vector.kind == .array, Self.holdsNumbers(vector.raw.dropFirst().dropLast()) else { return nil }
        }
        return vectors.count
    }

    /// Whether the inside of an array that was checked holds numbers, and nothing but them.
    private static func holdsNumbers(_ inside: ArraySlice<UInt8>) -> Bool {
        var hasDigit = false
        for byte in inside {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): hasDigit = true
            case UInt8(ascii: ","), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"),
                UInt8(ascii: "E"):
                break
            // Of the names of other values not one is made of these bytes alone.
            default: guard byte <= 0x20 else { return false }
            }
        }
        return hasDigit
    }
}
