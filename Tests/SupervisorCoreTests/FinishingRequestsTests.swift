import Testing

@testable import SupervisorCore

@Suite struct FinishingRequestsTests {
    private static func number(_ value: Int) -> RequestNumber { RequestNumber(rawValue: UInt64(value)) }

    private static var bounds: SupervisorBounds {
        var bounds = SupervisorBounds()
        (bounds.finishingPerUser, bounds.finishing) = (2, 3)
        return bounds
    }

    @Test func aUserHasNoMoreThanItsShareAndAllTogetherNoMoreThanTheirs() {
        var finishing = FinishingRequests()
        #expect(finishing.take(Self.number(1), of: 1000, bounds: Self.bounds))
        #expect(finishing.take(Self.number(2), of: 1000, bounds: Self.bounds))
        #expect(!finishing.take(Self.number(3), of: 1000, bounds: Self.bounds))
        #expect(finishing.take(Self.number(4), of: 1001, bounds: Self.bounds))
        #expect(!finishing.take(Self.number(5), of: 1002, bounds: Self.bounds))
        #expect(finishing.count == 3)
    }

    @Test func whatIsOverMakesRoomForItsUser() {
        var finishing = FinishingRequests()
        for number in 1...2 { _ = finishing.take(Self.number(number), of: 1000, bounds: Self.bounds) }
        finishing.release(Self.number(1))
        finishing.release(Self.number(1))
        finishing.release(Self.number(9))
        #expect(finishing.count == 1)
        #expect(finishing.contains(Self.number(2)) && !finishing.contains(Self.number(1)))
        #expect(finishing.take(Self.number(3), of: 1000, bounds: Self.bounds))
        #expect(!finishing.take(Self.number(4), of: 1000, bounds: Self.bounds))
    }
}
