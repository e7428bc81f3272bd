/// Makes frames out of payloads.
public enum FrameEncoder {
    /// The bytes before each payload: its length, 32 bits, big-endian.
    public static let headerLength = 4

    /// Returns `payload` preceded by its length.
    public static func encode(_ payload: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(Self.headerLength + payload.count)
        Self.append(payload, to: &frame)
        return frame
    }

    /// Appends `payload`, preceded by its length, to `bytes`.
    ///
    /// Not generic: called from another module, a generic one would copy byte by byte through witness tables.
    public static func append(_ payload: [UInt8], to bytes: inout [UInt8]) {
        let length = UInt32(payload.count)
        bytes.append(UInt8(truncatingIfNeeded: length >> 24))
        bytes.append(UInt8(truncatingIfNeeded: length >> 16))
        bytes.append(UInt8(truncatingIfNeeded: length >> 8))
        bytes.append(UInt8(truncatingIfNeeded: length))
        bytes.append(contentsOf: payload)
    }
}
