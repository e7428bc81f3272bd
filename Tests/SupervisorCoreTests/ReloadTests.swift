import Messages
import Testing

@testable import SupervisorCore

/// Who may have the configuration read anew, and what is told of it.
@Suite struct ReloadTests {
    private static func ready(bounds: SupervisorBounds = SupervisorBounds()) -> Scenario {
        var scenario = Scenario.ready(bounds: bounds)
        scenario.connect(1, uid: 0)
        return scenario
    }

    private static func reload(_ scenario: inout Scenario, _ id: Int) -> [String] {
        scenario.client(1, #"{"id":\#(id),"op":"reload"}"#)
    }

    private static let problem = ConfigurationProblem(file: "b.yaml", line: 3, column: 5, message: "no")

    @Test func aSignalReadsItAndWhatIsTakenIsInTheLog() {
        var scenario = Self.ready()
        #expect(scenario.post(.reload) == ["read configuration", "notify reloading: Reading the configuration"])
        var configuration = scenario.configuration([.echo()])
        configuration.warnings = ["careful"]
        #expect(
            scenario.post(.configurationRead(.configuration(configuration))) == ["notify ready: Serving 1 provider"])
        #expect(scenario.lines.suffix(2) == ["configuration warning=careful", "configuration taken generation=1"])
    }

