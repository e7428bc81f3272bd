import Messages
import Testing

@testable import SupervisorCore

/// Requests whose purpose says that they go on when their client goes away.
@Suite struct FinishTests {
    private static let policy = PolicySettings(purposes: [PurposeSettings(name: "work", finishes: true)])

    private static func ready(
        durability: ServiceConfiguration.Durability = .commit, slots: Int = 2, storesPrompts: Bool = true,
        bounds: SupervisorBounds = SupervisorBounds(), timeouts: ProviderSettings.Timeouts = .init(), retries: Int = 0
    ) -> Scenario {
        var scenario = Scenario.ready(
            durability: durability, storesPrompts: storesPrompts,
            providers: [.echo(slots: slots, timeouts: timeouts, retries: retries)],
            policy: Self.policy, bounds: bounds)
        scenario.connect(1)
        return scenario
    }

    private static let closed = Event.clientClosed(ConnectionID(1))

    @Test func theAnswerIsOnRecordWholeThoughNobodyReadsIt() {
        var scenario = Self.ready()
        scenario.promptRuns(1, 1, #","purpose":"work""#)
        scenario.slot(1, 0, .text("half "))
        #expect(scenario.post(Self.closed) == [])
        #expect(scenario.core.footprint.finishing == 1)
        #expect(scenario.slot(1, 0, .text("and half")) == [])
        let actions = scenario.slot(1, 0, .done(SlotCompletion(usage: Usage(input: 1, output: 2))))
        #expect(actions.count == 1 && actions[0].contains(#""state":"done""#), "\(actions)")
        #expect(actions[0].contains("half and half") && actions[0].contains(#""usage":{"input":1,"output":2}"#))
        #expect(scenario.commit() == [])
        let footprint = scenario.core.footprint
        #expect(footprint.requests == 0 && footprint.finishing == 0 && footprint.memory == 0)
        #expect(scenario.core.counters.done == 1 && scenario.core.counters.cancelled == 0)
    }

    @Test func aRequestWithoutThePurposeIsCancelledAsEver() {
        var scenario = Self.ready()
        scenario.promptRuns(1, 1)
        #expect(scenario.post(Self.closed) == [#"slot 1.0: {"op":"cancel","request":"r1"}"#])
        #expect(scenario.core.footprint.finishing == 0)
    }

    @Test func whatWaitsForItsRowOrASlotGoesOnToo() {
        var scenario = Self.ready(slots: 1)
        scenario.promptRuns(1, 1, #","purpose":"work""#)
        scenario.promptRuns(1, 2, #","purpose":"work","stream":false"#)
        scenario.client(1, #"{"id":3,"op":"prompt","purpose":"work"}"#)
        #expect(scenario.post(Self.closed) == [])
        #expect(scenario.core.footprint.finishing == 3)
        scenario.commit()
        let next = scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(next.count == 2 && next[1].contains(#""op":"prompt""#) && next[1].contains("r2"), "\(next)")
        let whole = scenario.slot(1, 0, .done(SlotCompletion(answer: .init(text: "all of it"))))
        #expect(whole[0].contains("all of it"), "\(whole)")
        scenario.slot(1, 0, .error(Failure(.providerError, "no"), usage: nil))
        scenario.commit()
        #expect(scenario.core.footprint.requests == 0 && scenario.core.footprint.finishing == 0)
        #expect(scenario.core.counters.done == 2 && scenario.core.counters.error == 1)
    }

    @Test func itsSlotIsReadOnThoughItsClientHadStoppedReading() {
        var scenario = Self.ready(timeouts: .init(idle: 1_000))
        scenario.promptRuns(1, 1, #","purpose":"work""#)
        scenario.slot(1, 0, .text("a"))
        #expect(
            scenario.post(.clientBacklog(ConnectionID(1), bytes: 200 << 10, tookSome: false)) == ["pause slot 1.0"])
        #expect(scenario.post(Self.closed) == ["resume slot 1.0"])
        // Its silence counts again.
        #expect(scenario.pass(.seconds(1)) == [#"slot 1.0: {"op":"cancel","request":"r1"}"#])
        let end = scenario.slot(1, 0, .error(Failure(.cancelled, "as told"), usage: nil))
        #expect(end[0].contains(#""code":"timeout""#), "\(end)")
        #expect(scenario.core.footprint.finishing == 0)
    }

    @Test func itIsTriedAgainAsEver() {
        var scenario = Self.ready(retries: 1)
        scenario.promptRuns(1, 1, #","purpose":"work""#)
        scenario.post(Self.closed)
        scenario.slot(1, 0, .error(Failure(.providerError, "no", retryAfterMilliseconds: 500), usage: nil))
        #expect(scenario.core.footprint.waiting == 1 && scenario.core.footprint.finishing == 1)
        #expect(scenario.pass(.seconds(1)).contains { $0.hasPrefix("slot 1.0:") && $0.contains(#""op":"prompt""#) })
        scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(scenario.core.counters.done == 1 && scenario.core.footprint.finishing == 0)
    }

    @Test func whatIsBeingCutShortEndsAsItWould() {
        var scenario = Self.ready()
        scenario.promptRuns(1, 1, #","purpose":"work""#)
        scenario.client(1, #"{"id":2,"op":"cancel","target":1}"#)
        #expect(scenario.post(Self.closed) == [])
        #expect(scenario.core.footprint.finishing == 0)
        scenario.slot(1, 0, .error(Failure(.cancelled, "as told"), usage: nil))
        #expect(scenario.core.footprint.requests == 0 && scenario.core.counters.cancelled == 1)
    }

    @Test func pastTheBoundTheyAreCancelled() {
        var bounds = SupervisorBounds()
        bounds.finishingPerUser = 1
        var scenario = Self.ready(bounds: bounds)
        scenario.promptRuns(1, 1, #","purpose":"work""#)
        scenario.promptRuns(1, 2, #","purpose":"work""#)
        #expect(scenario.post(Self.closed) == [#"slot 1.1: {"op":"cancel","request":"r2"}"#])
        #expect(scenario.core.footprint.finishing == 1)
    }

    @Test func nobodyElseCanReachIt() {
        var scenario = Self.ready()
        scenario.promptRuns(1, 1, #","purpose":"work""#)
        scenario.post(Self.closed)
        scenario.connect(2)
        #expect(scenario.client(2, #"{"id":2,"op":"cancel","target":1}"#)[0].contains("not_found"))
        let status = scenario.client(2, #"{"id":3,"op":"status"}"#)
        #expect(status[0].contains(#""finishing":1"#), "\(status)")
    }

    @Test func aChainFinishesItsRoundAndEnds() {
        var scenario = Self.ready()
        scenario.client(
            1, #"{"id":1,"op":"chain","prompt":"hi","purpose":"work","tools":[{"name":"t","input_schema":{}}]}"#)
        scenario.commit()
        #expect(scenario.post(Self.closed) == [])
        #expect(scenario.slot(1, 0, .toolCall(ToolCall(id: "c", name: "t", arguments: Array("{}".utf8)))) == [])
        let actions = scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(actions.count == 1 && actions[0].contains(#""state":"done""#), "\(actions)")
        scenario.commit()
        let footprint = scenario.core.footprint
        #expect(footprint.chains == 0 && footprint.requests == 0 && footprint.memory == 0)
    }

    @Test func aChainThatWaitsForItsToolsEndsAtOnce() {
        var scenario = Self.ready()
        scenario.client(
            1, #"{"id":1,"op":"chain","prompt":"hi","purpose":"work","tools":[{"name":"t","input_schema":{}}]}"#)
        scenario.commit()
        scenario.slot(1, 0, .toolCall(ToolCall(id: "c", name: "t", arguments: Array("{}".utf8))))
        scenario.slot(1, 0, .done(SlotCompletion()))
        scenario.commit()
        scenario.post(Self.closed)
        #expect(scenario.core.footprint.chains == 0 && scenario.core.footprint.finishing == 0)
    }

    @Test func aGroupWaitsForWhatGoesOnWithoutItsClient() {
        var scenario = Self.ready()
        scenario.client(1, #"{"id":1,"op":"group_begin","purpose":"work"}"#)
        let group = scenario.core.groups.keys.first!.description
        scenario.promptRuns(1, 2, #","group":"\#(group)""#)
        scenario.post(Self.closed)
        #expect(scenario.core.footprint.groups == 1 && scenario.core.footprint.finishing == 1)
        scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(scenario.core.footprint.groups == 0 && scenario.core.footprint.groupMembers == 0)
    }

    @Test func aDrainWaitsForIt() {
        var scenario = Self.ready(durability: .relaxed)
        scenario.client(1, #"{"id":1,"op":"prompt","purpose":"work"}"#)
        scenario.post(Self.closed)
        #expect(!scenario.post(.drain).contains { $0.hasPrefix("close worker") })
        let actions = scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(actions.contains("close worker 1"), "\(actions)")
        #expect(scenario.core.counters.done == 1)
    }

    @Test func aDrainThatHasNoMoreTimeCutsItShort() {
        var scenario = Self.ready()
        scenario.promptRuns(1, 1, #","purpose":"work""#)
        scenario.post(Self.closed)
        scenario.post(.drain)
        #expect(scenario.post(.drain) == [#"slot 1.0: {"op":"cancel","request":"r1"}"#])
        let end = scenario.slot(1, 0, .error(Failure(.cancelled, "as told"), usage: nil))
        #expect(end[0].contains("shutting_down"), "\(end)")
    }
}
