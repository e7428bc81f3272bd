import Messages
import Testing

@testable import SupervisorCore

/// The life of a prompt, action by action.
@Suite struct PromptTests {
    @Test func underCommitARequestRunsWhenItsRowIsOnDiskAndEndsWhenItsEndIs() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        #expect(
            scenario.client(1, #"{"id":"a","op":"prompt","prompt":"hi","system":"be brief","options":{"n":1.0}}"#) == [
                #"logger: {"op":"open","sequence":1,"request":"r1","at_ms":1000,"uid":1000,"gid":100,"pid":42,"provider":"echo","model":"echo","stream":true}"#
            ])
        #expect(
            scenario.commit() == [
                #"slot 1.0: {"op":"prompt","request":"r1","model":"echo","stream":true,"prompt":"hi","system":"be brief","options":{"n":1.0}}"#,
                #"client 1: {"id":"a","event":"start","request":"r1","model":"echo","provider":"echo"}"#,
            ])
        scenario.pass(.milliseconds(5))
        #expect(scenario.slot(1, 0, .text("ho")) == [#"client 1: {"id":"a","event":"text","text":"ho"}"#])
        #expect(
            scenario.slot(1, 0, .done(SlotCompletion(usage: Usage(input: 1, output: 2), finishReason: "stop"))) == [
                #"logger: {"op":"end","sequence":2,"request":"r1","at_ms":1005,"state":"done","duration_ms":5,"usage":{"input":1,"output":2},"finish_reason":"stop"}"#
            ])
        #expect(
            scenario.commit() == [
                #"client 1: {"id":"a","event":"done","usage":{"input":1,"output":2},"finish_reason":"stop","request":"r1","model":"echo","provider":"echo","duration_ms":5}"#
            ])
        #expect(scenario.core.footprint.requests == 0)
        #expect(scenario.core.footprint.logReserved == 0)
    }

    @Test func underRelaxedNothingWaitsForTheLogger() {
        var scenario = Scenario.ready(durability: .relaxed)
        scenario.connect(1)
        #expect(
            scenario.client(1, #"{"id":1,"op":"prompt","stream":false}"#) == [
                #"logger: {"op":"open","sequence":1,"request":"r1","at_ms":1000,"uid":1000,"gid":100,"pid":42,"provider":"echo","model":"echo","stream":false}"#,
                #"slot 1.0: {"op":"prompt","request":"r1","model":"echo","stream":false}"#,
            ])
        #expect(
            scenario.slot(1, 0, .done(SlotCompletion(answer: .init(text: "ho")))) == [
                #"logger: {"op":"end","sequence":2,"request":"r1","at_ms":1000,"state":"done","duration_ms":0}"#,
                #"client 1: {"id":1,"event":"done","text":"ho","request":"r1","model":"echo","provider":"echo","duration_ms":0}"#,
            ])
    }

    @Test func anErrorOfTheSlotIsTheClientsAndTheRows() {
        var scenario = Scenario.ready(durability: .relaxed)
        scenario.connect(1)
        scenario.promptRuns(1, 1)
        let failure = Failure(.providerRateLimited, "429", retryAfterMilliseconds: 2_000, providerRequestID: "x")
        let error =
            #"{"code":"provider_rate_limited","message":"429","retryable":true,"retry_after_ms":2000,"provider_request_id":"x"}"#
        #expect(
            scenario.slot(1, 0, .error(failure, usage: Usage(input: 3, output: 0))) == [
                #"logger: {"op":"end","sequence":2,"request":"r1","at_ms":1000,"state":"error","duration_ms":0,"usage":{"input":3,"output":0},"provider_request_id":"x","error":\#(error)}"#,
                #"client 1: {"id":1,"event":"error","error":\#(error),"request":"r1","usage":{"input":3,"output":0}}"#,
            ])
    }

    @Test func requestsBeyondTheSlotsWaitInTheirOrder() {
        var scenario = Scenario.ready(providers: [.echo(slots: 1)])
        scenario.connect(1)
        for id in 1...3 { scenario.promptRuns(1, id) }
        #expect(scenario.core.providers[0].queue.count == 2)
        let actions = scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(actions.contains { $0.contains(#""id":2,"event":"start""#) }, "\(actions)")
        #expect(scenario.core.providers[0].queue.count == 1)
    }

    @Test func requestsWaitForAWorkerThatIsNotReady() {
        var scenario = Scenario()
        scenario.post(.start)
        scenario.loggerIsReady()
        scenario.connect(1)
        #expect(scenario.promptRuns(1, 1).count == 1)
        let actions = scenario.workerSaysHello(1)
        #expect(actions.first?.hasPrefix(#"slot 1.0: {"op":"prompt""#) == true)
    }

    @Test func anIdMayBeUsedAgainWhenItsRequestHasEnded() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        scenario.promptRuns(1, 1)
        scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(scenario.core.connections[ConnectionID(1)]?.requests.count == 1)
        scenario.commit()
        #expect(scenario.promptRuns(1, 1).count == 3)
    }

    @Test func theKeyGoesToTheModelThatNeedsItAndNowhereElse() {
        var provider = ProviderSettings.echo(slots: 4)
        provider.models.append(ModelDescription(id: "locked", needsKey: true))
        provider.key = "s3cret"
        var scenario = Scenario(providers: [provider])
        var actions = scenario.post(.start)
        scenario.loggerIsReady()
        actions += scenario.workerSaysHello(1, provider)
        scenario.connect(1)
        actions += scenario.promptRuns(1, 1)
        #expect(!actions.joined().contains("s3cret"))
        let dispatch = scenario.promptRuns(1, 2, #","model":"locked""#)
        #expect(dispatch.filter { $0.contains("s3cret") }.count == 1)
        #expect(dispatch.first { $0.contains("s3cret") }?.hasPrefix("slot 1.1:") == true)
        #expect(!scenario.client(1, #"{"id":3,"op":"status"}"#).joined().contains("s3cret"))
        #expect(!scenario.entries.contains { "\($0)".contains("s3cret") })
    }

    @Test func aModelIsFoundByItsAliasAndOnRecordByItsId() {
        var provider = ProviderSettings.echo()
        provider.models = [ModelDescription(id: "echo", aliases: ["mirror"])]
        var scenario = Scenario.ready(providers: [provider])
        scenario.connect(1)
        let actions = scenario.promptRuns(1, 1, #","model":"mirror""#)
        #expect(actions.count == 3 && actions.allSatisfy { $0.contains(#""model":"echo""#) }, "\(actions)")
    }

    @Test(arguments: [
        (#","model":"ecko""#, "unknown_model", "did you mean 'echo'?"),
        (
            #","model":"locked""#, "no_key",
            "set LOCKED_KEY (bulkhead secrets set LOCKED_KEY, or the daemon's environment)"
        ),
    ])
    func aPromptThatCannotBeServedIsRefusedAtTheDoor(members: String, code: String, hint: String) {
        var provider = ProviderSettings.echo()
        provider.models.append(ModelDescription(id: "locked", needsKey: true))
        provider.keyName = "LOCKED_KEY"
        var scenario = Scenario.ready(providers: [provider])
        scenario.connect(1)
        let actions = scenario.client(1, #"{"id":1,"op":"prompt"\#(members)}"#)
        #expect(actions.count == 1)
        #expect(actions[0].hasPrefix(#"client 1: {"id":1,"event":"error","error":{"code":"\#(code)""#), "\(actions)")
        #expect(actions[0].contains(hint), "\(actions)")
        #expect(!actions[0].contains(#""request":"#))
        let footprint = scenario.core.footprint
        #expect((footprint.requests, footprint.memory, footprint.logReserved) == (0, 0, 0))
    }

    @Test func aConnectionHasAsManyOpenRequestsAsItMay() {
        var bounds = SupervisorBounds()
        bounds.requestsPerConnection = 2
        var scenario = Scenario.ready(bounds: bounds)
        scenario.connect(1)
        scenario.connect(2)
        for id in 1...2 { scenario.promptRuns(1, id) }
        #expect(scenario.promptRuns(1, 3)[0].contains("too_many_requests"))
        #expect(scenario.client(1, #"{"id":3,"op":"ping"}"#) == [#"client 1: {"id":3,"event":"done"}"#])
        #expect(!scenario.promptRuns(2, 1).joined().contains("too_many_requests"))
    }

    @Test func aQueueHasAsManyRequestsAsItMay() {
        var bounds = SupervisorBounds()
        bounds.queuedRequestsPerProvider = 2
        var scenario = Scenario.ready(providers: [.echo(slots: 1), .echo("other", slots: 1)], bounds: bounds)
        scenario.connect(1)
        for id in 1...3 { scenario.promptRuns(1, id) }
        #expect(scenario.promptRuns(1, 4)[0].contains(#""code":"overloaded""#))
        #expect(scenario.promptRuns(1, 5, #","model":"other""#).count == 3)
        scenario.client(1, #"{"id":6,"op":"cancel","target":2}"#)
        #expect(!scenario.promptRuns(1, 7).joined().contains("overloaded"))
    }

    @Test func requestsThatWaitForTheirRowsHaveTheirPlacesInTheQueueAlready() {
        var bounds = SupervisorBounds()
        bounds.queuedRequestsPerProvider = 2
        var scenario = Scenario.ready(providers: [.echo(slots: 1)], bounds: bounds)
        scenario.connect(1)
        for id in 1...2 { scenario.client(1, #"{"id":\#(id),"op":"prompt"}"#) }
        #expect(scenario.client(1, #"{"id":3,"op":"prompt"}"#)[0].contains(#""code":"overloaded""#))
        scenario.client(1, #"{"id":4,"op":"cancel","target":2}"#)
        #expect(scenario.client(1, #"{"id":5,"op":"prompt"}"#)[0].contains(#""op":"open""#))
        scenario.commit()
        #expect(scenario.core.providers[0].recording == 0)
        #expect(scenario.core.providers[0].queue.count == 1)
    }
}
