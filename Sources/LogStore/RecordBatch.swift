public import Messages

/// Records that wait to be committed together: in the order of their sequence numbers, none missing, none twice.
public struct RecordBatch: Sendable {
    public private(set) var records: [LogRecord] = []
    /// The last sequence number that was seen, waiting or committed.
    public private(set) var lastSequence: Int

    /// - Parameter acknowledged: The last sequence number that is committed already.
    public init(after acknowledged: Int) { self.lastSequence = acknowledged }

    public var isEmpty: Bool { self.records.isEmpty }

    var firstSequence: Int { self.lastSequence - self.records.count + 1 }

    /// Takes a record, or ignores one that was seen before.
    ///
    /// - Throws: If a sequence number was left out. The batch stays as it was.
    public mutating func append(_ record: LogRecord, sequence: Int) throws(SequenceGap) {
        guard sequence > self.lastSequence else { return }
        guard sequence == self.lastSequence + 1 else {
            throw SequenceGap(expected: self.lastSequence + 1, received: sequence)
        }
        self.records.append(record)
        self.lastSequence = sequence
    }

    /// Forgets the records, which are committed now, but not how far they went.
    public mutating func removeAll() { self.records.removeAll(keepingCapacity: true) }
}

/// A record is missing, and so the supervisor's count and ours no longer mean the same.
public struct SequenceGap: Error, Equatable, CustomStringConvertible {
    public let expected: Int
    public let received: Int

    public var description: String { "record \(self.received) came where \(self.expected) was due" }
}
