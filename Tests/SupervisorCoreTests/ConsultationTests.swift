import Messages
import Testing

@testable import SupervisorCore

/// What hooks are asked before a request is let in, and what comes of their answers.
struct ConsultationTests {
    /// A daemon with a client, number 1, whose hooks are running.
    private func ready(
        _ hooks: [HookSettings], storesPrompts: Bool = false, providers: [ProviderSettings] = [.echo()],
        fallbacks: [String: [String]] = [:], bounds: SupervisorBounds = SupervisorBounds()
    ) -> Scenario {
        var scenario = Scenario.ready(
            storesPrompts: storesPrompts, providers: providers, fallbacks: fallbacks, hooks: hooks, bounds: bounds)
        for (index, hook) in hooks.enumerated() {
            scenario.post(.hookStarted(scenario.hookIDs[hook.name]!, pid: 300 + index))
        }
        scenario.connect(1)
        return scenario
    }

    private static let prompt = #"{"id":1,"op":"prompt","prompt":"hi"}"#
    private static let caller = #""caller":{"uid":1000,"gid":100,"pid":42},"actor":"uid:1000""#

    private static func judged(_ hook: String = "h", number: Int = 1, _ more: String = #""prompt":"hi""#) -> String {
        #"hook \#(hook): {"id":\#(number),"event":"before_prompt",\#(caller),"op":"prompt","model":"echo","provider":"echo",\#(more)}"#
    }

