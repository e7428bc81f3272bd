import Messages
import Testing

@testable import SupervisorCore

@Suite struct LogQueueTests {
    private var ulids = ULIDGenerator()
    private var random = SeededGenerator(seed: 1)

    private mutating func opening() -> OpenRecord {
        OpenRecord(
            request: self.ulids.next(atMilliseconds: 1_000, using: &self.random), atMilliseconds: 1_000,
            peer: PeerCredentials(uid: 1, gid: 1, pid: 1), provider: "echo", model: "echo", stream: true)
    }

    private func ending(of record: OpenRecord, _ message: String = "no") -> EndRecord {
        EndRecord(
            request: record.request, atMilliseconds: 2_000, state: .error, durationMilliseconds: 1_000,
            failure: Failure(.modelError, message))
    }

    @Test mutating func recordsAreNumberedFromOneAndKeptUntilTheyAreAcknowledged() {
        var queue = LogQueue(bounds: .init(backlog: 100_000, ending: 8_192, output: 1_000, small: 4_096))
        let opening = self.opening()
        let first = queue.appendOpening(opening)
        let second = queue.appendEnding(self.ending(of: opening))
        #expect((first.sequence, second.sequence) == (1, 2))
        #expect(Array(queue.waiting) == [first.bytes, second.bytes])
        #expect(queue.bytes == first.bytes.count + second.bytes.count)
        #expect(queue.acknowledge(upTo: 1) == [])
        #expect(Array(queue.waiting) == [second.bytes])
        #expect((queue.acknowledged, queue.lastSequence, queue.bytes) == (1, 2, second.bytes.count))
        #expect(queue.acknowledge(upTo: 2) != nil)
        #expect(queue.isEmpty && queue.bytes == 0)
    }

    @Test mutating func anAcknowledgementOfWhatIsNotThereIsRefused() {
        var queue = LogQueue(bounds: .init(backlog: 100_000, ending: 8_192, output: 1_000, small: 4_096))
        #expect(queue.acknowledge(upTo: 0) != nil)
        #expect(queue.acknowledge(upTo: 1) == nil)
        _ = queue.appendOpening(self.opening())
        #expect(queue.acknowledge(upTo: 1) == [])
        #expect(queue.acknowledge(upTo: 1) == [])
        #expect(queue.acknowledge(upTo: 0) == nil)
        #expect(queue.acknowledge(upTo: 2) == nil)
    }

    @Test mutating func everyAdmittedRequestHasRoomForItsEnd() {
        var queue = LogQueue(bounds: .init(backlog: 100_000, ending: 8_192, output: 1_000, small: 4_096))
        var openings: [OpenRecord] = []
        while true {
            let opening = self.opening()
            guard queue.hasRoom(for: opening) else { break }
            _ = queue.appendOpening(opening)
            openings.append(opening)
        }
        #expect(openings.count == 11)
        for opening in openings {
            _ = queue.appendEnding(self.ending(of: opening, String(repeating: "\u{1}", count: 1_024)))
        }
        #expect(queue.bytes <= 100_000)
        #expect(queue.reserved == 0)
        #expect(queue.acknowledge(upTo: queue.lastSequence) != nil)
        #expect(queue.hasRoom(for: self.opening()) == true)
    }

    @Test mutating func anEndThatIsTooLongLosesItsDetailsAndNotItsPlace() throws {
        var queue = LogQueue(bounds: .init(backlog: 100_000, ending: 8_192, output: 1_000, small: 4_096))
        let opening = self.opening()
        _ = queue.appendOpening(opening)
        var ending = self.ending(of: opening, String(repeating: "\u{1}", count: 1_024))
        ending.usage = Usage(
            input: 1, output: 2, details: Array("{\"a\":\"\(String(repeating: "x", count: 4_000))\"}".utf8))
        let (_, bytes) = queue.appendEnding(ending)
        #expect(bytes.count <= 8_192)
        guard case .record(2, .end(let kept)) = try LoggerCommand(decoding: bytes) else {
            Issue.record("not an end")
            return
        }
        #expect(kept.usage == Usage(input: 1, output: 2))
        #expect(kept.failure?.message.utf8.count == 512)
    }

    @Test mutating func aQueueThatIsNeverEmptyForgetsAllTheSame() {
        var queue = LogQueue(bounds: .init(backlog: 1 << 20, ending: 8_192, output: 1_000, small: 4_096))
        let opening = self.opening()
        _ = queue.appendOpening(opening)
        for _ in 0..<20_000 {
            let opening = self.opening()
            _ = queue.appendOpening(opening)
            _ = queue.appendEnding(self.ending(of: opening))
            #expect(queue.acknowledge(upTo: queue.lastSequence - 1) != nil)
        }
        #expect(queue.count == 1)
        #expect(queue.bytes == Array(queue.waiting).first?.count)
        #expect(queue.lastSequence == 40_001)
    }
}
