import Messages
import Testing

@testable import SupervisorCore

/// Prompts that continue a conversation: in line, settled, remembered, admitted.
@Suite struct ConversationTests {
    private static func error(_ id: Int, _ code: String, in actions: [String]) -> Bool {
        actions.contains { $0.hasPrefix(#"client 1: {"id":\#(id),"event":"error","error":{"code":"\#(code)""#) }
    }

    @Test func aPromptIsAdmittedWithItsHistoryAndItsParent() {
        var scenario = Scenario.remembering()
        #expect(
            scenario.continues(1, 1) == [#"reader: {"op":"history","conversation":"c","query":3,"uid":1000}"#])
        #expect(scenario.core.footprint.continuations == 1)
        #expect(
            scenario.remembers(system: "be brief", #"[{"role":"system"}]"#) == [
                #"logger: {"op":"open","sequence":1,"request":"r1","at_ms":1000,"uid":1000,"gid":100,"pid":42,"provider":"echo","model":"echo","stream":true,"conversation":"c","parent":"b2:1","prompt":"more"}"#
            ])
        #expect(
            scenario.commit() == [
                #"slot 1.0: {"op":"prompt","request":"r1","model":"echo","stream":true,"messages":[{"role":"system"}],"prompt":"more"}"#,
                #"client 1: {"id":1,"event":"start","request":"r1","model":"echo","provider":"echo","conversation":"c"}"#,
            ])
        scenario.slot(1, 0, .text("ho"))
        #expect(scenario.slot(1, 0, .done(SlotCompletion()))[0].hasSuffix(#""output":[{"event":"text","text":"ho"}]}"#))
        #expect(scenario.commit().count == 1)
        #expect(scenario.isClean)
    }

    @Test func aFirstPromptGivesItsConversationItsName() {
        var scenario = Scenario.ready(durability: .relaxed, storesPrompts: true)
        scenario.connect(1)
        let actions = scenario.client(
            1, #"{"id":1,"op":"prompt","prompt":"hi","system":"be brief","options":{"n":1.0}}"#)
        #expect(
            actions[0].hasSuffix(
                #""conversation":"r1","prompt":"hi","system":"be brief","options":{"n":1.0}}"#), "\(actions)")
        #expect(actions[2].hasSuffix(#""conversation":"r1"}"#))
        #expect(scenario.slot(1, 0, .done(SlotCompletion()))[1].contains(#""conversation":"r1""#))
    }

    @Test(arguments: [ServiceConfiguration.Durability.commit, .relaxed])
    func aHistoryIsReadWhenAllThatWasRecordedIsOnDisk(durability: ServiceConfiguration.Durability) {
        var scenario = Scenario.remembering(durability: durability)
        scenario.client(1, #"{"id":1,"op":"prompt"}"#)
        #expect(scenario.continues(1, 2) == [])
        #expect(scenario.post(.loggerReply(LoggerReply.acknowledged(sequence: 0).encoded)) == [])
        #expect(scenario.commit().last == #"reader: {"op":"history","conversation":"c","query":4,"uid":1000}"#)
    }

    @Test(arguments: [ServiceConfiguration.Durability.commit, .relaxed])
    func aPromptWaitsForTheOpenOneAndForItsRecord(durability: ServiceConfiguration.Durability) throws {
        var scenario = Scenario.remembering(durability: durability)
        scenario.promptRuns(1, 1)
        let conversation = try #require(scenario.core.requests.values.first?.conversation)
        #expect(scenario.continues(1, 2, conversation) == [])
        #expect(scenario.continues(1, 3, conversation) == [])
        #expect(scenario.commit() == [])
        scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(scenario.question == -1)
        #expect(scenario.commit().last?.contains(#""op":"history""#) == true)
        scenario.remembers()
        scenario.commit()
        // The third waits for the second, and its history holds that one's end.
        #expect(scenario.question == -1)
        scenario.slot(1, 0, .done(SlotCompletion()))
        #expect(scenario.question == -1)
        #expect(scenario.commit().last?.contains(#""op":"history""#) == true)
        scenario.remembers()
        scenario.commit()
        scenario.slot(1, 0, .done(SlotCompletion()))
        scenario.commit()
        #expect(scenario.isClean)
    }

    @Test func promptsOfOtherConversationsDoNotWait() {
        var scenario = Scenario.remembering()
        scenario.continues(1, 1, "a")
        scenario.remembers()
        scenario.commit()
        scenario.continues(1, 2, "a")
        #expect(scenario.continues(1, 3, "b").count == 1)
        scenario.remembers()
        #expect(scenario.commit().count == 2)
        #expect(scenario.core.footprint.continuations == 1)
    }

    @Test func aPromptThatIsRefusedLetsTheNextOneGoOn() {
        var scenario = Scenario.remembering()
        scenario.continues(1, 1, "c", #","system":"other""#)
        scenario.continues(1, 2)
        scenario.continues(1, 3)
        let refused = scenario.remembers(system: "be brief")
        #expect(Self.error(1, "invalid_request", in: refused))
        #expect(refused.last?.contains(#""op":"history""#) == true)
        let missing = scenario.refuses(.notFound)
        #expect(Self.error(2, "not_found", in: missing))
        #expect(missing.last?.contains(#""op":"history""#) == true)
        #expect(Self.error(3, "invalid_request", in: scenario.refuses(.invalidRequest)))
        #expect(scenario.isClean)
        #expect(scenario.core.footprint.logBytes == 0)
    }

    // MARK: System prompts and models

    @Test(arguments: [
        (nil, "", true), ("be brief", "", true), ("be brief", #","system":"be brief""#, true),
        ("be brief", #","system":"""#, true), ("be brief", #","system":"be\u0020brief""#, true),
        ("be brief", #","system":"be long""#, false), (nil, #","system":"be brief""#, false),
        (nil, #","system":"""#, true), ("", #","system":"x""#, false),
    ])
    func aConversationKeepsItsSystemPrompt(system: String?, members: String, isAdmitted: Bool) {
        var scenario = Scenario.remembering(durability: .relaxed)
        scenario.continues(1, 1, "c", members)
        let actions = scenario.remembers(system: system)
        #expect(actions.contains { $0.contains(#""op":"open""#) } == isAdmitted, "\(actions)")
        #expect(Self.error(1, "invalid_request", in: actions) == !isAdmitted)
        #expect(!actions.contains { $0.contains(#""system":"#) && !$0.contains("error") })
    }

    @Test func aConversationWhoseFirstPromptFailedBeginsAnewUnderItsName() {
        var scenario = Scenario.remembering(durability: .relaxed)
        scenario.continues(1, 1, "c", #","system":"be brief""#)
        let actions = scenario.remembers(tip: nil, model: nil, "[]")
        #expect(actions[0].contains(#""conversation":"c","prompt":"more","system":"be brief"}"#), "\(actions)")
        #expect(actions[1].contains(#""prompt":"more","system":"be brief"}"#) && !actions[1].contains("messages"))
    }

    @Test(arguments: [
        (nil, "other", "other"), ("", "other", "other"), ("echo", "other", "echo"), (nil, nil, "echo"),
    ])
    func aConversationGoesOnWithItsModel(named: String?, last: String?, used: String) {
        var scenario = Scenario.remembering(durability: .relaxed, providers: [.echo(), .echo("other")])
        scenario.continues(1, 1, "c", named.map { #","model":"\#($0)""# } ?? "")
        let actions = scenario.remembers(model: last)
        #expect(actions[0].contains(#""model":"\#(used)""#), "\(actions)")
    }

    @Test func aModelThatIsNotServedAnyMoreIsNamed() {
        var scenario = Scenario.remembering()
        scenario.continues(1, 1)
        let actions = scenario.remembers(model: "gone")
        #expect(Self.error(1, "unknown_model", in: actions) && actions[0].contains("'gone'"))
        #expect(scenario.isClean)
    }

    @Test func wherePromptsAreNotStoredThereIsNothingToContinue() {
        var scenario = Scenario.ready()
        scenario.connect(1)
        let actions = scenario.continues(1, 1)
        #expect(actions.count == 1 && Self.error(1, "not_found", in: actions))
        #expect(scenario.isClean)
    }

    // MARK: Time

    @Test func theClientsTimeoutCountsFromTheArrival() {
        var scenario = Scenario.remembering(durability: .relaxed)
        scenario.continues(1, 1, "c", #","timeout_ms":5000"#)
        scenario.pass(.milliseconds(3_000))
        scenario.remembers()
        #expect(scenario.pass(.milliseconds(1_999)) == [])
        #expect(scenario.pass(.milliseconds(1)) == [#"slot 1.0: {"op":"cancel","request":"r1"}"#])
    }

    @Test func thereIsATimeoutForEachStateBeforeAdmission() {
        var scenario = Scenario.remembering()
        scenario.promptRuns(1, 1, #","model":"echo""#)
        let conversation = scenario.core.requests.values.first!.conversation!
        scenario.continues(1, 2, conversation, #","timeout_ms":100"#)
        #expect(Self.error(2, "timeout", in: scenario.pass(.milliseconds(100))))
        scenario.client(1, #"{"id":3,"op":"prompt"}"#)
        scenario.continues(1, 4, "settles", #","timeout_ms":100"#)
        #expect(Self.error(4, "timeout", in: scenario.pass(.milliseconds(100))))
        scenario.commit()
        #expect(scenario.question == -1)
        scenario.continues(1, 5, "asked", #","timeout_ms":100"#)
        #expect(Self.error(5, "timeout", in: scenario.pass(.milliseconds(100))))
        #expect(scenario.core.footprint.continuations == 0)
        #expect(scenario.core.footprint.questions == 0)
    }

    @Test func aPromptThatNamesNoTimeoutWaitsForTheBoundsOwn() {
        var bounds = SupervisorBounds()
        bounds.continuationTimeout = .seconds(20)
        var scenario = Scenario.ready(storesPrompts: true, bounds: bounds)
        scenario.connect(1)
        scenario.client(1, #"{"id":1,"op":"prompt"}"#)
        scenario.continues(1, 2)
        scenario.continues(1, 3, "d", #","timeout_ms":86400000"#)
        #expect(!Self.error(2, "timeout", in: scenario.pass(.milliseconds(19_999))))
        let actions = scenario.pass(.milliseconds(1))
        #expect(Self.error(2, "timeout", in: actions) && Self.error(3, "timeout", in: actions), "\(actions)")
    }

    // MARK: Ends before admission

    /// Puts prompts of one conversation in all the states: 2 is remembered, 3 in line, 5 settling.
    private static func inEachState() -> Scenario {
        var scenario = Scenario.remembering()
        scenario.continues(1, 2)
        scenario.continues(1, 3)
        scenario.client(1, #"{"id":4,"op":"prompt"}"#)
        scenario.continues(1, 5, "d")
        return scenario
    }

    @Test(arguments: [2, 3, 5]) func aPromptThatIsNotAdmittedIsCancelledAtOnce(id: Int) {
        var scenario = Self.inEachState()
        let before = scenario.core.footprint
        let actions = scenario.client(1, #"{"id":9,"op":"cancel","target":\#(id)}"#)
        #expect(actions[0] == #"client 1: {"id":9,"event":"done"}"#)
        #expect(
            actions[1]
                == #"client 1: {"id":\#(id),"event":"error","error":{"code":"cancelled","message":"the client cancelled the request","retryable":false}}"#
        )
        #expect(scenario.core.footprint.continuations == before.continuations - 1)
        #expect(scenario.core.footprint.logBytes == before.logBytes)
        #expect(scenario.client(1, #"{"id":9,"op":"cancel","target":\#(id)}"#)[0].contains("not_found"))
    }

    @Test func whoIsCancelledInLineIsPassedOverAndTheAnswerForOneCancelledWhileRememberedIsNobodys() {
        var scenario = Self.inEachState()
        scenario.continues(1, 6)
        scenario.client(1, #"{"id":9,"op":"cancel","target":3}"#)
        scenario.client(1, #"{"id":9,"op":"cancel","target":2}"#)
        scenario.commit()
        // The answer to what was asked for 2 is still to come, and is nobody's.
        #expect(scenario.remembers().count == 1)
        for id: Int64 in [5, 6] {
            #expect(scenario.remembers().first?.contains(#""op":"open""#) == true)
            #expect(scenario.core.requests.values.contains { $0.clientID == .number(id) })
        }
    }

    /// The next in line was of the same connection, which is gone.
    @Test func aClientThatLeavesTakesAllItsPromptsWithIt() {
        var scenario = Self.inEachState()
        scenario.commit()
        scenario.continues(1, 6)
        scenario.connect(2, uid: 2000)
        scenario.continues(2, 1)
        scenario.post(.clientClosed(ConnectionID(1)))
        #expect(scenario.core.footprint.continuations == 1)
        scenario.commit()
        scenario.refuses(.logUnavailable)
        #expect(scenario.core.footprint.questions == 1)
        #expect(scenario.remembers().first?.contains(#""op":"open""#) == true)
        #expect(scenario.core.footprint.continuations == 0)
    }

    @Test func aClientThatIsClosedTakesAllItsPromptsWithIt() {
        var scenario = Self.inEachState()
        scenario.commit()
        scenario.continues(1, 6)
        #expect(scenario.client(1, #"{"id":6,"op":"ping"}"#).contains { $0.contains("duplicate_id") })
        #expect(scenario.core.footprint.continuations == 0)
        #expect(scenario.core.footprint.conversations == 0)
    }

    @Test func aDrainEndsWhatIsNotAdmittedAndAdmitsNoMore() {
        var scenario = Self.inEachState()
        let actions = scenario.post(.drain)
        for id in [2, 3, 5] { #expect(Self.error(id, "shutting_down", in: actions), "\(id): \(actions)") }
        #expect(scenario.core.footprint.continuations == 0)
        #expect(scenario.core.footprint.conversations == 0)
        #expect(Self.error(7, "shutting_down", in: scenario.continues(1, 7)))
        #expect(scenario.remembers() == [])
    }

    // MARK: Bounds

    @Test func promptsThatWaitAreCountedWithTheConnectionsRequestsAndInAll() {
        var bounds = SupervisorBounds()
        bounds.requestsPerConnection = 3
        bounds.continuations = 4
        var scenario = Scenario.remembering(bounds: bounds)
        scenario.connect(2)
        for id in 1...3 { scenario.continues(1, id) }
        #expect(Self.error(4, "too_many_requests", in: scenario.continues(1, 4)))
        scenario.continues(2, 1)
        #expect(scenario.continues(2, 2).last?.contains("overloaded") == true)
        #expect(scenario.core.footprint.continuations == 4)
        let before = scenario.core.footprint
        #expect(scenario.client(1, #"{"id":3,"op":"ping"}"#).contains { $0.contains("duplicate_id") })
        #expect(before.memory > scenario.core.footprint.memory)
    }

    @Test func promptsThatWaitLeaveRoomForThoseThatBeginAConversation() {
        var bounds = SupervisorBounds()
        bounds.smallRequestMemory = 8_000
        var scenario = Scenario.remembering(bounds: bounds)
        let text = String(repeating: "x", count: 3_000)
        #expect(scenario.continues(1, 1, "c", #","options":{"a":"\#(text)"}"#).count == 1)
        #expect(Self.error(2, "overloaded", in: scenario.continues(1, 2, "c", #","options":{"a":"\#(text)"}"#)))
        #expect(scenario.client(1, #"{"id":3,"op":"prompt","prompt":"\#(text)"}"#)[0].contains(#""op":"open""#))
        scenario.client(1, #"{"id":9,"op":"cancel","target":1}"#)
        #expect(scenario.continues(1, 4, "c", #","options":{"a":"\#(text)"}"#) == [])
    }
}
