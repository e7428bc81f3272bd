import Messages

/// The records that the logger has not acknowledged, in order.
///
/// A record stays until the logger says that it is on disk, and is sent again to a logger that was restarted. Bytes are bounded,
/// each kind in its own way, and nothing is ever dropped:
///
/// - *Endings, and openings of small prompts*: a request is admitted only if there is room for its opening and, reserved
///   until then, for its ending. So an ending always fits.
/// - *Output*: when too much of it waits, no more is read from slots (``isBehind``).
/// - *Large openings and large answers* are held by whoever reserved the memory into which they were read, until they are
///   acknowledged.
struct LogQueue: Sendable {
    struct Bounds: Sendable {
        /// What openings and endings may hold in all.
        var backlog: Int
        /// What the ending of a request may take, its output apart.
        var ending: Int
        /// What output may hold before slots are no longer read.
        var output: Int
        /// What is asked or answered in more bytes than this is large.
        var small: Int
        /// What the logger may have been sent and not acknowledged. The rest waits here, and so waits once.
        var window: Int
    }

    private struct Entry {
        var bytes: [UInt8]
        /// How many of them count as output.
        var output = 0
        /// Whether somebody else holds room for what is asked or answered in it.
        var isLarge = false
        /// How many of them count in the backlog.
        var backlog: Int { self.isLarge ? 0 : self.bytes.count - self.output }
    }

    private let bounds: Bounds
    private var entries: ArraySlice<Entry> = []
    /// The sequence number of the first record in `entries`.
    private var firstSequence = 1
    /// The room that the endings of open requests will need, in bytes.
    private(set) var reserved = 0
    /// Bytes of the openings and endings that wait.
    private(set) var backlogBytes = 0
    /// Bytes of the output that waits.
    private(set) var outputBytes = 0
    /// The last number that the process in charge was sent.
    private var sent = 0
    /// The last number that any process was sent.
    private var lastSent = 0
    /// Bytes that it was sent and has not acknowledged.
    private var sentBytes = 0
    /// Whether so much output waits that no more should be made; until half of it is gone.
    private(set) var isBehind = false

    /// Bytes of all the records that wait, but for what others hold room for.
    var bytes: Int { self.backlogBytes + self.outputBytes }
    /// Whether so much waits that who makes more should wait for it.
    var isCrowded: Bool { self.backlogBytes > self.bounds.backlog / 2 || self.outputBytes > self.bounds.output / 2 }
    /// The last number that was given out; 0 before the first.
    var lastSequence: Int { self.firstSequence + self.entries.count - 1 }
    /// The last number that is known to be on disk.
    var acknowledged: Int { self.firstSequence - 1 }
    var count: Int { self.entries.count }
    var isEmpty: Bool { self.entries.isEmpty }

    init(bounds: Bounds) { self.bounds = bounds }

    /// Whether a request may be admitted with this opening.
    func hasRoom(for record: OpenRecord) -> Bool {
        // Six bytes is the most that JSON makes of one; the rest of the record has fixed lengths.
        let names =
            record.provider.utf8.count + record.model.utf8.count + (record.content?.conversation.utf8.count ?? 0)
        let opening = 6 * names + 736 + (self.isLarge(record) ? 0 : record.content?.length ?? 0)
        return self.backlogBytes + self.reserved + opening + self.bounds.ending <= self.bounds.backlog
    }

    /// Whether somebody else must hold room for the record.
    func isLarge(_ record: OpenRecord) -> Bool { (record.content?.length ?? 0) > self.bounds.small }

    /// Appends the opening of a request, reserves the room of its ending, and returns its sequence number and bytes.
    mutating func appendOpening(_ record: OpenRecord) -> (sequence: Int, bytes: [UInt8]) {
        self.reserved += self.bounds.ending
        return self.append(.open(record), output: 0, isLarge: self.isLarge(record))
    }

    /// Appends a piece of an answer.
    mutating func appendOutput(_ record: OutputRecord) -> (sequence: Int, bytes: [UInt8]) {
        self.append(.output(record), output: record.output.count, isLarge: false)
    }

