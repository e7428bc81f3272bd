import Testing

@testable import SupervisorCore

@Suite struct MemoryBudgetTests {
    private static let first = MemoryBudget.Holder.clientFrame(ConnectionID(1))
    private static let second = MemoryBudget.Holder.clientFrame(ConnectionID(2))
    private static let third = MemoryBudget.Holder.clientFrame(ConnectionID(3))

    @Test func thoseWhoWaitAreServedInTheirOrder() {
        var budget = MemoryBudget(limit: 100)
        #expect(budget.reserveOrWait(Self.first, 80) == true)
        #expect(budget.reserveOrWait(Self.second, 50) == false)
        #expect(budget.reserveOrWait(Self.third, 10) == false)
        #expect(budget.grantNext() == nil)
        budget.release(Self.first)
        #expect(budget.grantNext() == Self.second)
        #expect(budget.grantNext() == Self.third)
        #expect(budget.grantNext() == nil)
        #expect(budget.used == 60)
    }

    @Test func nobodyOvertakesThoseWhoWait() {
        var budget = MemoryBudget(limit: 100)
        #expect(budget.reserve(Self.first, 80) == true)
        #expect(budget.reserveOrWait(Self.second, 50) == false)
        #expect(budget.reserve(Self.third, 10) == false)
    }

    @Test func oneThatIsLargerThanAllIsServedAlone() {
        var budget = MemoryBudget(limit: 100)
        #expect(budget.reserveOrWait(Self.first, 150) == false)
        #expect(budget.grantNext() == Self.first)
        #expect(budget.used == 150)
    }

    @Test func oneThatGoesWhileItWaitsLosesItsPlace() {
        var budget = MemoryBudget(limit: 100)
        #expect(budget.reserve(Self.first, 100) == true)
        #expect(budget.reserveOrWait(Self.second, 50) == false)
        #expect(budget.release(Self.second) == 0)
        #expect(budget.release(Self.first) == 100)
        #expect(budget.grantNext() == nil)
        #expect(budget.used == 0)
    }

    @Test func whatIsHeldPassesOnWithoutStandingInLine() {
        var budget = MemoryBudget(limit: 100)
        #expect(budget.reserve(Self.first, 80) == true)
        #expect(budget.reserveOrWait(Self.second, 50) == false)
        let request = MemoryBudget.Holder.request(RequestNumber(rawValue: 1))
        #expect(budget.reserve(request, 85, heldBy: Self.first) == true)
        #expect(budget.used == 85)
        let other = MemoryBudget.Holder.request(RequestNumber(rawValue: 2))
        #expect(budget.reserve(other, 5, heldBy: Self.third) == false)
        #expect(budget.release(request) == 85)
        #expect(budget.used == 0)
    }

    @Test func whatIsChargedIsSetAndNotAdded() {
        var budget = MemoryBudget(limit: 100)
        budget.charge(Self.first, 150)
        budget.charge(Self.first, 40)
        #expect(budget.used == 40)
        budget.charge(Self.first, 0)
        #expect(budget.used == 0)
        #expect(budget.release(Self.first) == 0)
    }

    @Test func oneThatMustNotWaitIsServedAtOnce() {
        var budget = MemoryBudget(limit: 100)
        #expect(budget.reserve(Self.first, 80) == true)
        #expect(budget.reserveOrWait(Self.second, 50) == false)
        budget.grantAtOnce(Self.second)
        budget.grantAtOnce(Self.third)
        #expect(budget.used == 130)
        #expect(budget.grantNext() == nil)
    }
}
