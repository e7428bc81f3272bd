import Messages
import Testing

@testable import SupervisorCore

/// The machine of one worker process.
@Suite struct WorkerTests {
    private let bounds = SupervisorBounds()
    private let start = Instant(nanoseconds: 0)

    private func worker(slots: Int = 2) -> Worker {
        Worker(id: WorkerID(1), provider: 0, slots: slots, at: self.start, bounds: self.bounds)
    }

    private func ready(slots: Int = 2) -> Worker {
        var worker = self.worker(slots: slots)
        _ = worker.saidHello(at: self.start, bounds: self.bounds)
        return worker
    }

    @Test func aWorkerTakesNoRequestBeforeItsHello() {
        var worker = self.worker()
        #expect(worker.takeSlot(for: RequestNumber(rawValue: 1)) == nil)
        #expect(worker.saidHello(at: self.start, bounds: self.bounds) == true)
        #expect(worker.takeSlot(for: RequestNumber(rawValue: 1)) == 0)
    }

    @Test func aSecondHelloIsNotBelieved() {
        var worker = self.ready()
        #expect(worker.saidHello(at: self.start, bounds: self.bounds) == false)
    }

    @Test func aHelloThatDoesNotComeIsNoticed() {
        var worker = self.worker()
        #expect(worker.deadline == self.start + self.bounds.workerStartTimeout)
        #expect(worker.expiry(at: self.start + .milliseconds(9_999), bounds: self.bounds) == .none)
        #expect(worker.expiry(at: self.start + .seconds(10), bounds: self.bounds) == .noHello)
    }

    @Test func aSlotRunsOneRequestAndIsGivenBack() {
        var worker = self.ready()
        let requests = (1...3).map { RequestNumber(rawValue: $0) }
        let first = worker.takeSlot(for: requests[0])
        #expect(worker.takeSlot(for: requests[1]) != nil)
        #expect(worker.takeSlot(for: requests[2]) == nil)
        #expect(worker.busySlots == 2)
        worker.releaseSlot(first!)
        #expect(worker.requests == [requests[1]])
        #expect(worker.takeSlot(for: requests[2]) == first)
    }

    @Test func aWorkerWithAHungSlotTakesNoMoreRequests() {
        var worker = self.ready(slots: 3)
        let hung = worker.takeSlot(for: RequestNumber(rawValue: 1))!
        let healthy = worker.takeSlot(for: RequestNumber(rawValue: 2))!
        worker.slotHung(hung)
        #expect(worker.state == .retiring)
        #expect(worker.busySlots == 1)
        worker.releaseSlot(healthy)
        #expect(worker.takeSlot(for: RequestNumber(rawValue: 3)) == nil)
    }

    @Test func pingsFollowOneAnotherAndOneThatIsNotAnsweredIsNoticed() {
        var worker = self.ready()
        let first = self.start + self.bounds.pingInterval
        #expect(worker.expiry(at: first, bounds: self.bounds) == .ping(number: 1))
        #expect(worker.expiry(at: first, bounds: self.bounds) == .none)
        #expect(worker.saidPong(number: 1, at: first, bounds: self.bounds) == true)
        let second = first + self.bounds.pingInterval
        #expect(worker.expiry(at: second, bounds: self.bounds) == .ping(number: 2))
        #expect(worker.expiry(at: second + self.bounds.pongTimeout, bounds: self.bounds) == .noPong)
    }

    @Test func aPongThatNobodyAskedForIsNotBelieved() {
        var worker = self.ready()
        #expect(worker.saidPong(number: 0, at: self.start, bounds: self.bounds) == false)
        _ = worker.expiry(at: self.start + self.bounds.pingInterval, bounds: self.bounds)
        #expect(worker.saidPong(number: 2, at: self.start, bounds: self.bounds) == false)
    }

    @Test func oneThatIsToldToEndHasATimeForIt() {
        var worker = self.ready()
        worker.dismissed(at: self.start, timeout: .seconds(5))
        #expect(worker.state == .dying)
        #expect(worker.expiry(at: self.start + .seconds(5), bounds: self.bounds) == .noExit)
        #expect(worker.deadline == nil)
        #expect(worker.takeSlot(for: RequestNumber(rawValue: 1)) == nil)
    }

    /// What stands only in the last frame would reach the client and not the record.
    @Test(arguments: [
        #""text":"ho""#, #""reasoning":"hm""#, #""tool_calls":[{"tool_call_id":"1","name":"n","arguments":{}}]"#,
    ])
    func aSlotThatAnswersWholeWhatItIsToStreamBreaksTheProtocol(members: String) {
        var scenario = Scenario.ready(durability: .relaxed, storesPrompts: true)
        scenario.connect(1)
        scenario.promptRuns(1, 1)
        let event = Array(#"{"event":"done",\#(members)}"#.utf8)
        let actions = scenario.post(.slotEvent(SlotID(worker: WorkerID(1), index: 0), event))
        #expect(
            actions.contains { $0.contains("worker_misbehaved") } && actions.contains("kill worker 1"), "\(actions)")
    }
}
