import Messages
import Testing

@testable import SupervisorCore

/// Deadlines of requests. What stands still while a slot is not read is in FlowTests.
@Suite struct TimeoutTests {
    private static let timeouts = ProviderSettings.Timeouts(firstOutput: 2_000, idle: 1_000, total: 10_000, cancel: 500)

    private static func running(_ members: String = "") -> Scenario {
        var scenario = Scenario.ready(durability: .relaxed, providers: [.echo(slots: 1, timeouts: Self.timeouts)])
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"prompt"\#(members)}"#)
        return scenario
    }

    /// What the client is told when the slot lets go.
    private static func reason(_ scenario: inout Scenario) -> String {
        scenario.slot(1, 0, .error(Failure(.cancelled, "as told"), usage: nil)).last ?? ""
    }

    @Test func aModelThatSaysNothingIsGivenUp() {
        var scenario = Self.running()
        #expect(scenario.pass(.milliseconds(1_999)) == [])
        #expect(scenario.pass(.milliseconds(1)) == [#"slot 1.0: {"op":"cancel","request":"r1"}"#])
        #expect(
            Self.reason(&scenario).contains("the model said nothing: the provider's first_output timeout has passed"))
        #expect(scenario.core.counters.error == 1)
    }

    @Test func aModelThatFallsSilentIsGivenUp() {
        var scenario = Self.running()
        for _ in 0..<5 {
            #expect(scenario.pass(.milliseconds(999)) == [])
            scenario.slot(1, 0, .text("."))
        }
        #expect(scenario.pass(.milliseconds(1_000)) == [#"slot 1.0: {"op":"cancel","request":"r1"}"#])
        #expect(Self.reason(&scenario).contains("the model fell silent: the provider's idle timeout has passed"))
    }

    @Test func aModelThatNeverEndsIsGivenUp() {
        var scenario = Self.running()
        for _ in 0..<19 {
            #expect(scenario.pass(.milliseconds(500)) == [])
            scenario.slot(1, 0, .text("."))
        }
        #expect(scenario.pass(.milliseconds(500)) == [#"slot 1.0: {"op":"cancel","request":"r1"}"#])
        #expect(Self.reason(&scenario).contains("the provider's total timeout of 10000 ms has passed"))
    }

    @Test func theClientsOwnTimeoutCountsWhereItIsShorter() {
        var scenario = Self.running(#","timeout_ms":700"#)
        #expect(scenario.pass(.milliseconds(699)) == [])
        #expect(scenario.pass(.milliseconds(1)).count == 1)
        #expect(Self.reason(&scenario).contains("timeout_ms, 700 ms, has passed"))

        var patient = Self.running(#","timeout_ms":86400000"#)
        #expect(patient.pass(.milliseconds(2_000)).count == 1)
    }

    @Test func timeSpentInTheQueueCounts() {
        var scenario = Self.running()
        scenario.slot(1, 0, .text("."))
        let actions = scenario.client(1, #"{"id":2,"op":"prompt","timeout_ms":300}"#)
        #expect(actions.count == 1)
        let end = scenario.pass(.milliseconds(300))
        #expect(end.count == 2)
        #expect(end.last?.contains(#"{"id":2,"event":"error","error":{"code":"timeout""#) == true)
        #expect(scenario.core.providers[0].queue.count == 0)
    }

    @Test func theDeadlinesOfARequestStandStillWhileItsLastFrameWaitsForTheLogger() {
        var scenario = Scenario.ready(providers: [.echo(slots: 1, timeouts: Self.timeouts)])
        scenario.connect(1)
        scenario.promptRuns(1, 1)
        scenario.post(.loggerExited(.signalled(9)))
        scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(scenario.core.footprint.requests == 1)
        #expect(scenario.pass(.milliseconds(100)).first == "start logger, commit")
        scenario.loggerIsReady(acknowledged: 1)
        #expect(!scenario.pass(.seconds(50)).joined().contains("timeout"))
        let actions = scenario.commit()
        #expect(actions.first?.contains(#""event":"done""#) == true, "\(actions)")
    }

    @Test func noDeadlineIsLeftWhenARequestHasEnded() {
        var scenario = Self.running()
        let before = scenario.core.footprint.deadlines
        scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(scenario.core.footprint.deadlines == before - 1)
    }
}
