import Messages
import Testing

@testable import SupervisorCore

/// The end of the daemon: requests first, then workers, the logger last.
@Suite struct DrainTests {
    private static let stopping = "notify stopping: Finishing what is open"

    @Test func anIdleDaemonEndsItsWorkersThenItsLoggerThenItself() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        #expect(scenario.post(.drain) == [Self.stopping, "stop listening", "close worker 1"])
        #expect(scenario.post(.workerExited(WorkerID(1), .exited(code: 0))) == ["close logger"])
        #expect(scenario.post(.loggerExited(.exited(code: 0))) == ["close client 1"])
        #expect(scenario.post(.clientClosed(ConnectionID(1))) == ["exit 0"])
    }

    @Test func whatIsOpenMayFinishAndWhatWaitsMayRunButNothingIsAdmitted() {
        var scenario = Scenario.ready(providers: [.echo(slots: 1)])
        scenario.connect(1)
        scenario.promptRuns(1, 1)
        scenario.promptRuns(1, 2)
        scenario.client(1, #"{"id":3,"op":"prompt"}"#)
        #expect(scenario.post(.drain) == [Self.stopping, "stop listening"])
        #expect(scenario.client(1, #"{"id":4,"op":"prompt"}"#)[0].contains("shutting_down"))
        #expect(scenario.client(1, #"{"id":5,"op":"status"}"#)[0].contains(#""draining":true"#))
        scenario.commit()
        for _ in 1...3 { scenario.slot(1, 0, .done(SlotCompletion())) }
        // The rows of the last frames are still to come: the workers may go, the logger may not.
        #expect(scenario.core.phase == .stoppingWorkers)
        #expect(scenario.post(.workerExited(WorkerID(1), .exited(code: 0))) == [])
        let actions = scenario.commit()
        #expect(actions.filter { $0.contains(#""event":"done""#) }.count == 3)
        #expect(actions.last == "close logger")
    }

    @Test func whatIsNotFinishedInTimeIsCutShort() {
        var scenario = Scenario.ready(
            durability: .relaxed, providers: [.echo(slots: 1)], drainTimeoutMilliseconds: 1_000)
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"prompt"}"#)
        scenario.client(1, #"{"id":2,"op":"prompt"}"#)
        scenario.post(.drain)
        #expect(scenario.pass(.milliseconds(999)) == [])
        let actions = scenario.pass(.milliseconds(1))
        #expect(actions.count == 3)
        #expect(actions[0] == #"slot 1.0: {"op":"cancel","request":"r1"}"#)
        #expect(actions[2].contains(#""id":2,"event":"error","error":{"code":"shutting_down""#), "\(actions)")
        let end = scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(end[1].contains(#""id":1,"event":"error","error":{"code":"shutting_down""#), "\(end)")
        #expect(end.last == "close worker 1")
    }

    @Test func aSecondDrainDoesNotWait() {
        var scenario = Scenario.ready(durability: .relaxed)
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"prompt"}"#)
        scenario.post(.drain)
        #expect(scenario.post(.drain) == [#"slot 1.0: {"op":"cancel","request":"r1"}"#])
        #expect(scenario.post(.drain) == [])
    }

    @Test func aSlotThatHangsDoesNotKeepTheDaemon() {
        var scenario = Scenario.ready(durability: .relaxed, providers: [.echo(timeouts: .init(cancel: 500))])
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"prompt"}"#)
        scenario.post(.drain)
        scenario.post(.drain)
        let actions = scenario.pass(.milliseconds(500))
        #expect(actions.contains { $0.contains("shutting_down") })
        #expect(actions.contains("kill worker 1"))
    }

    @Test func aWorkerThatDoesNotEndIsKilled() {
        var scenario = Scenario.ready()
        scenario.post(.drain)
        #expect(scenario.pass(.milliseconds(4_999)) == [])
        #expect(scenario.pass(.milliseconds(1)) == ["kill worker 1"])
        #expect(scenario.post(.workerExited(WorkerID(1), .signalled(9))) == ["close logger"])
    }

    @Test func aWorkerThatDiesInTheDrainComesBackForWhatWaits() {
        var scenario = Scenario.ready(durability: .relaxed, providers: [.echo(slots: 1)])
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"prompt"}"#)
        scenario.client(1, #"{"id":2,"op":"prompt"}"#)
        scenario.post(.drain)
        scenario.post(.workerExited(WorkerID(1), .signalled(9)))
        #expect(scenario.pass(.milliseconds(100)).contains { $0.hasPrefix("start worker") })
    }

    @Test func aDeadLoggerIsWaitedForWhileItHasWork() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        scenario.promptRuns(1, 1)
        scenario.slot(1, 0, .done(SlotCompletion()))
        scenario.post(.loggerExited(.signalled(9)))
        #expect(scenario.post(.drain) == [Self.stopping, "stop listening", "close worker 1"])
        #expect(scenario.post(.workerExited(WorkerID(1), .exited(code: 0))) == [])
        #expect(scenario.pass(.milliseconds(100)).first == "start logger, commit")
        scenario.loggerIsReady(acknowledged: 1)
        let actions = scenario.commit()
        #expect(actions.first?.contains(#""event":"done""#) == true, "\(actions)")
        #expect(actions.last == "close logger")
    }

    @Test func aDeadLoggerIsNotStartedToBeEnded() {
        var scenario = Scenario.ready()
        scenario.post(.loggerExited(.signalled(9)))
        scenario.post(.drain)
        #expect(scenario.post(.workerExited(WorkerID(1), .exited(code: 0))) == ["exit 0"])
    }

    @Test func recordsThatAreNotCommittedInTimeEndTheDaemonWithAnError() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        scenario.promptRuns(1, 1)
        scenario.slot(1, 0, .done(SlotCompletion()))
        scenario.post(.drain)
        scenario.post(.workerExited(WorkerID(1), .exited(code: 0)))
        #expect(scenario.pass(.milliseconds(14_999)) == [])
        #expect(scenario.pass(.milliseconds(1)) == ["kill logger", "exit 1"])
    }

    @Test func aClientThatLingersDoesNotTurnAGoodEndIntoABadOne() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"ping"}"#)
        scenario.post(.drain)
        scenario.post(.workerExited(WorkerID(1), .exited(code: 0)))
        scenario.pass(.milliseconds(14_000))
        #expect(scenario.post(.loggerExited(.exited(code: 0))) == ["close client 1"])
        #expect(scenario.pass(.seconds(2)) == ["drop client 1"])
        #expect(scenario.post(.clientClosed(ConnectionID(1))) == ["exit 0"])
    }
}
