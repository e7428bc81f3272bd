import LogStore
import Messages
import Testing

@Suite struct RecordBatchTests {
    @Test func aRecordThatWasCommittedIsIgnored() throws {
        var batch = RecordBatch(after: 5)
        try batch.append(Samples.open(Samples.ulid()), sequence: 4)
        try batch.append(Samples.open(Samples.ulid()), sequence: 5)
        #expect(batch.isEmpty)
        #expect(batch.lastSequence == 5)
    }

    @Test func aRecordThatWaitsAlreadyIsIgnored() throws {
        let request = Samples.ulid()
        var batch = RecordBatch(after: 0)
        try batch.append(Samples.open(request), sequence: 1)
        try batch.append(Samples.end(request), sequence: 1)
        #expect(batch.records == [Samples.open(request)])
    }

    @Test func aMissingNumberIsRefusedAndTheBatchStays() throws {
        var batch = RecordBatch(after: 5)
        try batch.append(Samples.open(Samples.ulid()), sequence: 6)
        let gap = #expect(throws: SequenceGap.self) {
            try batch.append(Samples.open(Samples.ulid()), sequence: 8)
        }
        #expect(gap?.expected == 7)
        #expect(gap?.received == 8)
        #expect(batch.records.count == 1)
        #expect(batch.lastSequence == 6)
    }

    @Test func anEmptiedBatchKeepsItsPlace() throws {
        var batch = RecordBatch(after: 5)
        try batch.append(Samples.open(Samples.ulid()), sequence: 6)
        batch.removeAll()
        #expect(batch.isEmpty)
        #expect(batch.lastSequence == 6)
    }
}
