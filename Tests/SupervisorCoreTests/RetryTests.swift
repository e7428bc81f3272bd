import Messages
import Testing

@testable import SupervisorCore

/// Requests whose slots fail before they have said anything.
@Suite struct RetryTests {
    private static let slow = Failure(.providerRateLimited, "429: slow down", retryAfterMilliseconds: 1_000)
    private static let broken = Failure(.providerError, "503: overloaded")
    private static let usage = Usage(input: 3, output: 0)

    /// One slot of `echo`, and one of `other`, which answers in its place. A prompt runs on the former.
    private static func running(
        _ members: String = "", durability: ServiceConfiguration.Durability = .relaxed, retries: Int = 1,
        otherRetries: Int = 0, fallbacks: [String: [String]] = ["echo": ["other"]],
        bounds: SupervisorBounds = SupervisorBounds(),
        timeouts: ProviderSettings.Timeouts = ProviderSettings.Timeouts()
    ) -> Scenario {
        var other = ProviderSettings.echo("other", slots: 1, retries: otherRetries)
        other.models.append(ModelDescription(id: "closed", needsKey: true))
        var scenario = Scenario.ready(
            durability: durability,
            providers: [.echo(slots: 1, timeouts: timeouts, retries: retries), other],
            fallbacks: fallbacks, bounds: bounds)
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"prompt","prompt":"hi"\#(members)}"#)
        return scenario
    }

    private static func told(_ lines: [String], _ peer: String) -> [String] {
        lines.filter { $0.hasPrefix("\(peer):") }.map { String($0.dropFirst(peer.count + 2)) }
    }

