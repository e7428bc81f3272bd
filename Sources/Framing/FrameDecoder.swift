/// Splits a byte stream into frames.
///
/// A frame is a 32-bit big-endian payload length followed by that many payload bytes (proto/PROTOCOL.md, "Framing").
/// The decoder is a value: it owns no descriptor, performs no I/O and never blocks, so that a test can cut the stream
/// at every byte boundary.
public struct FrameDecoder: Sendable {
    /// The largest payload that this decoder accepts, in bytes.
    public let maximumPayloadLength: Int

    private var buffer: [UInt8] = []
    private var readerIndex = 0
    private var failed = false

    /// Above this many bytes of capacity a buffer is given back, not kept, once the frame that needed it was taken.
    private static let keptCapacity = 64 << 10

    public init(maximumPayloadLength: Int) {
        precondition(maximumPayloadLength > 0)
        precondition(maximumPayloadLength <= Int(UInt32.max))
        self.maximumPayloadLength = maximumPayloadLength
    }

    /// Appends bytes as they arrived from the stream.
    public mutating func append(_ bytes: some Collection<UInt8>) {
        precondition(!self.failed, "a decoder that threw must not be fed again")
        self.discardConsumed()
        self.buffer.append(contentsOf: bytes)
    }

    /// Appends bytes as they arrived from the stream.
    public mutating func append(_ bytes: RawSpan) {
        precondition(!self.failed, "a decoder that threw must not be fed again")
        self.discardConsumed()
        bytes.withUnsafeBytes { self.buffer.append(contentsOf: $0) }
    }

    /// Returns the next complete payload, or `nil` if more bytes are needed.
    ///
    /// - Throws: ``FramingError/payloadTooLong(_:)`` as soon as the length is known, before any payload byte is
    ///   buffered for it. The stream cannot be resynchronised: close it.
    public mutating func next() throws(FramingError) -> ArraySlice<UInt8>? {
        guard let length = self.announcedLength else { return nil }
        guard length <= self.maximumPayloadLength else {
            self.failed = true
            throw .payloadTooLong(length)
        }
        let start = self.readerIndex + FrameEncoder.headerLength
        guard self.buffer.count - start >= length else { return nil }
        self.readerIndex = start + length
        let payload = self.buffer[start..<self.readerIndex]
        self.releaseLargeBuffer()
        return payload
    }

    /// The payload length that the frame now being received announced, once its four header bytes are here.
    public var announcedLength: Int? {
        guard self.buffer.count - self.readerIndex >= FrameEncoder.headerLength else { return nil }
        var length = 0
        for index in self.readerIndex..<self.readerIndex + FrameEncoder.headerLength {
            length = length << 8 | Int(self.buffer[index])
        }
        return length
    }

    /// Whether the stream may end here without cutting a frame in two.
    public var isAtFrameBoundary: Bool { self.readerIndex == self.buffer.count }

    /// The bytes of memory that the decoder holds.
    package var bufferCapacity: Int { self.buffer.capacity }

    private mutating func discardConsumed() {
        guard self.readerIndex > 0 else { return }
        if self.readerIndex == self.buffer.count {
            self.buffer.removeAll(keepingCapacity: true)
        } else {
            self.buffer.removeSubrange(..<self.readerIndex)
        }
        self.readerIndex = 0
    }

    /// Lets go of a large frame's memory at once: the connection may say nothing for hours after it.
    private mutating func releaseLargeBuffer() {
        guard self.buffer.capacity > Self.keptCapacity, self.buffer.count - self.readerIndex < Self.keptCapacity else {
            return
        }
        self.buffer = Array(self.buffer[self.readerIndex...])
        self.readerIndex = 0
    }
}

/// A violation of the framing layer. It condemns the connection, never the process.
public enum FramingError: Error, Equatable {
    /// The header announced this many payload bytes, more than the decoder's bound.
    case payloadTooLong(Int)
}
