import Messages
import Testing

@testable import SupervisorCore

/// What large things hold, and that no holder waits for another in a circle.
@Suite struct MemoryTests {
    private static func bounds(memory: Int) -> SupervisorBounds {
        var bounds = SupervisorBounds()
        bounds.smallFrame = 1_000
        bounds.memory = memory
        return bounds
    }

    private static func prompt(_ id: Int, length: Int) -> String {
        #"{"id":\#(id),"op":"prompt","prompt":"\#(String(repeating: "x", count: length))","stream":false}"#
    }

    /// A large frame arrives: its header first, then the whole of it.
    private static func sendLarge(_ scenario: inout Scenario, _ client: UInt64, _ text: String) -> [String] {
        scenario.post(.clientFrameBegun(ConnectionID(client), length: text.utf8.count)) + scenario.client(client, text)
    }

    @Test func aLargePromptThatWasReadIsNotRefusedBecauseAnotherWaits() {
        var scenario = Scenario.ready(bounds: Self.bounds(memory: 40_000))
        scenario.connect(1)
        scenario.connect(2)
        let text = Self.prompt(1, length: 20_000)
        scenario.post(.clientFrameBegun(ConnectionID(1), length: text.utf8.count))
        #expect(scenario.post(.clientFrameBegun(ConnectionID(2), length: text.utf8.count)) == ["pause client 2"])
        let actions = scenario.client(1, text)
        #expect(actions.count == 1 && actions[0].hasPrefix(#"logger: {"op":"open""#), "\(actions)")
    }

    @Test func requestsThatWaitDoNotKeepTheAnswersOutThatTheyWaitFor() {
        var scenario = Scenario.ready(providers: [.echo(slots: 1)], bounds: Self.bounds(memory: 40_000))
        scenario.connect(1)
        scenario.promptRuns(1, 1, #","stream":false"#)
        for id in 2...9 { _ = Self.sendLarge(&scenario, 1, Self.prompt(id, length: 3_900)) }
        scenario.commit()
        let slot = SlotID(worker: WorkerID(1), index: 0)
        #expect(scenario.post(.slotFrameBegun(slot, length: 9_000)) == [])
    }

    @Test func lastFramesThatWaitForTheirRowsAreCountedAndHoldLaterOnesBack() {
        var scenario = Scenario.ready(bounds: Self.bounds(memory: 40_000))
        scenario.connect(1)
        scenario.promptRuns(1, 1, #","stream":false"#)
        scenario.promptRuns(1, 2, #","stream":false"#)
        let answer = SlotEvent.done(SlotCompletion(answer: .init(text: String(repeating: "y", count: 9_000))))
        scenario.post(.slotFrameBegun(SlotID(worker: WorkerID(1), index: 0), length: answer.encoded.count))
        scenario.slot(1, 0, answer)
        #expect(scenario.core.footprint.memory > 9_000)
        let second = SlotID(worker: WorkerID(1), index: 1)
        #expect(scenario.post(.slotFrameBegun(second, length: answer.encoded.count)) == ["pause slot 1.1"])
        let actions = scenario.commit()
        #expect(actions.first?.hasPrefix(#"client 1: {"id":1,"event":"done""#) == true)
        #expect(actions.last == "resume slot 1.1")
        scenario.slot(1, 1, answer)
        scenario.commit()
        #expect(scenario.core.footprint.memory == 0)
    }

    @Test func aSlotWithoutARequestThatBeginsALargeFrameHoldsNoMemory() {
        var scenario = Scenario.ready(bounds: Self.bounds(memory: 40_000))
        let actions = scenario.post(.slotFrameBegun(SlotID(worker: WorkerID(1), index: 0), length: 9_000))
        #expect(actions == ["kill worker 1"])
        #expect(scenario.core.footprint.memory == 0)
    }

    @Test func aCancelledSlotIsReadOnWhateverItsFrameCosts() {
        var scenario = Scenario.ready(bounds: Self.bounds(memory: 40_000))
        scenario.connect(1)
        scenario.promptRuns(1, 1)
        scenario.promptRuns(1, 2)
        scenario.post(.slotFrameBegun(SlotID(worker: WorkerID(1), index: 0), length: 9_000))
        #expect(
            scenario.post(.slotFrameBegun(SlotID(worker: WorkerID(1), index: 1), length: 9_500)) == ["pause slot 1.1"])
        #expect(scenario.client(1, #"{"id":3,"op":"cancel","target":2}"#).last == "resume slot 1.1")
        #expect(scenario.core.footprint.memory == 18_500)
        scenario.slot(1, 1, .error(Failure(.cancelled, "as told"), usage: nil))
        scenario.commit()
        #expect(scenario.core.footprint.memory == 9_000)
    }

    @Test func requestsRefusedForWantOfMemoryLeaveNothingBehind() {
        var bounds = SupervisorBounds()
        bounds.smallRequestMemory = 2_000
        var scenario = Scenario.ready(providers: [.echo(slots: 1)], bounds: bounds)
        scenario.connect(1)
        scenario.promptRuns(1, 1)
        scenario.client(1, Self.prompt(2, length: 600))
        let before = scenario.core.footprint
        let actions = scenario.client(1, Self.prompt(3, length: 600))
        #expect(
            actions.count == 1 && actions[0].contains(#""id":3,"event":"error","error":{"code":"overloaded""#),
            "\(actions)")
        #expect(scenario.core.footprint == before)
        scenario.commit()
        scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(scenario.client(1, Self.prompt(3, length: 600)).count == 1)
        #expect(scenario.core.footprint.memory > 600)
    }

    @Test func aLargeRequestHoldsItsMemoryUntilItHasLeft() {
        var scenario = Scenario.ready(bounds: Self.bounds(memory: 40_000))
        scenario.connect(1)
        _ = Self.sendLarge(&scenario, 1, Self.prompt(1, length: 9_000))
        let actions = scenario.commit()
        #expect(actions.first?.hasSuffix("(reports)") == true)
        #expect(scenario.core.footprint.memory > 9_000)
        scenario.post(.slotWritten(SlotID(worker: WorkerID(1), index: 0)))
        #expect(scenario.core.footprint.memory == 0)
    }
}
