import Messages
import Testing

@testable import SupervisorCore

/// When the service manager is told that the daemon is ready, and that it stops.
@Suite struct ReadinessTests {
    private static let two = [ProviderSettings.echo("a"), .echo("b")]

    /// A daemon of two providers, a and b, whose workers are the numbers 1 and 2. Nothing is ready.
    private static func started() -> Scenario {
        var scenario = Scenario(providers: Self.two)
        scenario.post(.start)
        scenario.post(.loggerStarted(pid: 100))
        for worker in 1...2 { scenario.post(.workerStarted(WorkerID(UInt64(worker)), pid: 200 + worker)) }
        return scenario
    }

    private func announcements(_ actions: [String]) -> [String] { actions.filter { $0.hasPrefix("notify") } }

    private static let ready = LoggerReply.ready(
        protocolVersion: ProtocolVersion.current, version: "1", acknowledged: 0
    ).encoded

    @Test func theDaemonIsReadyWhenTheRecordAndTheLastWorkerAre() {
        var scenario = Self.started()
        scenario.loggerIsReady()
        #expect(self.announcements(scenario.workerSaysHello(1, Self.two[0])) == [])
        #expect(
            self.announcements(scenario.workerSaysHello(2, Self.two[1])) == ["notify ready: Serving 2 providers"])
    }

    @Test func itIsNotReadyBeforeTheRecordIs() {
        var scenario = Self.started()
        for (index, provider) in Self.two.enumerated() {
            #expect(self.announcements(scenario.workerSaysHello(UInt64(index + 1), provider)) == [])
        }
        #expect(self.announcements(scenario.post(.loggerReply(Self.ready))) == ["notify ready: Serving 2 providers"])
    }

    @Test func aProviderWhoseWorkerDiesKeepsNobodyWaiting() {
        var scenario = Self.started()
        scenario.loggerIsReady()
        scenario.workerSaysHello(1, Self.two[0])
        #expect(
            self.announcements(scenario.post(.workerExited(WorkerID(2), .signalled(11))))
                == ["notify ready: Serving 2 providers"])
    }

    @Test func aProviderThatIsParkedAtOnceKeepsNobodyWaiting() {
        var scenario = Self.started()
        scenario.loggerIsReady()
        scenario.workerSaysHello(1, Self.two[0])
        #expect(
            self.announcements(scenario.post(.workerExited(WorkerID(2), .exited(code: 78))))
                == ["notify ready: Serving 2 providers"])
    }

    @Test func aWorkerThatNeverSaysHelloIsWaitedForUntilItIsGone() {
        var scenario = Self.started()
        scenario.loggerIsReady()
        scenario.workerSaysHello(1, Self.two[0])
        #expect(scenario.pass(SupervisorBounds().workerStartTimeout) == ["kill worker 2"])
        #expect(
            self.announcements(scenario.post(.workerExited(WorkerID(2), .signalled(9))))
                == ["notify ready: Serving 2 providers"])
    }

    @Test func itIsSaidOnceWhateverDiesAndComesBack() {
        var scenario = Scenario.ready()
        var actions = scenario.post(.workerExited(WorkerID(1), .signalled(9)))
        actions += scenario.post(.loggerExited(.signalled(9)))
        actions += scenario.pass(.seconds(1))
        actions += scenario.post(.loggerReply(Self.ready))
        actions += scenario.workerSaysHello(2)
        #expect(actions.contains("start logger, commit") && actions.contains("start worker 2 of echo, 2 slots"))
        #expect(self.announcements(actions) == [])
    }

    @Test func aDrainIsSaidOnceAndFirst() {
        var scenario = Scenario.ready()
        let actions = scenario.post(.drain)
        #expect(actions.first == "notify stopping: Finishing what is open")
        #expect(self.announcements(actions + scenario.post(.drain)).count == 1)
    }

    @Test func aDaemonThatStopsIsNotSaidToBeReadyAnyMore() {
        var scenario = Self.started()
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"prompt","prompt":"hi","model":"a"}"#)
        scenario.post(.drain)
        var actions = scenario.post(.loggerReply(Self.ready))
        actions += scenario.workerSaysHello(1, Self.two[0])
        actions += scenario.workerSaysHello(2, Self.two[1])
        #expect(self.announcements(actions) == [])
    }
}
