public import Framing
import Glibc

/// A descriptor that carries frames, read and written by threads that may block.
///
/// It is the worker's and the logger's end of a channel to the supervisor, which never blocks at its own. It owns the
/// descriptor. One thread uses it at a time.
public struct BlockingChannel: ~Copyable {
    /// For `poll` and the like; reading it or writing it elsewhere breaks the framing.
    public let descriptor: CInt
    /// Whether the end of the stream was met, so that nothing will arrive any more.
    public private(set) var isAtEnd = false
    private var decoder: FrameDecoder
    private var buffer: [UInt8]
    /// Frames that were appended and not written.
    private var outgoing: [UInt8] = []

    /// So much is gathered before it is written, in bytes.
    private static let gatheringBound = 32 << 10

    /// - Parameter maximumPayloadLength: The longest payload that may arrive, in bytes.
    public init(adopting descriptor: CInt, maximumPayloadLength: Int) {
        self.descriptor = descriptor
        self.decoder = FrameDecoder(maximumPayloadLength: maximumPayloadLength)
        self.buffer = [UInt8](repeating: 0, count: 64 << 10)
    }

    deinit { close(self.descriptor) }

    /// Waits for the next frame and returns its payload, or `nil` at the end of the stream.
    public mutating func read() throws(ChannelError) -> [UInt8]? {
        while true {
            if let payload = try self.nextBuffered() { return payload }
            guard try self.fill() else {
                guard self.decoder.isAtFrameBoundary else { throw .endInsideFrame }
                return nil
            }
        }
    }

    /// Returns a frame that can be had without waiting, or `nil`; the end of the stream shows in ``isAtEnd``.
    public mutating func readIfAvailable() throws(ChannelError) -> [UInt8]? {
        while true {
            if let payload = try self.nextBuffered() { return payload }
            guard self.hasInput, try self.fill() else { return nil }
        }
    }

    /// Whether bytes, or the end of the stream, wait in the kernel.
    public var hasInput: Bool {
        var poll = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&poll, 1, 0) > 0
    }

    /// Writes one frame, and waits until the kernel has taken all of it.
    public mutating func write(_ payload: [UInt8]) throws(ChannelError) {
        FrameEncoder.append(payload, to: &self.outgoing)
        try self.flush()
    }

    /// Adds a frame to those that ``flush()`` writes, in one call where the kernel takes them; when they are many, they are
    /// written at once.
    public mutating func append(_ payload: [UInt8]) throws(ChannelError) {
        FrameEncoder.append(payload, to: &self.outgoing)
        if self.outgoing.count >= Self.gatheringBound { try self.flush() }
    }

    /// Writes what was appended, and waits until the kernel has taken all of it.
    public mutating func flush() throws(ChannelError) {
        defer { self.outgoing.removeAll(keepingCapacity: self.outgoing.count <= 2 * Self.gatheringBound) }
        var start = 0
        while start < self.outgoing.count {
            let count = self.outgoing.withUnsafeBytes { bytes in
                Glibc.send(self.descriptor, bytes.baseAddress! + start, bytes.count - start, CInt(MSG_NOSIGNAL))
            }
            if count > 0 {
                start += count
            } else if errno != EINTR {
                throw .system(operation: "write", errno: errno)
            }
        }
    }

    private mutating func nextBuffered() throws(ChannelError) -> [UInt8]? {
        do throws(FramingError) { return try self.decoder.next().map(Array.init) } catch { throw .framing(error) }
    }

    /// Reads once; `false` at the end of the stream.
    private mutating func fill() throws(ChannelError) -> Bool {
        while true {
            let count = Glibc.read(self.descriptor, &self.buffer, self.buffer.count)
            if count > 0 {
                self.decoder.append(self.buffer[..<count])
                return true
            }
            if count == 0 {
                self.isAtEnd = true
                return false
            }
            if errno != EINTR { throw .system(operation: "read", errno: errno) }
        }
    }
}

/// Why a channel cannot be used any more.
public enum ChannelError: Error, Equatable, CustomStringConvertible {
    case framing(FramingError)
    /// The stream ended inside a frame.
    case endInsideFrame
    case system(operation: String, errno: CInt)

    public var description: String {
        switch self {
        case .framing(.payloadTooLong(let length)): "a frame of \(length) bytes is longer than the channel allows"
        case .endInsideFrame: "the stream ended inside a frame"
        case .system(let operation, let code): "\(operation): \(String(cString: strerror(code)))"
        }
    }
}