    private func isOpened(_ actions: [String]) -> Bool { actions.contains { $0.hasPrefix(#"logger: {"op":"open""#) } }

    private func failure(_ actions: [String]) -> String? {
        actions.first { $0.contains(#""event":"error""#) }?.split(separator: #""message":""#).last?
            .split(separator: "\"").first.map(String.init)
    }

    // MARK: Yes and no

    @Test func aPromptIsLetInWhenEveryHookHasAgreed() {
        var scenario = self.ready([.test("a"), .test("b"), .test("other", [.afterResponse])])
        let asked = scenario.client(1, Self.prompt)
        #expect(asked == [Self.judged("a"), Self.judged("b")])
        #expect(scenario.hook("b", #"{"id":1}"#) == [])
        #expect(self.isOpened(scenario.hook("a", #"{"id":1}"#)))
        #expect(scenario.core.footprint.consultations == 0)
    }

    @Test func aRefusalEndsItAtOnceAndLeavesNothing() {
        var scenario = self.ready([.test("a"), .test("b")])
        scenario.client(1, Self.prompt)
        let actions = scenario.hook("a", #"{"id":1,"refuse":"no\u001b[2J\nplaces"}"#)
        #expect(
            actions == [
                #"client 1: {"id":1,"event":"error","error":{"code":"not_allowed","message":"hook 'a' refused the request: no [2J places","retryable":false}}"#
            ])
        #expect(scenario.core.footprint.requests == 0)
        #expect(scenario.hook("b", #"{"id":1,"annotate":{}}"#) == [], "an answer that nobody waits for is taken")
        #expect(scenario.client(1, Self.prompt) == [Self.judged("a", number: 2), Self.judged("b", number: 2)])
    }

    @Test func whatHooksNoteGoesOnRecordUnderTheirNames() throws {
        var scenario = self.ready([.test("a"), .test("b"), .test("c")])
        scenario.client(1, Self.prompt)
        scenario.hook("b", #"{"id":1,"annotate":{"score": 0.50}}"#)
        scenario.hook("c", #"{"id":1}"#)
        let actions = scenario.hook("a", #"{"id":1,"annotate":{"ok":true}}"#)
        let opening = try #require(actions.first { $0.contains(#""op":"open""#) })
        #expect(opening.contains(#""annotations":{"a":{"ok":true},"b":{"score": 0.50}}"#), "\(opening)")
    }

    @Test func notesBeyondTheirRoomAreLeftOutWithAWarning() throws {
        let names = ["a", "b", "c", "d", "e"]
        var scenario = self.ready(names.map { .test($0) })
        scenario.client(1, Self.prompt)
        let note = #"{"text":"\#(String(repeating: "x", count: 4000))"}"#
        var actions: [String] = []
        for name in names { actions = scenario.hook(name, #"{"id":1,"annotate":\#(note)}"#) }
        let opening = try #require(actions.first { $0.contains(#""op":"open""#) })
        #expect(opening.contains(#""d":{"#) && !opening.contains(#""e":{"#))
        #expect(scenario.messages.contains("a hook's annotation is left out: there are too many"))
    }

    // MARK: When there is no answer

    @Test(arguments: [false, true])
    func withoutAnAnswerItGoesOnOrNot(isClosed: Bool) {
        for failing in 0..<4 {
            var scenario = self.ready([.test(closed: isClosed)])
            scenario.client(1, Self.prompt)
            let actions: [String]
            switch failing {
            case 0: actions = scenario.pass(.seconds(2))
            case 1: actions = scenario.hookExits("h", .exited(code: 1))
            case 2: actions = scenario.hook("h", #"{"id":1,"refsue":"typo"}"#)
            default: actions = scenario.hook("h", #"{"id":7}"#)
            }
            #expect(self.isOpened(actions) == !isClosed, "\(failing)")
            #expect((self.failure(actions) != nil) == isClosed, "\(failing)")
            #expect(actions.contains("kill hook h") == (failing != 1), "\(failing)")
            // Until it is back nobody waits for it.
            let next = scenario.client(1, Self.prompt.replacing("1", with: "2"))
            #expect(self.isOpened(next) == !isClosed)
            if failing != 1 { scenario.hookExits("h") }
            #expect(scenario.pass(.milliseconds(100)).contains("start hook h: /h"))
            #expect(scenario.client(1, Self.prompt.replacing("1", with: "3")).count == 1, "it is asked again")
        }
    }

    @Test func aClosedHooksFailureSaysWhatHappened() {
        var scenario = self.ready([.test(closed: true)])
        scenario.client(1, Self.prompt)
        let actions = scenario.pass(.seconds(2))
        #expect(
            self.failure(actions)
                == "hook 'h' must agree to the request and did not answer within 2000 ms; try again later")
        #expect(actions.contains { $0.contains(#""code":"hook_failed""#) && $0.contains(#""retryable":true"#) })
        scenario.hookExits("h")
        #expect(
            self.failure(scenario.client(1, Self.prompt))
                == "hook 'h' must agree to the request and is not running (the last process: it kept a question for longer than 2000 ms); try again later"
        )
    }

    @Test func aHookThatDiesCostsNobodyElse() {
        var scenario = self.ready([.test("a", closed: true), .test("b", [.defaultModel])])
        scenario.connect(2)
        scenario.client(1, Self.prompt)
        scenario.hook("b", #"{"id":1}"#)
        scenario.client(2, Self.prompt)
        #expect(
            scenario.hookExits("b", .exited(code: 1)).count == 1, "the other hook is asked about the second at once")
        #expect(self.isOpened(scenario.hook("a", #"{"id":1}"#)))
        #expect(self.isOpened(scenario.hook("a", #"{"id":2}"#)))
    }

    // MARK: Models

    @Test func aModelIsChosenByTheFirstHookThatNamesOne() {
        var scenario = self.ready(
            [.test("a", [.defaultModel]), .test("b", [.defaultModel]), .test("c", [.defaultModel]), .test("d")],
            providers: [.echo(), .echo("other")])
        #expect(
            scenario.client(1, Self.prompt) == [
                #"hook a: {"id":1,"event":"default_model",\#(Self.caller),"op":"prompt"}"#
            ])
        #expect(scenario.hook("a", #"{"id":1,"model":null}"#).count == 1)
        let judged = scenario.hook("b", #"{"id":1,"model":"other"}"#)
        #expect(judged.count == 1)
        #expect(judged.first?.contains(#""model":"other","provider":"other""#) == true, "\(judged)")
        let opened = scenario.hook("d", #"{"id":1}"#)
        #expect(opened.contains { $0.contains(#""model":"other""#) && $0.hasPrefix("logger") })
        // Whoever names a model is not told another.
        let named = scenario.client(1, #"{"id":2,"op":"prompt","prompt":"hi","model":"echo"}"#)
        #expect(named.first?.contains("before_prompt") == true)
    }

    @Test func aHookThatNamesWhatNobodyServesHasFailed() {
        var scenario = self.ready([.test("a", [.defaultModel])])
        scenario.client(1, Self.prompt)
        #expect(self.isOpened(scenario.hook("a", #"{"id":1,"model":"gone"}"#)))
        scenario = self.ready([.test("a", [.defaultModel], closed: true)])
        scenario.client(1, Self.prompt)
        #expect(
            self.failure(scenario.hook("a", #"{"id":1,"model":"gone"}"#))
                == "hook 'a' must agree to the request and named the model 'gone', which nobody serves; try again later"
        )
    }

    @Test func everyHookMustAllowTheModel() {
        var scenario = self.ready([.test("a", [.filterModels]), .test("b", [.filterModels])])
        #expect(
            scenario.client(1, Self.prompt)
                == ["a", "b"].map {
                    #"hook \#($0): {"id":1,"event":"filter_models",\#(Self.caller),"op":"prompt","models":["echo"]}"#
                })
        scenario.hook("a", #"{"id":1,"models":["echo","more"]}"#)
        let actions = scenario.hook("b", #"{"id":1,"models":["more"]}"#)
        #expect(
            self.failure(actions) == "the model 'echo' may not be used: hook 'b' leaves it out; see op models")
    }

    @Test func aFallbackThatAHookLeavesOutIsPassedOver() {
        let providers = [ProviderSettings.echo(), .echo("x"), .echo("y")]
        var scenario = self.ready(
            [.test("a", [.filterModels])], providers: providers, fallbacks: ["echo": ["x", "y"]])
        let asked = scenario.client(1, Self.prompt)
        #expect(asked.first?.hasSuffix(#""models":["echo","x","y"]}"#) == true, "\(asked)")
        #expect(self.isOpened(scenario.hook("a", #"{"id":1,"models":["y","echo"]}"#)))
        scenario.commit()
        let handedOn = scenario.slot(1, 0, .error(Failure(.providerError, "tired"), usage: nil))
        #expect(handedOn.contains { $0.hasPrefix("slot 3.") }, "\(handedOn)")
    }

    @Test func whatTheConfigurationForbidsNoHookIsAskedAbout() {
        var scenario = self.ready([.test("a", [.filterModels]), .test("b")])
        let actions = scenario.client(1, #"{"id":1,"op":"prompt","prompt":"hi","model":"gone"}"#)
        #expect(actions.count == 1)
        #expect(actions.first?.contains("unknown_model") == true)
        #expect(scenario.core.footprint.consultations == 0)
    }

    // MARK: What is asked

    @Test func hooksSeeWhatTheClientSent() {
        var scenario = self.ready([.test()])
        let asked = scenario.client(
            1, #"{"id":1,"op":"prompt","prompt":"hi","system":"be","options":{"raw": "1.0"},"stream":false}"#)
        #expect(asked == [Self.judged("h", #""prompt":"hi","system":"be","options":{"raw": "1.0"}"#)])
        let embed = scenario.client(1, #"{"id":2,"op":"embed","input":"a text","model":"echo"}"#)
        #expect(
            embed.first?.contains(#""op":"embed","model":"echo","provider":"echo","input":["a text"]}"#) == true,
            "\(embed)")
        let chain = scenario.client(1, #"{"id":3,"op":"chain","prompt":"go","tools":[{"name":"t"}]}"#)
        #expect(
            chain.first?.contains(
                #""op":"chain","model":"echo","provider":"echo","prompt":"go","tools":[{"name":"t"}]}"#) == true)
    }

    @Test func aPromptThatIsTooLongIsNotShown() {
        var scenario = self.ready([.test()])
        let long = String(repeating: "x", count: ProtocolBounds.hookPrompt)
        let asked = scenario.client(1, #"{"id":1,"op":"prompt","prompt":"\#(long)"}"#)
        #expect(asked == [Self.judged("h", #""truncated":true"#)])
        #expect(self.isOpened(scenario.hook("h", #"{"id":1}"#)))
    }

    @Test func aChainIsAskedAboutOnce() {
        var scenario = self.ready([.test()])
        scenario.client(1, #"{"id":1,"op":"chain","prompt":"go","tools":[{"name":"t"}]}"#)
        #expect(self.isOpened(scenario.hook("h", #"{"id":1,"annotate":{"n":1}}"#)))
        scenario.commit()
        scenario.slot(1, 0, .toolCall(ToolCall(id: "c", name: "t", arguments: Array("{}".utf8))))
        scenario.slot(1, 0, .done(SlotCompletion(usage: nil, finishReason: "tool_calls", providerRequestID: nil)))
        scenario.commit()
        let next = scenario.client(
            1, #"{"id":2,"op":"tool_result","target":1,"tool_results":[{"tool_call_id":"c","name":"t","output":"o"}]}"#)
        #expect(self.isOpened(next))
        #expect(!next.contains { $0.hasPrefix("hook") })
        #expect(next.contains { $0.contains(#""annotations":{"h":{"n":1}}"#) })
    }

    // MARK: Its ends

    @Test func whoeverCancelsOrGoesIsNotLetIn() {
        var scenario = self.ready([.test()])
        scenario.client(1, Self.prompt)
        let cancelled = scenario.client(1, #"{"id":2,"op":"cancel","target":1}"#)
        #expect(cancelled.count == 2)
        #expect(cancelled.last?.contains(#""id":1,"event":"error","error":{"code":"cancelled""#) == true)
        #expect(scenario.hook("h", #"{"id":1}"#) == [])
        scenario.client(1, Self.prompt)
        #expect(scenario.post(.clientClosed(ConnectionID(1))) == [])
        #expect(scenario.hook("h", #"{"id":2}"#) == [])
        #expect(scenario.core.footprint.memory == 0)
        #expect(scenario.core.footprint.consultations == 0)
    }

    @Test func itsTimeoutCountsFromItsArrival() {
        var scenario = self.ready([.test()])
        scenario.client(1, #"{"id":1,"op":"prompt","prompt":"hi","timeout_ms":1500}"#)
        scenario.pass(.seconds(1))
        #expect(self.isOpened(scenario.hook("h", #"{"id":1}"#)))
        #expect(
            self.failure(scenario.pass(.milliseconds(500)) + scenario.commit()) == "timeout_ms, 1500 ms, has passed")
        scenario.client(1, #"{"id":2,"op":"prompt","prompt":"hi","timeout_ms":1500}"#)
        #expect(
            self.failure(scenario.pass(.milliseconds(1500))) == "timeout_ms has passed while hooks were asked ('h')")
    }

    @Test func aDrainEndsThoseThatWait() {
        var scenario = self.ready([.test()])
        scenario.client(1, Self.prompt)
        let actions = scenario.post(.drain)
        #expect(actions.contains { $0.contains("shutting_down") })
        #expect(actions.contains("close worker 1"))
        #expect(!actions.contains("close hook h"), "the question is out")
        #expect(scenario.hook("h", #"{"id":1}"#) == ["close hook h"])
        scenario.post(.workerExited(WorkerID(1), .exited(code: 0)))
        let end = scenario.hookExits("h", .exited(code: 0))
        #expect(end.contains("close logger"), "\(end)")
    }

    @Test func aHookThatDoesNotEndIsKilled() {
        var scenario = self.ready([.test()])
        #expect(scenario.post(.drain).contains("close hook h"))
        #expect(scenario.pass(.seconds(5)).contains("kill hook h"))
    }

    @Test func thoseThatWaitAreBounded() {
        var bounds = SupervisorBounds()
        bounds.consultations = 2
        var scenario = self.ready([.test()], bounds: bounds)
        for id in 1...2 { scenario.client(1, #"{"id":\#(id),"op":"prompt","prompt":"hi"}"#) }
        let refused = scenario.client(1, #"{"id":3,"op":"prompt","prompt":"hi"}"#)
        #expect(refused.first?.contains("overloaded") == true)
        bounds.consultations = 100
        bounds.smallRequestMemory = 100
        scenario = self.ready([.test()], bounds: bounds)
        let long = #"{"id":1,"op":"prompt","prompt":"\#(String(repeating: "x", count: 60))"}"#
        #expect(scenario.client(1, long).first?.contains("overloaded") == true)
        #expect(scenario.core.footprint.memory == 0)
    }

    // MARK: Afterwards

    @Test func hooksAreToldOfEveryEnd() {
        var scenario = self.ready([.test("told", [.afterResponse])])
        #expect(self.isOpened(scenario.client(1, Self.prompt)))
        scenario.commit()
        let done = scenario.slot(
            1, 0, .done(SlotCompletion(usage: Usage(input: 1, output: 2), finishReason: "stop", providerRequestID: nil))
        )
        let notice = done.first { $0.hasPrefix("hook told") }
        #expect(
            notice
                == #"hook told: {"id":1,"event":"after_response",\#(Self.caller),"op":"prompt","model":"echo","provider":"echo","request":"r1","state":"done","usage":{"input":1,"output":2},"duration_ms":0}"#
        )
        scenario.commit()
        scenario.client(1, #"{"id":2,"op":"prompt","prompt":"hi"}"#)
        scenario.commit()
        #expect(scenario.post(.clientClosed(ConnectionID(1))).count == 1)
        let gone = scenario.post(.workerExited(WorkerID(1), .signalled(11)))
        #expect(gone.contains { $0.hasPrefix("hook told") && $0.contains(#""state":"cancelled""#) }, "\(gone)")
        // What it is told it answers; anything else is not an answer.
        #expect(scenario.hook("told", #"{"id":1,"refuse":"no"}"#) == ["kill hook told"])
    }

    @Test func aConversationGoesOnWhenItsPromptWasRefused() throws {
        var scenario = self.ready([.test()], storesPrompts: true)
        for id in 1...2 {
            scenario.client(1, #"{"id":\#(id),"op":"prompt","prompt":"hi","conversation":"c"}"#)
        }
        scenario.readerIsReady()
        let asked = scenario.remembers()
        #expect(asked.contains { $0.hasPrefix("hook h") }, "\(asked)")
        let refused = scenario.hook("h", #"{"id":1,"refuse":"no"}"#)
        #expect(refused.contains { $0.hasPrefix("reader: ") }, "the next one's history is asked for: \(refused)")
        #expect(scenario.core.footprint.consultations == 0)
    }
}
