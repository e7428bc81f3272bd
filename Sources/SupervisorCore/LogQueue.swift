import Messages

/// The records that the logger has not acknowledged, in order.
///
/// A record stays until the logger says that it is on disk, and is sent again to a logger that was restarted. Bytes are bounded:
/// a request is admitted only if there is room for its opening and, reserved until then, for its ending. So nothing is ever
/// dropped, and an ending always fits.
struct LogQueue: Sendable {
    private let bound: Int
    private let endBytes: Int
    private var records: ArraySlice<[UInt8]> = []
    /// The sequence number of the first record in `records`.
    private var firstSequence = 1
    /// The room that the endings of open requests will need, in bytes.
    private(set) var reserved = 0

    /// Bytes of the records that wait.
    private(set) var bytes = 0
    /// The last number that was given out; 0 before the first.
    var lastSequence: Int { self.firstSequence + self.records.count - 1 }
    /// The last number that is known to be on disk.
    var acknowledged: Int { self.firstSequence - 1 }
    var count: Int { self.records.count }
    var isEmpty: Bool { self.records.isEmpty }

    init(bound: Int, endBytes: Int) {
        self.bound = bound
        self.endBytes = endBytes
    }

    /// Whether a request may be admitted with this opening.
    func hasRoom(for record: OpenRecord) -> Bool {
        // Six bytes is the most that JSON makes of one; the rest of the record has fixed lengths.
        let opening = 6 * (record.provider.utf8.count + record.model.utf8.count) + 512
        return self.bytes + self.reserved + opening + self.endBytes <= self.bound
    }

    /// Appends the opening of a request, reserves the room of its ending, and returns its sequence number and bytes.
    mutating func appendOpening(_ record: OpenRecord) -> (sequence: Int, bytes: [UInt8]) {
        self.reserved += self.endBytes
        return self.append(.open(record))
    }

    /// Appends the ending of a request whose opening was appended, in the room that was reserved.
    mutating func appendEnding(_ record: EndRecord) -> (sequence: Int, bytes: [UInt8]) {
        self.reserved -= self.endBytes
        precondition(self.reserved >= 0, "a request ends once")
        var record = record
        if record.encodedLength > self.endBytes { record.dropLongFields() }
        return self.append(.end(record))
    }

    /// Forgets the records up to `sequence`. Returns `false` if there is no such record.
    mutating func acknowledge(upTo sequence: Int) -> Bool {
        guard sequence >= self.acknowledged, sequence <= self.lastSequence else { return false }
        let count = sequence - self.acknowledged
        for index in self.records.indices.prefix(count) {
            self.bytes -= self.records[index].count
            // A slice keeps what stands before it alive: leave nothing there.
            self.records[index] = []
        }
        self.records.removeFirst(count)
        self.firstSequence += count
        // The empty places are given back now and then.
        if self.records.isEmpty || self.records.startIndex > 4096 { self.records = ArraySlice(Array(self.records)) }
        return true
    }

    /// All records that wait, in order, for a logger that was restarted.
    var waiting: ArraySlice<[UInt8]> { self.records }

    private mutating func append(_ record: LogRecord) -> (sequence: Int, bytes: [UInt8]) {
        let sequence = self.lastSequence + 1
        let bytes = record.encoded(sequence: sequence)
        self.records.append(bytes)
        self.bytes += bytes.count
        return (sequence, bytes)
    }
}

extension EndRecord {
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
