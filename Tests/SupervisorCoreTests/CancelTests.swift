import Messages
import Testing

@testable import SupervisorCore

/// Requests that end before their time, because their client says so or is gone.
@Suite struct CancelTests {
    private static let timeouts = ProviderSettings.Timeouts(firstOutput: 2_000, idle: 1_000, total: 60_000, cancel: 500)
    private static let cancelled =
        #"{"code":"cancelled","message":"the client cancelled the request","retryable":false}"#

    @Test func aRequestIsCancelledBeforeItsRowIsOnDiskAndItsEndFollowsItsOpening() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"prompt"}"#)
        #expect(
            scenario.client(1, #"{"id":2,"op":"cancel","target":1}"#) == [
                #"client 1: {"id":2,"event":"done"}"#,
                #"logger: {"op":"end","sequence":2,"request":"r1","at_ms":1000,"state":"cancelled","duration_ms":0,"error":\#(Self.cancelled)}"#,
            ])
        // The opening alone lets nothing go, and dispatches nothing.
        #expect(scenario.post(.loggerReply(LoggerReply.acknowledged(sequence: 1).encoded)) == [])
        #expect(
            scenario.commit() == [#"client 1: {"id":1,"event":"error","error":\#(Self.cancelled),"request":"r1"}"#])
        #expect(scenario.core.footprint.requests == 0)
    }

    @Test func aRequestThatWaitsForASlotIsCancelledAtOnce() {
        var scenario = Scenario.ready(durability: .relaxed, providers: [.echo(slots: 1)])
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"prompt"}"#)
        scenario.client(1, #"{"id":2,"op":"prompt"}"#)
        let actions = scenario.client(1, #"{"id":3,"op":"cancel","target":2}"#)
        #expect(actions.last == #"client 1: {"id":2,"event":"error","error":\#(Self.cancelled),"request":"r2"}"#)
        #expect(scenario.core.providers[0].queue.count == 0)
        #expect(scenario.slot(1, 0, .done(SlotCompletion())).count == 2)
    }

    @Test func aRunningRequestIsCancelledWhenItsSlotLetsGoAndSaysNothingMeanwhile() {
        var scenario = Scenario.ready(durability: .relaxed)
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"prompt"}"#)
        #expect(
            scenario.client(1, #"{"id":2,"op":"cancel","target":1}"#) == [
                #"client 1: {"id":2,"event":"done"}"#, #"slot 1.0: {"op":"cancel","request":"r1"}"#,
            ])
        #expect(scenario.slot(1, 0, .text("too late")) == [])
        #expect(scenario.client(1, #"{"id":3,"op":"cancel","target":1}"#) == [#"client 1: {"id":3,"event":"done"}"#])
        let actions = scenario.slot(1, 0, .done(SlotCompletion(usage: Usage(input: 1, output: 2))))
        #expect(
            actions == [
                #"logger: {"op":"end","sequence":2,"request":"r1","at_ms":1000,"state":"cancelled","duration_ms":0,"usage":{"input":1,"output":2},"error":\#(Self.cancelled)}"#,
                #"client 1: {"id":1,"event":"error","error":\#(Self.cancelled),"request":"r1","usage":{"input":1,"output":2}}"#,
            ])
        #expect(scenario.client(1, #"{"id":4,"op":"cancel","target":1}"#)[0].contains("not_found"))
    }

    @Test func onlyRequestsOfTheSameConnectionCanBeCancelled() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        scenario.connect(2)
        scenario.promptRuns(1, 1)
        #expect(scenario.client(2, #"{"id":2,"op":"cancel","target":1}"#)[0].contains("not_found"))
        #expect(scenario.client(1, #"{"id":2,"op":"cancel","target":"1"}"#)[0].contains("not_found"))
    }

    @Test func aRequestThatIsBeingCutShortByADeadlineStillEndsAsItsClientAsked() {
        var scenario = Scenario.ready(durability: .relaxed, providers: [.echo(timeouts: Self.timeouts)])
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"prompt"}"#)
        #expect(scenario.pass(.seconds(2)) == [#"slot 1.0: {"op":"cancel","request":"r1"}"#])
        #expect(scenario.client(1, #"{"id":2,"op":"cancel","target":1}"#) == [#"client 1: {"id":2,"event":"done"}"#])
        let actions = scenario.slot(1, 0, .error(Failure(.cancelled, "as told"), usage: nil))
        #expect(actions.last == #"client 1: {"id":1,"event":"error","error":\#(Self.cancelled),"request":"r1"}"#)
    }

    @Test func aClientThatLeavesCancelsAllItsRequests() {
        var scenario = Scenario.ready(providers: [.echo(slots: 1)])
        scenario.connect(1)
        scenario.promptRuns(1, 1)
        scenario.promptRuns(1, 2)
        scenario.client(1, #"{"id":3,"op":"prompt"}"#)
        let actions = scenario.post(.clientClosed(ConnectionID(1)))
        #expect(actions.count == 3)
        #expect(actions[0] == #"slot 1.0: {"op":"cancel","request":"r1"}"#)
        #expect(actions[1].contains(#""op":"end","sequence":4,"request":"r2""#), "\(actions)")
        #expect(actions[2].contains(#""op":"end","sequence":5,"request":"r3""#), "\(actions)")
        scenario.slot(1, 0, .error(Failure(.cancelled, "as told"), usage: nil))
        #expect(scenario.commit() == [])
        let footprint = scenario.core.footprint
        #expect(
            footprint.requests == 0 && footprint.connections == 0 && footprint.memory == 0 && footprint.logReserved == 0
        )
    }

    @Test func aClientThatLeavesWhileItsLastFrameWaitsIsForgottenAndItsRowStands() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        scenario.promptRuns(1, 1)
        scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(scenario.post(.clientClosed(ConnectionID(1))) == [])
        #expect(scenario.core.footprint.requests == 0)
        #expect(scenario.commit() == [])
        #expect(scenario.core.counters.done == 1 && scenario.core.counters.cancelled == 0)
    }

    @Test func aSlotThatIgnoresItsCancelIsReplacedWithItsWorkerWhileItsNeighboursFinish() {
        var scenario = Scenario.ready(durability: .relaxed, providers: [.echo(timeouts: Self.timeouts)])
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"prompt"}"#)
        scenario.client(1, #"{"id":2,"op":"prompt"}"#)
        scenario.client(1, #"{"id":3,"op":"cancel","target":1}"#)
        #expect(scenario.pass(.milliseconds(499)) == [])
        let actions = scenario.pass(.milliseconds(1))
        #expect(actions[1] == #"client 1: {"id":1,"event":"error","error":\#(Self.cancelled),"request":"r1"}"#)
        #expect(actions[2] == "pause slot 1.0")
        #expect(actions[3] == "start worker 4 of echo, 2 slots", "\(actions)")
        #expect(!actions.contains("kill worker 1"))
        // New work goes to the new process only.
        scenario.client(1, #"{"id":4,"op":"prompt"}"#)
        #expect(scenario.workerSaysHello(4).first?.hasPrefix("slot 4.0:") == true)
        // What the hung slot says after all is nobody's.
        #expect(scenario.slot(1, 0, .done(SlotCompletion())) == [])
        #expect(scenario.slot(1, 1, .text("fine")) == [#"client 1: {"id":2,"event":"text","text":"fine"}"#])
        let end = scenario.slot(1, 1, .done(SlotCompletion()))
        #expect(end.last == "kill worker 1", "\(end)")
        #expect(scenario.post(.workerExited(WorkerID(1), .signalled(9))) == [])
        #expect(scenario.core.footprint.workers == 1)
    }
}
