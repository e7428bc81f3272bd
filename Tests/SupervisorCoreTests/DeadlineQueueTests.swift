import Testing

@testable import SupervisorCore

@Suite struct DeadlineQueueTests {
    private static func at(_ nanoseconds: UInt64) -> Instant { Instant(nanoseconds: nanoseconds) }

    @Test func keysComeOutWhenTheirDeadlinesHaveComeAndInThatOrder() {
        var queue = DeadlineQueue<String>()
        queue.set("late", at: Self.at(30))
        queue.set("early", at: Self.at(10))
        queue.set("middle", at: Self.at(20))
        #expect(queue.popDue(at: Self.at(9)) == nil)
        #expect(queue.popDue(at: Self.at(20)) == "early")
        #expect(queue.popDue(at: Self.at(20)) == "middle")
        #expect(queue.popDue(at: Self.at(20)) == nil)
        #expect(queue.earliest == Self.at(30))
    }

    @Test func aKeyHasOneDeadlineWhichMayMoveEitherWay() {
        var queue = DeadlineQueue<String>()
        queue.set("a", at: Self.at(10))
        queue.set("b", at: Self.at(20))
        queue.set("a", at: Self.at(30))
        #expect(queue.earliest == Self.at(20))
        queue.set("a", at: Self.at(5))
        #expect(queue.earliest == Self.at(5))
        #expect(queue.count == 2)
    }

    @Test func aRemovedKeyLeavesNothingBehind() {
        var queue = DeadlineQueue<Int>()
        for key in 0..<100 { queue.set(key, at: Self.at(UInt64(key))) }
        for key in 0..<100 { queue.remove(key) }
        queue.remove(7)
        #expect(queue.count == 0)
        #expect(queue.earliest == nil)
    }

    @Test(arguments: 0..<20) func itDoesWhatASimpleListDoes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var queue = DeadlineQueue<Int>()
        var model: [Int: UInt64] = [:]
        for _ in 0..<2_000 {
            let key = Int.random(in: 0..<40, using: &random)
            let instant = UInt64.random(in: 0..<200, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                queue.set(key, at: Self.at(instant))
                model[key] = instant
            case 5..<7:
                queue.remove(key)
                model[key] = nil
            default:
                let popped = queue.popDue(at: Self.at(instant))
                let due = model.values.min().flatMap { $0 <= instant ? $0 : nil }
                #expect((popped == nil) == (due == nil))
                if let popped {
                    #expect(model[popped] == due)
                    model[popped] = nil
                }
            }
            #expect(queue.count == model.count)
            #expect(queue.earliest == model.values.min().map(Self.at))
        }
    }
}