    @Test func aClientIsToldWhatChanged() {
        var scenario = Self.ready()
        #expect(Self.reload(&scenario, 1).first == "read configuration")
        var configuration = scenario.configuration([.echo("new"), .echo("echo", slots: 3)])
        configuration.warnings = ["careful"]
        let actions = scenario.post(.configurationRead(.configuration(configuration)))
        #expect(
            actions.contains(
                #"client 1: {"id":1,"event":"done","warnings":["careful"],"added":["new"],"changed":["echo"],"removed":[]}"#
            ))
        #expect(scenario.core.connections[ConnectionID(1)]!.requests.isEmpty)
    }

    @Test func itIsRefusedWholeWithEveryProblem() {
        var scenario = Self.ready()
        _ = Self.reload(&scenario, 1)
        var second = Self.problem
        second.line = 7
        let actions = scenario.post(.configurationRead(.refused([Self.problem, second])))
        #expect(
            actions == [
                "notify ready: Serving 1 provider",
                #"client 1: {"id":1,"event":"error","error":{"code":"invalid_configuration","message":"the configuration is refused, the one before serves on: b.yaml:3:5: no (and 1 more)","retryable":false},"problems":["b.yaml:3:5: no","b.yaml:7:5: no"]}"#,
            ])
        #expect(
            scenario.lines.suffix(3) == [
                "configuration problem=b.yaml:3:5: no", "configuration problem=b.yaml:7:5: no",
                "configuration refused: the one before serves on",
            ])
        #expect(scenario.core.generation.number == 1 && scenario.core.reload.refusals == 1)
    }

    @Test func problemsAreBounded() throws {
        var scenario = Self.ready()
        _ = Self.reload(&scenario, 1)
        var problem = Self.problem
        problem.message = String(repeating: "ü", count: 5_000)
        let actions = scenario.post(.configurationRead(.refused(Array(repeating: problem, count: 5_000))))
        let answer = try #require(actions.last?.dropFirst("client 1: ".count))
        let event = try ClientEvent(decoding: Array(answer.utf8))
        #expect(event.problems.count == 100 && event.problems.last == "and 4901 more")
        #expect(event.problems.allSatisfy { $0.utf8.count <= 1024 })
        guard case .error(let failure, _, _) = event.event else {
            Issue.record("\(event)")
            return
        }
        #expect(failure.message.hasSuffix("(and 4999 more)") && failure.message.utf8.count <= 1024)
    }

    @Test func onlyAdministratorsMayAsk() {
        var scenario = Self.ready()
        scenario.connect(2)
        for operation in ["reload", "drain"] {
            let actions = scenario.client(2, #"{"id":1,"op":"\#(operation)"}"#)
            #expect(actions.count == 1)
            #expect(actions[0].contains(#""code":"not_allowed","message":"only an administrator"#))
        }
        #expect(scenario.core.phase == .running && scenario.core.reload.state == .idle)
    }

    @Test func aProgramThatEndsWithoutAnAnswerChangesNothing() {
        var scenario = Self.ready()
        _ = Self.reload(&scenario, 1)
        let actions = scenario.post(
            .configurationNotRead(reason: "bulkhead-config ended without an answer (signal 24)"))
        #expect(
            actions.last?.contains(
                #""code":"invalid_configuration","message":"the configuration could not be read: bulk"#) == true)
        #expect(Self.reload(&scenario, 2).first == "read configuration")
    }

    @Test func oneThatTakesTooLongIsKilledAndWaitedFor() {
        var scenario = Self.ready()
        _ = Self.reload(&scenario, 1)
        let actions = scenario.pass(.seconds(10))
        #expect(actions.first == "stop reading configuration")
        #expect(actions.last?.contains("could not be read within 10.0 seconds") == true)
        // The next one is not read beside it.
        #expect(Self.reload(&scenario, 2) == [])
        let ended = scenario.post(.configurationNotRead(reason: "killed"))
        #expect(ended == ["read configuration", "notify reloading: Reading the configuration"])
        let taken = scenario.post(.configurationRead(.configuration(scenario.configuration([.echo()]))))
        #expect(taken.last?.hasPrefix(#"client 1: {"id":2,"event":"done""#) == true)
    }

    @Test func whoAsksMeanwhileIsAnsweredByTheNextReading() {
        var scenario = Self.ready()
        _ = Self.reload(&scenario, 1)
        #expect(Self.reload(&scenario, 2) == [] && Self.reload(&scenario, 3) == [])
        let first = scenario.post(.configurationRead(.configuration(scenario.configuration([.echo()]))))
        #expect(first.filter { $0.hasPrefix("client") }.count == 1 && first.contains("read configuration"))
        let second = scenario.post(.configurationRead(.refused([Self.problem])))
        #expect(second.filter { $0.hasPrefix("client 1: {\"id\":") && $0.contains("invalid_configuration") }.count == 2)
        #expect(!second.contains("read configuration"))
    }

    @Test func thoseWhoWaitAreBounded() {
        var bounds = SupervisorBounds()
        bounds.reloadAskers = 2
        var scenario = Self.ready(bounds: bounds)
        _ = Self.reload(&scenario, 1)
        _ = Self.reload(&scenario, 2)
        #expect(Self.reload(&scenario, 3).first?.contains(#""code":"too_many_requests""#) == true)
        #expect(scenario.post(.reload) == [])
        #expect(scenario.lines.last?.hasPrefix("configuration not read anew reason=2 wait") == true)
    }

    @Test func whoGivesUpDoesNotStopTheReading() {
        var scenario = Self.ready()
        _ = Self.reload(&scenario, 1)
        _ = Self.reload(&scenario, 2)
        let cancelled = scenario.client(1, #"{"id":3,"op":"cancel","target":1}"#)
        #expect(cancelled.last?.contains(#""id":1,"event":"error","error":{"code":"cancelled""#) == true)
        scenario.post(.clientClosed(ConnectionID(1)))
        #expect(scenario.core.reload.waiting == [])
        let taken = scenario.post(.configurationRead(.configuration(scenario.configuration([.echo(slots: 5)]))))
        #expect(taken.contains("start worker 4 of echo, 5 slots") || taken.contains { $0.hasPrefix("start worker") })
        #expect(scenario.core.generation.number == 2)
    }

    @Test func aDrainRefusesWhoeverWaitsAndTakesNothingAnyMore() {
        var scenario = Self.ready()
        _ = Self.reload(&scenario, 1)
        _ = Self.reload(&scenario, 2)
        scenario.post(.reload)
        let actions = scenario.client(1, #"{"id":3,"op":"drain"}"#)
        #expect(actions.first == #"client 1: {"id":3,"event":"done"}"#)
        #expect(actions.contains("stop reading configuration"))
        #expect(actions.filter { $0.contains(#""code":"shutting_down""#) }.count == 2)
        #expect(scenario.post(.configurationRead(.configuration(scenario.configuration([])))) == [])
        #expect(scenario.core.generation.number == 1)
        #expect(Self.reload(&scenario, 4).first?.contains(#""code":"shutting_down""#) == true)
    }

    @Test func aDaemonThatIsNotReadyIsNotSaidToReload() {
        var scenario = Scenario()
        scenario.post(.start)
        #expect(scenario.post(.reload) == ["read configuration"])
        #expect(scenario.post(.configurationRead(.refused([Self.problem]))) == [])
    }

    @Test func whatCannotChangeIsRefusedByName() {
        let changes: [(String, (inout ServiceConfiguration) -> Void)] = [
            ("socket.path", { $0.socketPath = "/run/other.sock" }), ("socket.mode", { $0.socketMode = 0o600 }),
            ("socket.group", { $0.socketGroup = 7 }), ("state_directory", { $0.stateDirectory = "/var/lib/other" }),
        ]
        for (name, change) in changes {
            var scenario = Self.ready()
            _ = Self.reload(&scenario, 1)
            let configuration = scenario.configuration([], change)
            let actions = scenario.post(.configurationRead(.configuration(configuration)))
            #expect(
                actions.last?.contains(#""code":"invalid_configuration","message":"\#(name) cannot change"#) == true)
            #expect(scenario.core.configuration.providers.count == 1 && scenario.core.generation.number == 1)
        }
    }
}