    @Test func aRequestIsTriedAgainWhenTheProviderSaidAndNotBefore() {
        var scenario = Self.running()
        let failed = scenario.slot(1, 0, .error(Self.slow, usage: Self.usage))
        #expect(Self.told(failed, "client 1") == [])
        #expect(
            Self.told(failed, "logger") == [
                #"{"op":"attempt","sequence":2,"request":"r1","number":1,"provider":"echo","model":"echo","at_ms":1000,"duration_ms":0,"usage":{"input":3,"output":0},"error":{"code":"provider_rate_limited","message":"429: slow down","retryable":true,"retry_after_ms":1000}}"#
            ])
        #expect(scenario.core.providers[0].retrying == 1)
        #expect(scenario.pass(.milliseconds(999)) == [])
        #expect(
            scenario.pass(.milliseconds(101)) == [
                #"slot 1.0: {"op":"prompt","request":"r1","model":"echo","stream":true,"prompt":"hi"}"#
            ])
        scenario.slot(1, 0, .text("hello"))
        let done = scenario.slot(1, 0, .done(SlotCompletion(usage: Usage(input: 3, output: 4))))
        #expect(Self.told(done, "client 1").first?.contains(#""attempts":2"#) == true)
        let attempt = Self.told(done, "logger").first ?? ""
        #expect(attempt.contains(#""op":"attempt","sequence":3,"request":"r1","number":2,"provider":"echo""#))
        #expect(attempt.contains(#""usage":{"input":3,"output":4}"#) && !attempt.contains("error"))
        #expect(scenario.core.counters.retries == 1 && scenario.core.counters.done == 1)
        #expect(scenario.core.footprint.memory == 0)
    }

    @Test func theSlotIsFreeForOthersMeanwhile() {
        var scenario = Self.running()
        scenario.client(1, #"{"id":2,"op":"prompt","prompt":"next"}"#)
        let failed = scenario.slot(1, 0, .error(Self.slow, usage: nil))
        #expect(
            Self.told(failed, "slot 1.0") == [
                #"{"op":"prompt","request":"r2","model":"echo","stream":true,"prompt":"next"}"#
            ])
        // It stands behind those that are there when it comes back.
        scenario.client(1, #"{"id":3,"op":"prompt","prompt":"last"}"#)
        scenario.pass(.seconds(2))
        #expect(scenario.slot(1, 0, .done(SlotCompletion())).contains { $0.contains(#""prompt":"last""#) })
        #expect(scenario.slot(1, 0, .done(SlotCompletion())).contains { $0.contains(#""request":"r1""#) })
    }

    @Test func anotherModelAnswersWhenTheRetriesAreUsedUp() {
        var scenario = Self.running()
        scenario.slot(1, 0, .error(Self.broken, usage: nil))
        scenario.pass(.milliseconds(500))
        let failed = scenario.slot(1, 0, .error(Self.broken, usage: nil))
        #expect(
            failed.filter { !$0.hasPrefix("logger") } == [
                #"slot 2.0: {"op":"prompt","request":"r1","model":"other","stream":true,"prompt":"hi"}"#,
                #"client 1: {"id":1,"event":"start","request":"r1","model":"other","provider":"other","attempt":3}"#,
            ])
        let done = scenario.slot(2, 0, .done(SlotCompletion()))
        #expect(
            Self.told(done, "client 1") == [
                #"{"id":1,"event":"done","request":"r1","model":"other","provider":"other","duration_ms":500,"attempts":3}"#
            ])
        #expect(scenario.core.counters.fallbacks == 1 && scenario.core.counters.retries == 1)
        #expect(scenario.core.footprint.memory == 0)
    }

    @Test func theLastErrorIsToldWithWhatWasTried() {
        var scenario = Self.running(retries: 0)
        scenario.slot(1, 0, .error(Self.broken, usage: nil))
        let failed = scenario.slot(2, 0, .error(Self.slow, usage: Self.usage))
        #expect(
            Self.told(failed, "client 1") == [
                #"{"id":1,"event":"error","error":{"code":"provider_rate_limited","message":"429: slow down (2 attempts: 1 of 'echo', 1 of 'other')","retryable":true,"retry_after_ms":1000},"request":"r1","usage":{"input":3,"output":0},"attempts":2}"#
            ])
        let records = Self.told(failed, "logger")
        #expect(records.count == 2)
        #expect(
            records[0].contains(#""number":2,"provider":"other""#)
                && records[0].contains(#""message":"429: slow down","#))
        #expect(records[1].contains(#""op":"end""#) && records[1].contains("2 attempts"))
    }

    @Test func nothingIsTriedAgainAfterOutput() {
        var scenario = Self.running(retries: 5)
        scenario.slot(1, 0, .text("h"))
        let failed = scenario.slot(1, 0, .error(Self.broken, usage: nil))
        #expect(Self.told(failed, "client 1").first?.contains("provider_error") == true)
        #expect(!failed.contains { $0.contains("attempt") })
        #expect(scenario.core.footprint.memory == 0)
    }

    @Test func aRequestThatIsNotStreamedIsTriedAgainToo() {
        var scenario = Self.running(#","stream":false"#, retries: 0)
        let failed = scenario.slot(1, 0, .error(Self.broken, usage: nil))
        #expect(Self.told(failed, "slot 2.0").count == 1 && Self.told(failed, "client 1") == [])
        let answer = SlotCompletion(answer: .init(text: "hello"))
        let done = scenario.slot(2, 0, .done(answer))
        #expect(Self.told(done, "client 1").first?.contains(#""text":"hello","request":"r1","model":"other""#) == true)
    }

    @Test func theDeathOfAWorkerIsNotTriedAgain() {
        var scenario = Self.running(retries: 5)
        let died = scenario.post(.workerExited(WorkerID(1), .signalled(9)))
        #expect(Self.told(died, "client 1").first?.contains("worker_crashed") == true)
    }

    @Test func aTimeoutIsNotTriedAgain() {
        var scenario = Self.running(timeouts: .init(firstOutput: 1_000))
        scenario.pass(.seconds(1))
        let failed = scenario.slot(1, 0, .error(Self.broken, usage: nil))
        #expect(Self.told(failed, "client 1").first?.contains(#""code":"timeout""#) == true)
    }

    @Test func eachAttemptHasItsTimeForTheFirstOutput() {
        var scenario = Self.running(timeouts: .init(firstOutput: 2_000, total: 10_000))
        scenario.pass(.milliseconds(1_900))
        scenario.slot(1, 0, .error(Self.broken, usage: nil))
        scenario.pass(.milliseconds(500))
        #expect(scenario.pass(.milliseconds(1_400)) == [])
        #expect(scenario.pass(.milliseconds(600)) == [#"slot 1.0: {"op":"cancel","request":"r1"}"#])
    }

    @Test func theWholeHasOneTimeout() {
        var scenario = Self.running(#","timeout_ms":1500"#, retries: 5)
        scenario.slot(1, 0, .error(Self.broken, usage: nil))
        scenario.pass(.milliseconds(500))
        scenario.pass(.milliseconds(900))
        // The next attempt would come too late, for whatever the wait is.
        scenario.slot(1, 0, .error(Self.broken, usage: nil))
        #expect(scenario.core.requests.values.first?.model == "other")
        #expect(scenario.pass(.milliseconds(100)) == [#"slot 2.0: {"op":"cancel","request":"r1"}"#])
    }

    @Test func aRequestThatWaitsForItsNextAttemptCanBeCancelled() {
        var scenario = Self.running()
        scenario.slot(1, 0, .error(Self.slow, usage: nil))
        let cancelled = scenario.client(1, #"{"id":2,"op":"cancel","target":1}"#)
        #expect(
            Self.told(cancelled, "client 1") == [
                #"{"id":2,"event":"done"}"#,
                #"{"id":1,"event":"error","error":{"code":"cancelled","message":"the client cancelled the request","retryable":false},"request":"r1"}"#,
            ])
        #expect(scenario.core.providers[0].retrying == 0 && scenario.core.footprint.memory == 0)
        #expect(scenario.pass(.seconds(3)) == [])
    }

    @Test func itsClientMayLeaveAndTheDaemonMayStop() {
        var left = Self.running()
        left.slot(1, 0, .error(Self.slow, usage: nil))
        #expect(left.post(.clientClosed(ConnectionID(1))).contains { $0.contains(#""state":"cancelled""#) })
        #expect(left.core.footprint.requests == 0 && left.core.footprint.memory == 0)

        var stopped = Self.running()
        stopped.slot(1, 0, .error(Self.slow, usage: nil))
        stopped.post(.drain)
        #expect(stopped.post(.drain).contains { $0.contains("shutting_down") })
        #expect(stopped.core.footprint.memory == 0)
    }

    @Test func aDrainLetsItComeToItsEnd() {
        var scenario = Self.running()
        scenario.slot(1, 0, .error(Self.slow, usage: nil))
        scenario.post(.drain)
        #expect(scenario.pass(.seconds(2)).contains { $0.hasPrefix("slot 1.0") })
    }

    @Test func aParkedProviderIsPassedOver() {
        var scenario = Self.running()
        scenario.slot(1, 0, .error(Self.slow, usage: nil))
        scenario.post(.workerExited(WorkerID(1), .exited(code: 78)))
        // When it comes back its provider is parked.
        let handedOn = scenario.pass(.seconds(2))
        #expect(Self.told(handedOn, "slot 2.0").count == 1)
        #expect(
            Self.told(handedOn, "logger").first?.contains(
                #""number":2,"provider":"echo","model":"echo","at_ms":"#) == true)
        scenario.slot(2, 0, .done(SlotCompletion()))
        // The next one begins with the other model at once.
        let next = scenario.client(1, #"{"id":2,"op":"prompt","prompt":"hi"}"#)
        #expect(Self.told(next, "logger").first?.contains(#""provider":"echo","model":"echo""#) == true)
        #expect(
            Self.told(next, "client 1") == [
                #"{"id":2,"event":"start","request":"r2","model":"other","provider":"other","attempt":2}"#
            ])
    }

    @Test func thoseInTheQueueOfAProviderThatIsParkedGoToTheNextModel() {
        var scenario = Self.running(retries: 0)
        scenario.client(1, #"{"id":2,"op":"prompt","prompt":"waits"}"#)
        let parked = scenario.post(.workerExited(WorkerID(1), .exited(code: 78)))
        #expect(Self.told(parked, "client 1").contains { $0.contains("worker_crashed") })
        #expect(Self.told(parked, "slot 2.0").first?.contains(#""request":"r2","model":"other""#) == true)
    }

    @Test func aModelWithoutItsKeyIsNoFallback() {
        var scenario = Self.running(retries: 0, fallbacks: ["echo": ["closed"], "closed": ["echo"]])
        let failed = scenario.slot(1, 0, .error(Self.broken, usage: nil))
        #expect(Self.told(failed, "client 1").first?.contains(#""message":"503: overloaded","#) == true)
        // One that is asked for itself is passed over.
        let handedOn = scenario.client(1, #"{"id":2,"op":"prompt","model":"closed"}"#)
        #expect(Self.told(handedOn, "slot 1.0").count == 1)
        #expect(Self.told(handedOn, "logger")[1].contains(#""number":1,"provider":"other","model":"closed""#))
        #expect(Self.told(handedOn, "logger")[1].contains("no_key"))
    }

    @Test func whereNoneCanBeAskedTheFirstSaysWhy() {
        var scenario = Self.running()
        for worker in [1, 2] as [UInt64] { scenario.post(.workerExited(WorkerID(worker), .exited(code: 78))) }
        let refused = scenario.client(1, #"{"id":2,"op":"prompt"}"#)
        #expect(Self.told(refused, "client 1").first?.contains("the workers of provider 'echo' keep dying") == true)
        #expect(Self.told(refused, "logger") == [])
    }

    @Test func theRowIsOnDiskBeforeTheFirstAttemptOnly() {
        var scenario = Self.running(durability: .commit)
        scenario.commit()
        scenario.slot(1, 0, .error(Self.slow, usage: nil))
        // Nobody waits for the record of the attempt.
        #expect(scenario.pass(.seconds(2)).contains { $0.hasPrefix("slot 1.0") })
        #expect(Self.told(scenario.slot(1, 0, .done(SlotCompletion())), "client 1") == [])
        #expect(Self.told(scenario.commit(), "client 1").first?.contains(#""attempts":2"#) == true)
    }

    @Test func whereThereIsNoRoomARequestIsTriedOnce() {
        var bounds = SupervisorBounds()
        bounds.retryMemory = 100
        var scenario = Self.running(#","system":"a prompt that is longer than there is room for""#, bounds: bounds)
        #expect(scenario.core.footprint.kept == 0)
        let failed = scenario.slot(1, 0, .error(Self.broken, usage: nil))
        #expect(Self.told(failed, "client 1").first?.contains("provider_error") == true)
    }

    @Test func aLargeFrameIsHeldUntilItHasLeftAndKeptUntilOutput() {
        var bounds = SupervisorBounds()
        bounds.smallFrame = 50
        var scenario = Self.running(retries: 0, bounds: bounds)
        let frame = scenario.core.footprint.kept
        #expect(frame > 50)
        #expect(scenario.core.memory.used == frame)
        scenario.post(.slotWritten(SlotID(worker: WorkerID(1), index: 0)))
        #expect(scenario.core.memory.used == 0 && scenario.core.footprint.kept == frame)
        scenario.slot(1, 0, .error(Self.broken, usage: nil))
        // The last attempt keeps nothing but what is on its way.
        #expect(scenario.core.footprint.memory == frame + 1)
        scenario.post(.slotWritten(SlotID(worker: WorkerID(2), index: 0)))
        #expect(scenario.core.footprint.memory == 0)
    }

    @Test func aRequestThatCannotBeTriedAgainKeepsNothing() {
        let scenario = Self.running(retries: 0, fallbacks: [:])
        #expect(scenario.core.footprint.memory == 0)
    }

    @Test func statusCountsWhatIsTriedAgain() {
        var scenario = Self.running()
        scenario.slot(1, 0, .error(Self.slow, usage: nil))
        let status = scenario.client(1, #"{"id":2,"op":"status"}"#).first ?? ""
        #expect(status.contains(#""open":1,"queued":0,"waiting":1"#))
        #expect(status.contains(#""retries":1,"fallbacks":0"#))
    }
}
