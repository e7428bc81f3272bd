import Messages
import Testing

@testable import SupervisorCore

/// What goes on, what is replaced and what is dismissed when another configuration is taken.
@Suite struct GenerationTests {
    private static func slotLines(_ actions: [String]) -> [String] { actions.filter { $0.hasPrefix("slot") } }

    /// Two providers, and a prompt that runs on the first one.
    private static func running(
        _ providers: [ProviderSettings] = [.echo("a"), .echo("b")], fallbacks: [String: [String]] = [:],
        bounds: SupervisorBounds = SupervisorBounds()
    ) -> Scenario {
        var scenario = Scenario.ready(
            durability: .relaxed, providers: providers, fallbacks: fallbacks, bounds: bounds)
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"prompt","prompt":"hi"}"#)
        return scenario
    }

    @Test func aProviderThatDidNotChangeKeepsItsProcess() {
        var scenario = Self.running()
        let actions = scenario.takes([.echo("b"), .echo("c"), .echo("a")])
        #expect(actions.filter { $0.hasPrefix("start worker") }.count == 1)
        #expect(!actions.contains { $0.hasPrefix("close worker") })
        #expect(scenario.core.providers.map(\.settings.name) == ["a", "b", "c"])
        #expect(scenario.core.providers[0].current == WorkerID(1) && scenario.core.providers[1].current == WorkerID(2))
        #expect(scenario.core.generation.entries == [1, 2, 0])
    }

    @Test func aProviderThatChangedIsReplacedAtOnceAndItsOldProcessFinishesWhatItHas() {
        var scenario = Self.running()
        let changed = ProviderSettings.echo("a", slots: 5)
        let actions = scenario.takes([changed, .echo("b")])
        #expect(actions.contains { $0.hasPrefix("start worker") && $0.hasSuffix("of a, 5 slots") })
        #expect(!actions.contains { $0.hasPrefix("close worker") })
        let new = scenario.core.providers[2].current!
        scenario.workerSaysHello(new.rawValue, changed)
        // New requests go to the new process, the old stream goes on in the old one.
        let second = scenario.client(1, #"{"id":2,"op":"prompt","prompt":"hi"}"#)
        #expect(Self.slotLines(second).allSatisfy { $0.hasPrefix("slot \(new.rawValue).") })
        #expect(scenario.slot(1, 0, .text("on")).count == 1)
        let done = scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(done.contains { $0.hasPrefix(#"client 1: {"id":1,"event":"done""#) })
        #expect(done.last == "close worker 1")
        // It ends, and no other one is started in its place.
        #expect(scenario.post(.workerExited(WorkerID(1), .exited(code: 0))) == [])
        #expect(scenario.core.providers[0].isGone)
        #expect(scenario.core.formerGenerations.isEmpty && scenario.core.retiredProviders == 0)
        // Its place is used again.
        scenario.takes([changed, .echo("c")])
        #expect(scenario.core.providers.map(\.settings.name) == ["c", "b", "a"])
    }

    @Test func aProcessThatHasNothingToFinishEndsAtOnce() {
        var scenario = Scenario.ready(providers: [.echo("a"), .echo("b")])
        #expect(scenario.takes([.echo("b")]).last == "close worker 1")
        let gone = scenario.post(.workerExited(WorkerID(1), .exited(code: 0)))
        #expect(gone == [] && scenario.core.footprint.workers == 1)
    }

    @Test func aNameMeansTheProviderOfThePresentConfiguration() {
        var scenario = Self.running()
        scenario.takes([.echo("b")]) { $0.defaultModel = ModelReference("b") }
        let unknown = scenario.client(1, #"{"id":2,"op":"prompt","model":"a","prompt":"x"}"#)
        #expect(unknown.first?.contains(#""code":"unknown_model""#) == true)
        let models = scenario.client(1, #"{"id":3,"op":"models"}"#)
        #expect(models.first?.contains(#""id":"a""#) == false)
        let status = scenario.client(1, #"{"id":4,"op":"status"}"#)[0]
        #expect(status.contains(#""name":"a","type":"echo","state":"ready","retired":true"#))
        #expect(status.contains(#""configuration":{"generation":2,"former":1,"refused":0,"reloading":false}"#))
        scenario.slot(1, 0, .done(SlotCompletion()))
        scenario.post(.workerExited(WorkerID(1), .exited(code: 0)))
        #expect(!scenario.client(1, #"{"id":5,"op":"status"}"#)[0].contains(#""name":"a""#))
    }

    @Test func aChangeOfTheKeyAloneReplacesNothingAndTheNextRequestHasIt() {
        var settings = ProviderSettings.echo("a")
        (settings.key, settings.keyName) = ("old", "KEY")
        settings.models = [ModelDescription(id: "a", needsKey: true)]
        var scenario = Self.running([settings])
        settings.key = "new"
        let actions = scenario.takes([settings])
        #expect(!actions.contains { $0.contains("worker") })
        #expect(scenario.core.generation.number == 1 && scenario.core.formerGenerations.isEmpty)
        let prompt = scenario.client(1, #"{"id":2,"op":"prompt","prompt":"x"}"#)
        #expect(Self.slotLines(prompt).first?.contains(#""key":"new""#) == true)
        #expect(!scenario.lines.contains { $0.contains("new") })
    }

    @Test func aRequestFallsBackToTheProviderThatItsConfigurationNamed() {
        var scenario = Self.running(fallbacks: ["a": ["b"]])
        scenario.takes([.echo("c")]) {
            $0.fallbacks = [:]
            $0.defaultModel = ModelReference("c")
        }
        #expect(scenario.core.retiredProviders == 2)
        let failed = scenario.slot(1, 0, .error(Failure(.providerError, "503"), usage: nil))
        #expect(Self.slotLines(failed).first?.hasPrefix("slot 2.") == true)
        #expect(!failed.contains { $0.hasPrefix("close worker") })
        #expect(scenario.slot(2, 0, .done(SlotCompletion())).suffix(2) == ["close worker 1", "close worker 2"])
    }

    @Test func theRulesOfAnOpenRequestDoNotChange() {
        let first = ProviderSettings.Timeouts(firstOutput: 60_000, idle: 1_000)
        var scenario = Self.running([.echo("a", timeouts: first)])
        scenario.takes([.echo("a", timeouts: ProviderSettings.Timeouts(firstOutput: 5, idle: 60_000))])
        scenario.slot(1, 0, .text("on"))
        #expect(!scenario.pass(.milliseconds(990)).contains { $0.contains("cancel") })
        #expect(scenario.pass(.milliseconds(20)).contains { $0.contains("cancel") })
    }

    @Test func aRetiredProviderThatDiesIsReplacedWhileItIsNeeded() {
        var scenario = Self.running([.echo("a", slots: 1), .echo("b")])
        scenario.client(1, #"{"id":2,"op":"prompt","prompt":"waits"}"#)
        scenario.takes([.echo("b")])
        scenario.post(.workerExited(WorkerID(1), .signalled(11)))
        let started = scenario.pass(.seconds(1))
        #expect(started.first?.hasSuffix("of a, 1 slots") == true)
        let worker = scenario.core.providers[0].current!.rawValue
        let dispatched = scenario.workerSaysHello(worker, .echo("a", slots: 1))
        #expect(Self.slotLines(dispatched).first?.contains("waits") == true)
        #expect(scenario.slot(worker, 0, .done(SlotCompletion())).last == "close worker \(worker)")
    }

    @Test func aProviderThatIsParkedStaysSoUnlessItChanged() {
        var bounds = SupervisorBounds()
        bounds.backoff.parkDeaths = 1
        var scenario = Scenario.ready(providers: [.echo("a"), .echo("b")], bounds: bounds)
        scenario.post(.workerExited(WorkerID(1), .signalled(11)))
        scenario.post(.workerExited(WorkerID(2), .signalled(11)))
        let actions = scenario.takes([.echo("a"), .echo("b", slots: 3)])
        #expect(actions.filter { $0.hasPrefix("start worker") }.map { $0.hasSuffix("of b, 3 slots") } == [true])
        guard case .parked = scenario.core.providers[0].state else {
            Issue.record("a is not parked any more")
            return
        }
        // The one that was parked before is over, and is not started when its time has come.
        #expect(!scenario.pass(.seconds(60)).contains { $0.contains("of b, 2 slots") })
    }

    @Test func aProviderThatComesBackIsTheOneThatWasThere() {
        var scenario = Self.running()
        scenario.takes([.echo("a", slots: 7), .echo("b")])
        let back = scenario.takes([.echo("a"), .echo("b")])
        #expect(!back.contains { $0.hasPrefix("start worker") })
        #expect(scenario.core.generation.entries == [0, 1])
        // Nothing began under the one between: its process ends.
        #expect(back.filter { $0.hasPrefix("close worker") }.count == 1)
    }

    @Test func aChainGoesOnUnderTheConfigurationThatItBeganUnder() {
        var scenario = Scenario.ready(durability: .relaxed, providers: [.echo("a", slots: 1), .echo("b")])
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"chain","prompt":"x","tools":[{"name":"t","input_schema":{}}]}"#)
        scenario.slot(1, 0, .toolCall(ToolCall(id: "c", name: "t", arguments: Array("{}".utf8))))
        scenario.slot(1, 0, .done(SlotCompletion(finishReason: "tool_calls")))
        // Between its rounds no request is open.
        #expect(scenario.core.footprint.requests == 0)
        let taken = scenario.takes([.echo("b")]) { $0.defaultModel = nil }
        #expect(!taken.contains { $0.hasPrefix("close worker") })
        let next = scenario.client(
            1, #"{"id":2,"op":"tool_result","target":1,"tool_results":[{"tool_call_id":"c","output":"42"}]}"#)
        #expect(Self.slotLines(next).first?.hasPrefix("slot 1.0") == true)
        #expect(scenario.slot(1, 0, .done(SlotCompletion())).last == "close worker 1")
    }

    @Test func aPromptThatWaitsForItsConversationIsAdmittedUnderTheConfigurationOfItsArrival() {
        var scenario = Scenario.remembering(durability: .relaxed, providers: [.echo("a"), .echo("b")])
        scenario.continues(1, 1, "c", #","model":"a""#)
        let taken = scenario.takes([.echo("b")]) { $0.storesPrompts = false }
        #expect(!taken.contains { $0.hasPrefix("close worker") })
        let admitted = scenario.remembers(model: "a")
        #expect(admitted.contains { $0.hasPrefix(#"logger: {"op":"open""#) && $0.contains(#""conversation":"c""#) })
        #expect(Self.slotLines(admitted).first?.hasPrefix("slot 1.") == true)
        // Those that come later are told that nothing is stored.
        #expect(scenario.continues(1, 2, "c").first?.contains(#""code":"not_found""#) == true)
    }

    @Test func otherDurabilityReplacesTheLoggerAndOpenRequestsKeepTheirs() {
        var scenario = Scenario.ready(durability: .commit)
        scenario.connect(1)
        scenario.promptRuns(1, 1)
        // The one request was promised that its row is on disk: the logger stays as it is until it has ended.
        #expect(!scenario.takes([.echo()]) { $0.durability = .relaxed }.contains("close logger"))
        let second = scenario.client(1, #"{"id":2,"op":"prompt","prompt":"x"}"#)
        #expect(Self.slotLines(second).count == 1)
        let done = scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(!done.contains { $0.hasPrefix("client") })
        #expect(done.last == "close logger")
        #expect(scenario.commit().contains { $0.hasPrefix(#"client 1: {"id":1,"event":"done""#) })
        scenario.post(.loggerExited(.exited(code: 0)))
        #expect(scenario.pass(.zero).first == "start logger, relaxed")
        scenario.loggerIsReady(acknowledged: scenario.core.log.lastSequence)
        #expect(scenario.slot(1, 1, .done(SlotCompletion())).contains { $0.hasPrefix("client 1") })
        // And back.
        #expect(scenario.takes([.echo()]) { $0.durability = .commit }.contains("close logger"))
        #expect(scenario.core.logger.restarts == 0)
    }

    @Test func modelsThatProvidersListedAreKeptUnlessTheConfigurationTakesTheirNames() {
        let local = ProviderSettings(name: "local", kind: .openAICompatible, slots: 1)
        var scenario = Scenario.ready(providers: [local, .echo("b")])
        scenario.core.takeList([ModelDescription(id: "x"), ModelDescription(id: "y")], of: 0)
        scenario.takes([.echo("y"), local])
        #expect(scenario.core.findModel("x")?.provider == 0)
        #expect(scenario.core.findModel("y").map { scenario.core.providers[$0.provider].settings.name } == "y")
        #expect(scenario.core.providers[0].listedModels.map(\.id) == ["x"])
    }

    @Test func aRefreshOfAProviderThatChangedIsToldSo() {
        let local = ProviderSettings(name: "local", kind: .openAICompatible, slots: 1)
        var scenario = Scenario.ready(providers: [local])
        scenario.connect(1, uid: 0)
        scenario.client(1, #"{"id":1,"op":"models","refresh":true}"#)
        var changed = local
        changed.retries = 5
        let actions = scenario.takes([changed])
        #expect(
            actions.contains {
                $0.hasPrefix(#"client 1: {"id":1,"event":"done""#) && $0.contains("changed by a reload")
            })
        #expect(scenario.core.refresh == nil)
        // What the slot still says counts for nothing.
        scenario.slot(1, 0, .models([ModelDescription(id: "late")]))
        #expect(scenario.core.findModel("late") == nil)
    }

    @Test func oneChangeIsAlwaysPossibleAndFurtherOnesWithinBounds() {
        var bounds = SupervisorBounds()
        bounds.retiredProviders = 2
        var scenario = Self.running([.echo("a"), .echo("b"), .echo("c")], bounds: bounds)
        scenario.connect(2, uid: 0)
        scenario.takes([.echo("d")]) { $0.defaultModel = ModelReference("d") }
        #expect(scenario.core.retiredProviders == 3)
        scenario.client(2, #"{"id":1,"op":"reload"}"#)
        let refused = scenario.post(
            .configurationRead(.configuration(scenario.configuration([.echo("e")]))))
        #expect(
            refused.last?.contains(#""code":"overloaded","message":"3 providers of earlier configurations still"#)
                == true)
        // One that retires nothing more can be taken.
        #expect(scenario.takes([.echo("d"), .echo("e")]).contains { $0.hasPrefix("start worker") })
        scenario.slot(1, 0, .done(SlotCompletion()))
        for worker in [1, 2, 3] as [UInt64] { scenario.post(.workerExited(WorkerID(worker), .exited(code: 0))) }
        #expect(scenario.core.retiredProviders == 0)
        scenario.takes([.echo("e")])
        #expect(scenario.core.generation.number == 4)
    }

    @Test func earlierConfigurationsAreBounded() {
        var bounds = SupervisorBounds()
        bounds.formerGenerations = 1
        var scenario = Self.running([.echo("a", slots: 4)], bounds: bounds)
        scenario.takes([.echo("a", slots: 4)]) { $0.fallbacks = ["a": ["b"]] }
        #expect(scenario.core.generation.number == 2)
        scenario.client(1, #"{"id":2,"op":"prompt","prompt":"x"}"#)
        scenario.takes([.echo("a", slots: 4)])
        #expect(scenario.core.generation.number == 2)
        scenario.takes([.echo("a", slots: 4)]) { $0.fallbacks = [:] }
        #expect(scenario.core.generation.number == 2 && scenario.core.reload.refusals == 1)
        scenario.slot(1, 0, .done(SlotCompletion()))
        scenario.takes([.echo("a", slots: 4)]) { $0.fallbacks = [:] }
        #expect(scenario.core.generation.number == 3)
    }

    @Test func aDrainEndsRetiredProvidersToo() {
        var scenario = Self.running()
        scenario.takes([.echo("b")])
        scenario.post(.drain)
        let done = scenario.slot(1, 0, .done(SlotCompletion())) + scenario.commit()
        #expect(Set(done.filter { $0.hasPrefix("close worker") }) == ["close worker 1", "close worker 2"])
        #expect(done.filter { $0.hasPrefix("close worker") }.count == 2)
    }
}
