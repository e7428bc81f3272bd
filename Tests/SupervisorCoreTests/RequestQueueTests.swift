import Testing

@testable import SupervisorCore

@Suite struct RequestQueueTests {
    private static func number(_ value: Int) -> RequestNumber { RequestNumber(rawValue: UInt64(value)) }

    @Test func requestsComeOutInTheOrderOfTheirAdmission() {
        var queue = RequestQueue()
        for value in 1...5 { queue.append(Self.number(value)) }
        queue.remove(Self.number(1))
        queue.remove(Self.number(3))
        #expect(queue.all == [2, 4, 5].map(Self.number))
        let first = queue.first
        #expect(first == Self.number(2))
        #expect(queue.count == 3)
        queue.remove(Self.number(3))
        #expect(queue.count == 3)
    }

    @Test func theForgottenTakeNoMorePlacesThanTheLiving() {
        var queue = RequestQueue()
        for value in 1...10_000 {
            queue.append(Self.number(value))
            if value > 100 { queue.remove(Self.number(value % 2 == 0 ? value : value - 50)) }
            #expect(queue.placeCount <= max(64, 2 * queue.count + 1))
        }
    }

    @Test(arguments: 0..<10) func itDoesWhatAListDoes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var queue = RequestQueue()
        var model: [RequestNumber] = []
        for value in 1...3_000 {
            if Bool.random(using: &random) {
                queue.append(Self.number(value))
                model.append(Self.number(value))
            } else if let victim = model.randomElement(using: &random) {
                let request = Bool.random(using: &random) ? model[0] : victim
                queue.remove(request)
                model.removeAll { $0 == request }
            }
            let first = queue.first
            #expect(first == model.first)
            #expect(queue.count == model.count)
        }
        #expect(queue.all == model)
    }
}