    /// Appends the ending of a request whose opening was appended, in the room that was reserved.
    ///
    /// - Parameter isLarge: Whether somebody else holds room for its output.
    mutating func appendEnding(_ record: EndRecord, isLarge: Bool = false) -> (sequence: Int, bytes: [UInt8]) {
        self.reserved -= self.bounds.ending
        precondition(self.reserved >= 0, "a request ends once")
        var record = record
        if record.encodedLength > self.bounds.ending { record.dropLongFields() }
        return self.append(.end(record), output: record.output?.count ?? 0, isLarge: isLarge)
    }

    /// Forgets the records up to `sequence`, and returns those of them that others hold room for; `nil` if no process was sent
    /// such a record.
    mutating func acknowledge(upTo sequence: Int) -> [Int]? {
        guard sequence >= self.acknowledged, sequence <= self.lastSent else { return nil }
        var large: [Int] = []
        let count = sequence - self.acknowledged
        for index in self.entries.indices.prefix(count) {
            let entry = self.entries[index]
            if self.firstSequence + index - self.entries.startIndex <= self.sent { self.sentBytes -= entry.bytes.count }
            self.backlogBytes -= entry.backlog
            if entry.isLarge {
                large.append(self.firstSequence + index - self.entries.startIndex)
            } else {
                self.outputBytes -= entry.output
            }
            // A slice keeps what stands before it alive: leave nothing there.
            self.entries[index].bytes = []
        }
        self.entries.removeFirst(count)
        self.firstSequence += count
        self.sent = max(self.sent, self.acknowledged)
        // The empty places are given back now and then.
        if self.entries.isEmpty || self.entries.startIndex > 4096 { self.entries = ArraySlice(Array(self.entries)) }
        if self.outputBytes <= self.bounds.output / 2 { self.isBehind = false }
        return large
    }

    /// The next record for the logger, unless it has enough.
    mutating func nextToSend() -> [UInt8]? {
        guard self.sent < self.lastSequence else { return nil }
        let bytes = self.entries[self.entries.startIndex + self.sent - self.acknowledged].bytes
        guard self.sentBytes == 0 || self.sentBytes + bytes.count <= self.bounds.window else { return nil }
        self.sent += 1
        self.lastSent = max(self.lastSent, self.sent)
        self.sentBytes += bytes.count
        return bytes
    }

    /// Another process is in charge, which is to be sent all that waits.
    mutating func sendAgain() {
        self.sent = self.acknowledged
        self.sentBytes = 0
    }

    /// All records that wait, in order.
    var waiting: some Sequence<[UInt8]> { self.entries.lazy.map(\.bytes) }

    private mutating func append(_ record: LogRecord, output: Int, isLarge: Bool) -> (sequence: Int, bytes: [UInt8]) {
        let sequence = self.lastSequence + 1
        let entry = Entry(bytes: record.encoded(sequence: sequence), output: output, isLarge: isLarge)
        self.entries.append(entry)
        self.backlogBytes += entry.backlog
        if !isLarge {
            self.outputBytes += output
            if self.outputBytes >= self.bounds.output { self.isBehind = true }
        }
        return (sequence, entry.bytes)
    }
}

extension EndRecord {
    /// At most, and without its output.
    fileprivate var encodedLength: Int {
        // Six bytes is the most that JSON makes of one; the rest of the record has fixed lengths.
        let texts = (self.failure?.message.utf8.count ?? 0) + (self.finishReason?.utf8.count ?? 0)
        let ids = (self.providerRequestID?.utf8.count ?? 0) + (self.failure?.providerRequestID?.utf8.count ?? 0)
        return 6 * (texts + ids) + (self.usage?.details?.count ?? 0) + 512
    }

    fileprivate mutating func dropLongFields() {
        self.usage?.details = nil
        if let failure = self.failure {
            self.failure = Failure(failure.code, failure.message.truncated(toUTF8Length: 512))
        }
    }
}
