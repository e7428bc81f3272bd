/// One event of a stream of server-sent events.
struct ServerSentEvent: Equatable {
    /// The value of its `event` field; `nil` for the usual kind.
    var name: String?
    /// The values of its `data` fields, with a line feed between them.
    var data: [UInt8]
}

/// Reads a stream of server-sent events (WHATWG HTML, "Server-sent events"), cut into pieces anywhere.
///
/// Lines end with a line feed, a carriage return, or both; a byte order mark at the beginning, comments, and fields
/// other than `event` and `data` are passed over. Unlike a browser it accepts a last event without its blank line,
/// which some providers leave out: whoever reads its data finds out whether the event is whole.
struct ServerSentEventReader {
    /// How long the lines of one event may be together, in bytes.
    static let eventBound = 4 << 20

    private var piece: ArraySlice<UInt8> = []
    /// The beginning of a line whose end has not come yet.
    private var line: [UInt8] = []
    private var isAfterCarriageReturn = false
    private var isFirstLine = true
    private var name: String?
    private var data: [UInt8]?
    /// The bytes of the event's lines so far, without those that are passed over: a provider that still works may say so for
    /// hours.
    private var eventLength = 0

    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    /// Takes the next piece of the stream; ``next()`` must have returned `nil` before.
    mutating func append(_ piece: [UInt8]) {
        precondition(self.piece.isEmpty, "the last piece is not read to its end")
        self.piece = piece[...]
    }

    /// The next event that is complete, or `nil` if more of the stream is needed.
    mutating func next() throws(EventTooLong) -> ServerSentEvent? {
        while let line = try self.nextLine() {
            guard line.isEmpty else {
                self.read(line)
                continue
            }
            if let event = self.takeEvent() { return event }
        }
        return nil
    }

    /// The last event, if the stream ended without the blank line after it.
    mutating func finish() -> ServerSentEvent? {
        if !self.line.isEmpty { self.read(self.line[...]) }
        self.line = []
        return self.takeEvent()
    }

    private mutating func nextLine() throws(EventTooLong) -> ArraySlice<UInt8>? {
        if self.isAfterCarriageReturn, let byte = self.piece.first {
            if byte == Self.lineFeed { self.piece = self.piece.dropFirst() }
            self.isAfterCarriageReturn = false
        }
        let end = self.piece.firstIndex { $0 == Self.lineFeed || $0 == Self.carriageReturn }
        let part = self.piece[..<(end ?? self.piece.endIndex)]
        self.eventLength += part.count
        guard self.eventLength <= Self.eventBound else { throw EventTooLong() }
        guard let end else {
            self.line.append(contentsOf: part)
            self.piece = []
            return nil
        }
        self.isAfterCarriageReturn = self.piece[end] == Self.carriageReturn
        self.piece = self.piece[(end + 1)...]
        guard !self.line.isEmpty else { return self.withoutByteOrderMark(part) }
        let line = self.line + part
        self.line = []
        return self.withoutByteOrderMark(line[...])
    }

    private mutating func withoutByteOrderMark(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        defer { self.isFirstLine = false }
        return self.isFirstLine && line.starts(with: [0xEF, 0xBB, 0xBF]) ? line.dropFirst(3) : line
    }

    private mutating func read(_ line: ArraySlice<UInt8>) {
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = line[colon...].dropFirst()
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        if line[..<colon].elementsEqual("data".utf8) {
            if self.data == nil { self.data = [] } else { self.data?.append(Self.lineFeed) }
            self.data?.append(contentsOf: value)
        } else if line[..<colon].elementsEqual("event".utf8) {
            self.name = String(decoding: value, as: UTF8.self)
        } else {
            self.eventLength -= line.count
        }
    }

    /// An event without data is none.
    private mutating func takeEvent() -> ServerSentEvent? {
        defer { (self.name, self.data, self.eventLength) = (nil, nil, 0) }
        return self.data.map { ServerSentEvent(name: self.name, data: $0) }
    }
}

/// An event is longer than ``ServerSentEventReader/eventBound``.
struct EventTooLong: Error, Equatable {}
