import Testing

@testable import SupervisorCore

@Suite struct FinishingRequestsTests {
    private static func number(_ value: Int) -> RequestNumber { RequestNumber(rawValue: UInt64(value)) }

    private static var bounds: SupervisorBounds {
        var bounds = SupervisorBounds()
        (bounds.finishingPerUser, bounds.finishing) = (2, 3)
        return bounds
    }

    /// Those that are taken in, of requests of these users.
    private static func take(_ requests: [(number: Int, uid: Int)], in finishing: inout FinishingRequests) -> [Int] {
        var taken: [Int] = []
        for (number, uid) in requests where finishing.take(Self.number(number), of: uid, bounds: Self.bounds) {
            taken.append(number)
        }
        return taken
    }

    @Test func aUserHasNoMoreThanItsShareAndAllTogetherNoMoreThanTheirs() {
        var finishing = FinishingRequests()
        let requests = [(1, 1000), (2, 1000), (3, 1000), (4, 1001), (5, 1002)]
        #expect(Self.take(requests, in: &finishing) == [1, 2, 4])
        #expect(finishing.count == 3)
    }

    @Test func whatIsOverMakesRoomForItsUser() {
        var finishing = FinishingRequests()
        #expect(Self.take([(1, 1000), (2, 1000)], in: &finishing) == [1, 2])
        finishing.release(Self.number(1))
        finishing.release(Self.number(1))
        finishing.release(Self.number(9))
        #expect(finishing.count == 1)
        #expect(Self.take([(3, 1000), (4, 1000)], in: &finishing) == [3])
    }
}
