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
        var queue = LogQueue(bounds: .init(backlog: 100_000, ending: 8_192, output: 1_000, small: 4_096, window: .max))
        let opening = self.opening()
        let first = queue.appendOpening(opening)
        let second = queue.appendEnding(self.ending(of: opening))
        #expect((first.sequence, second.sequence) == (1, 2))
        #expect(Array(queue.waiting) == [first.bytes, second.bytes])
        #expect(queue.bytes == first.bytes.count + second.bytes.count)
        #expect(queue.commit(upTo: 1) == [])
        #expect(Array(queue.waiting) == [second.bytes])
        #expect((queue.acknowledged, queue.lastSequence, queue.bytes) == (1, 2, second.bytes.count))
        #expect(queue.commit(upTo: 2) != nil)
        #expect(queue.isEmpty && queue.bytes == 0)
    }

    @Test mutating func anAcknowledgementOfWhatIsNotThereIsRefused() {
        var queue = LogQueue(bounds: .init(backlog: 100_000, ending: 8_192, output: 1_000, small: 4_096, window: .max))
        #expect(queue.commit(upTo: 0) != nil)
        #expect(queue.commit(upTo: 1) == nil)
        _ = queue.appendOpening(self.opening())
        #expect(queue.commit(upTo: 1) == [])
        #expect(queue.commit(upTo: 1) == [])
        #expect(queue.commit(upTo: 0) == nil)
        #expect(queue.commit(upTo: 2) == nil)
    }

    @Test mutating func everyAdmittedRequestHasRoomForItsEnd() {
        var queue = LogQueue(bounds: .init(backlog: 100_000, ending: 8_192, output: 1_000, small: 4_096, window: .max))
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
        #expect(queue.commit(upTo: queue.lastSequence) != nil)
        #expect(queue.hasRoom(for: self.opening()) == true)
    }

    @Test mutating func anEndThatIsTooLongLosesItsDetailsAndNotItsPlace() throws {
        var queue = LogQueue(bounds: .init(backlog: 100_000, ending: 8_192, output: 1_000, small: 4_096, window: .max))
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

    @Test mutating func theLoggerIsSentNoMoreThanItsWindowAndAgainWhatWasLostWithIt() {
        var queue = LogQueue(
            bounds: .init(backlog: 100_000, ending: 1_024, output: 100_000, small: 4_096, window: 500))
        let records = (0..<6).map { _ in queue.appendOpening(self.opening()).bytes }
        #expect(records.allSatisfy { (101...249).contains($0.count) }, "two or more fit the window, and not all")
        var sent: [[UInt8]] = []
        while let bytes = queue.nextToSend() { sent.append(bytes) }
        #expect(sent == Array(records.prefix(sent.count)) && sent.count < 6)
        #expect(sent.reduce(0) { $0 + $1.count } <= 500)
        #expect(queue.acknowledge(upTo: sent.count + 1) == nil, "it was not sent")
        #expect(queue.acknowledge(upTo: 1) == [])
        #expect(queue.nextToSend() == records[sent.count])
        queue.sendAgain()
        #expect(queue.nextToSend() == records[1])
        #expect(queue.acknowledge(upTo: sent.count + 1) == [], "the process before may have committed them")
        #expect(queue.nextToSend() == records[sent.count + 1])
    }

    @Test mutating func aRecordLargerThanTheWindowIsSentAlone() {
        var queue = LogQueue(bounds: .init(backlog: 100_000, ending: 1_024, output: 100_000, small: 4_096, window: 10))
        let records = (0..<2).map { _ in queue.appendOpening(self.opening()).bytes }
        #expect(queue.nextToSend() == records[0])
        #expect(queue.nextToSend() == nil)
        #expect(queue.acknowledge(upTo: 1) == [])
        #expect(queue.nextToSend() == records[1])
    }

    @Test mutating func aQueueThatIsNeverEmptyForgetsAllTheSame() {
        var queue = LogQueue(bounds: .init(backlog: 1 << 20, ending: 8_192, output: 1_000, small: 4_096, window: .max))
        let opening = self.opening()
        _ = queue.appendOpening(opening)
        for _ in 0..<20_000 {
            let opening = self.opening()
            _ = queue.appendOpening(opening)
            _ = queue.appendEnding(self.ending(of: opening))
            #expect(queue.commit(upTo: queue.lastSequence - 1) != nil)
        }
        #expect(queue.count == 1)
        #expect(queue.bytes == Array(queue.waiting).first?.count)
        #expect(queue.lastSequence == 40_001)
    }

    // MARK: Content

    private mutating func output(of record: OpenRecord, _ length: Int) -> OutputRecord {
        OutputRecord(
            request: record.request,
            output: Array(#"[{"event":"text","text":"\#(String(repeating: "x", count: length))"}]"#.utf8))
    }

    @Test mutating func outputIsCountedApartAndLetsNobodyWait() {
        var queue = LogQueue(bounds: .init(backlog: 20_000, ending: 8_192, output: 1_000, small: 4_096, window: .max))
        let opening = self.opening()
        _ = queue.appendOpening(opening)
        let backlog = queue.backlogBytes
        let record = self.output(of: opening, 300)
        _ = queue.appendOutput(record)
        #expect(queue.outputBytes == record.output.count)
        #expect(queue.backlogBytes > backlog)
        var ending = self.ending(of: opening)
        ending.output = record.output
        _ = queue.appendEnding(ending)
        #expect(queue.outputBytes == 2 * record.output.count)
        #expect(queue.bytes == queue.waiting.reduce(0) { $0 + $1.count })
        #expect(queue.commit(upTo: 3) == [])
        #expect((queue.bytes, queue.outputBytes, queue.backlogBytes, queue.reserved) == (0, 0, 0, 0))
    }

    @Test mutating func itIsBehindFromTheBoundUntilHalfOfItIsGone() {
        var queue = LogQueue(bounds: .init(backlog: 100_000, ending: 8_192, output: 1_000, small: 4_096, window: .max))
        let opening = self.opening()
        _ = queue.appendOpening(opening)
        let record = self.output(of: opening, 250 - 28)
        #expect(record.output.count == 250)
        for _ in 0..<3 { _ = queue.appendOutput(record) }
        #expect(!queue.isBehind)
        _ = queue.appendOutput(record)
        #expect(queue.isBehind)
        _ = queue.commit(upTo: 2)
        #expect(queue.isBehind)
        // What comes all the same is kept.
        _ = queue.appendOutput(record)
        #expect(queue.outputBytes == 1_000)
        _ = queue.commit(upTo: 4)
        #expect(!queue.isBehind && queue.outputBytes == 500)
        #expect(queue.count == 2)
    }

    @Test mutating func largeContentIsSomebodyElsesToHold() {
        var queue = LogQueue(bounds: .init(backlog: 20_000, ending: 8_192, output: 1_000, small: 4_096, window: .max))
        var large = self.opening()
        large.content = PromptContent(conversation: "c", prompt: Array(repeating: 0x31, count: 100_000))
        #expect(queue.isLarge(large) && queue.hasRoom(for: large))
        _ = queue.appendOpening(large)
        #expect(queue.bytes == 0 && queue.reserved == 8_192)
        var ending = self.ending(of: large)
        ending.output = self.output(of: large, 50_000).output
        _ = queue.appendEnding(ending, isLarge: true)
        #expect(queue.bytes == 0 && queue.reserved == 0 && !queue.isBehind)
        let small = self.opening()
        _ = queue.appendOpening(small)
        #expect(queue.commit(upTo: 3) == [1, 2])
        #expect(queue.bytes == 0)
    }

    @Test mutating func theSmallContentOfAnOpeningNeedsRoom() {
        var queue = LogQueue(bounds: .init(backlog: 20_000, ending: 8_192, output: 1_000, small: 4_096, window: .max))
        var opening = self.opening()
        opening.content = PromptContent(conversation: "c", prompt: Array(repeating: 0x31, count: 4_000))
        #expect(queue.hasRoom(for: opening))
        _ = queue.appendOpening(opening)
        #expect(queue.bytes > 4_000)
        #expect(!queue.hasRoom(for: opening))
        #expect(!queue.hasRoom(for: self.opening()))
    }

    /// Random openings, pieces and endings, acknowledged at random: all are sent once, in order, and nothing is left.
    @Test(arguments: 0..<20) mutating func nothingIsDroppedAndNothingIsCountedTwice(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var queue = LogQueue(bounds: .init(backlog: 60_000, ending: 2_048, output: 3_000, small: 500, window: .max))
        var open: [OpenRecord] = []
        var large: Set<Int> = []
        var sent = 0
        for _ in 0..<2_000 {
            let length = Int.random(in: 0...900, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4:
                var opening = self.opening()
                opening.content = PromptContent(conversation: "c", prompt: Array(repeating: 0x31, count: length))
                guard queue.hasRoom(for: opening) else { break }
                let sequence = queue.appendOpening(opening).sequence
                if length > 500 { large.insert(sequence) }
                sent += 1
                #expect(sequence == sent)
                open.append(opening)
            case 4..<6:
                guard let opening = open.randomElement(using: &random) else { break }
                #expect(queue.appendOutput(self.output(of: opening, length)).sequence == sent + 1)
                sent += 1
            case 6..<9:
                guard !open.isEmpty else { break }
                var ending = self.ending(of: open.removeLast())
                let output = self.output(of: self.opening(), length).output
                ending.output = output
                let sequence = queue.appendEnding(ending, isLarge: output.count > 500).sequence
                if output.count > 500 { large.insert(sequence) }
                sent += 1
                #expect(sequence == sent)
            default:
                let upTo = Int.random(in: queue.acknowledged...queue.lastSequence, using: &random)
                let acknowledged = queue.commit(upTo: upTo)
                let released = try #require(acknowledged)
                #expect(Set(released) == large.filter { $0 <= upTo })
                large.subtract(released)
            }
            #expect(queue.backlogBytes + queue.reserved <= 60_000)
            #expect(queue.count == queue.lastSequence - queue.acknowledged)
        }
        _ = queue.commit(upTo: queue.lastSequence)
        #expect((queue.bytes, queue.isEmpty, queue.isBehind) == (0, true, false))
    }
}

extension LogQueue {
    /// The logger is sent what waits, and acknowledges.
    fileprivate mutating func commit(upTo sequence: Int) -> [Int]? {
        while self.nextToSend() != nil {}
        return self.acknowledge(upTo: sequence)
    }
}
