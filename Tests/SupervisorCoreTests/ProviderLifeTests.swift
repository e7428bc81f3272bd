import Messages
import Testing

@testable import SupervisorCore

/// Workers that die, lie, or do not answer, and what becomes of their requests and of their providers.
@Suite struct ProviderLifeTests {
    private static func code(_ actions: [String], of client: UInt64, _ id: Int) -> String? {
        let prefix = #"client \#(client): {"id":\#(id),"event":"error","error":{"code":""#
        return actions.first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count).prefix { $0 != "\"" }) }
    }

    @Test func aWorkersDeathEndsItsRequestsWithOneErrorAndTouchesNobodyElse() {
        var scenario = Scenario.ready(durability: .relaxed, providers: [.echo(), .echo("other")])
        scenario.connect(1)
        scenario.connect(2)
        scenario.client(1, #"{"id":1,"op":"prompt"}"#)
        scenario.client(1, #"{"id":2,"op":"prompt"}"#)
        scenario.client(2, #"{"id":1,"op":"prompt","model":"other"}"#)
        let actions = scenario.post(.workerExited(WorkerID(1), .signalled(11)))
        #expect(Self.code(actions, of: 1, 1) == "worker_crashed")
        #expect(Self.code(actions, of: 1, 2) == "worker_crashed")
        #expect(actions.count == 4, "two rows and two errors: \(actions)")
        #expect(actions.last?.contains("the worker of provider 'echo' died (signal 11, SIGSEGV)") == true)
        #expect(scenario.slot(2, 0, .text("on")) == [#"client 2: {"id":1,"event":"text","text":"on"}"#])
        #expect(scenario.core.counters.crashed == 2)
    }

    @Test func aDeadWorkerComesBackAfterItsBackOffAndTakesWhatWaited() {
        var scenario = Scenario.ready(durability: .relaxed)
        scenario.connect(1)
        scenario.post(.workerExited(WorkerID(1), .signalled(9)))
        scenario.client(1, #"{"id":1,"op":"prompt"}"#)
        #expect(scenario.pass(.milliseconds(49)) == [])
        #expect(scenario.pass(.milliseconds(51)).first == "start worker 3 of echo, 2 slots")
        #expect(scenario.workerSaysHello(3).first?.hasPrefix("slot 3.") == true)
    }

    @Test func aProviderWhoseWorkersKeepDyingIsParkedWithAClearError() {
        var scenario = Scenario.ready(durability: .relaxed)
        scenario.connect(1)
        var worker: UInt64 = 1
        for death in 1...5 {
            if death == 5 { scenario.client(1, #"{"id":1,"op":"prompt"}"#) }
            let actions = scenario.post(.workerExited(WorkerID(worker), .exited(code: 3)))
            guard death == 5 else {
                let start = scenario.pass(.seconds(2)).first { $0.hasPrefix("start worker") }
                worker = UInt64(start?.split(separator: " ")[2] ?? "") ?? 0
                continue
            }
            // Its worker never said hello, so the request waited for it, and is not left to wait on.
            #expect(Self.code(actions, of: 1, 1) == "provider_unavailable")
        }
        let refusal = scenario.client(1, #"{"id":2,"op":"prompt"}"#)
        #expect(Self.code(refusal, of: 1, 2) == "provider_unavailable")
        #expect(refusal[0].contains("the workers of provider 'echo' keep dying (the last: exit code 3)"))
        #expect(refusal[0].contains(#""retry_after_ms":30000"#))
        #expect(scenario.pass(.milliseconds(29_999)) == [])
        #expect(scenario.pass(.milliseconds(1)).first?.hasPrefix("start worker") == true)
        #expect(scenario.client(1, #"{"id":3,"op":"prompt"}"#).count == 1)
    }

    @Test func aWorkerThatCannotBeWhatItIsToldToBeIsParkedAtOnce() {
        var scenario = Scenario.ready()
        scenario.post(.workerExited(WorkerID(1), .exited(code: 78)))
        #expect(scenario.core.providers[0].state == .parked(until: scenario.now + .seconds(30)))
    }

    @Test func aWorkerThatCouldNotBeStartedCountsAsOneThatDied() {
        var scenario = Scenario()
        scenario.post(.start)
        #expect(scenario.post(.workerFailedToStart(WorkerID(1), reason: "ENOENT")) == [])
        #expect(scenario.core.providers[0].deaths == 1)
        #expect(scenario.core.providers[0].lastExit == "it could not be started: ENOENT")
        #expect(scenario.pass(.milliseconds(100)).contains { $0.hasPrefix("start worker") })
    }

    @Test func aWorkerThatSaysNoHelloIsKilledAndItsRequestsWaitForTheNext() {
        var scenario = Scenario(durability: .relaxed)
        scenario.post(.start)
        scenario.loggerIsReady()
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"prompt"}"#)
        scenario.post(.clientBacklog(ConnectionID(1), bytes: 0, tookSome: true))
        #expect(scenario.pass(.seconds(10)) == ["kill worker 1"])
        // A provider that fails to start keeps the daemon from being ready no longer.
        #expect(
            scenario.post(.workerExited(WorkerID(1), .signalled(9))) == ["notify ready: Serving 1 provider"])
        #expect(scenario.core.providers[0].queue.count == 1)
        #expect(scenario.core.providers[0].lastExit == "it did not say hello in time")
    }

    @Test func aProcessThatAnswersNoPingIsKilledAndItsRequestsEndAsHung() {
        var scenario = Scenario.ready(durability: .relaxed)
        scenario.workersAnswerPings = false
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"prompt"}"#)
        #expect(scenario.pass(.seconds(5)) == [#"worker 1: {"op":"ping","number":1}"#])
        #expect(scenario.pass(.milliseconds(14_999)) == [])
        let actions = scenario.pass(.milliseconds(1))
        #expect(Self.code(actions, of: 1, 1) == "worker_hung")
        #expect(actions.last == "kill worker 1")
    }

    @Test(arguments: [
        #"{"event":"text"}"#, #"{"event":"text","text":1}"#, #"{"event":"shout","text":"x"}"#, "[]", "not json",
        #"{"event":"error","error":{"code":"overloaded","message":"x","retryable":true}}"#,
    ])
    func aSlotThatBreaksItsProtocolEndsItsRequestAndItsProcess(frame: String) {
        var scenario = Scenario.ready(durability: .relaxed)
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"prompt"}"#)
        scenario.client(1, #"{"id":2,"op":"prompt"}"#)
        let actions = scenario.post(.slotEvent(SlotID(worker: WorkerID(1), index: 0), Array(frame.utf8)))
        #expect(Self.code(actions, of: 1, 1) == "worker_misbehaved")
        #expect(Self.code(actions, of: 1, 2) == "worker_crashed")
        #expect(actions.last == "kill worker 1")
        // What it wrote before it was killed is not read any more.
        #expect(scenario.slot(1, 1, .text("still here")) == [])
    }

    @Test func aFrameThatIsTooLongEndsTheRequestOfItsSlotAsMisbehaved() {
        var scenario = Scenario.ready(durability: .relaxed)
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"prompt"}"#)
        let slot = SlotID(worker: WorkerID(1), index: 0)
        let actions = scenario.post(.slotBrokeProtocol(slot, reason: "a frame of 99 bytes"))
        #expect(Self.code(actions, of: 1, 1) == "worker_misbehaved")
        #expect(actions.last == "kill worker 1")
    }

    @Test func aSlotThatStreamsWhatWasAskedForWholeHasBrokenItsProtocol() {
        var scenario = Scenario.ready(durability: .relaxed)
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"prompt","stream":false}"#)
        #expect(Self.code(scenario.slot(1, 0, .text("x")), of: 1, 1) == "worker_misbehaved")
    }

    @Test func aHelloOfAnotherProviderVersionOrSizeIsNotBelieved() {
        var wrong: [WorkerHello] = [
            WorkerHello(provider: "other", slots: 2, models: []), WorkerHello(provider: "echo", slots: 3, models: []),
            WorkerHello(provider: "echo", slots: 2, models: []),
        ]
        wrong[2].protocolVersion = 2
        for hello in wrong {
            var scenario = Scenario()
            scenario.post(.start)
            let actions = scenario.post(.workerReport(WorkerID(1), WorkerReport.hello(hello).encoded))
            #expect(actions == ["kill worker 1"])
        }
    }

    @Test func asManyWorkersMayRetireAsTheBoundSays() {
        let timeouts = ProviderSettings.Timeouts(cancel: 100)
        var bounds = SupervisorBounds()
        bounds.retiringWorkers = 1
        var scenario = Scenario.ready(durability: .relaxed, providers: [.echo(timeouts: timeouts)], bounds: bounds)
        scenario.connect(1)
        var current: UInt64 = 1
        var killed: [String] = []
        for round in 1...2 {
            scenario.client(1, #"{"id":"stays\#(round)","op":"prompt"}"#)
            scenario.client(1, #"{"id":"hangs\#(round)","op":"prompt"}"#)
            scenario.client(1, #"{"id":"c\#(round)","op":"cancel","target":"hangs\#(round)"}"#)
            let actions = scenario.pass(.milliseconds(100))
            killed = actions.filter { $0.hasPrefix("kill") || $0.contains("worker_hung") }
            let start = actions.first { $0.hasPrefix("start worker") }
            current = UInt64(start?.split(separator: " ")[2] ?? "") ?? 0
            scenario.workerSaysHello(current)
        }
        #expect(killed.count == 3, "a row, an error and a kill: \(killed)")
        #expect(killed.contains { $0.hasPrefix(#"client 1: {"id":"stays1","event":"error""#) })
        #expect(killed.last == "kill worker 1")
    }
}
